import { FieldBundle, type Invocation } from '@mesher/core';
import type { ForwardingOptions } from '../options.js';

/** Client addresses whose fields are kept rendered: all of a usual mesh. Beyond them each request renders its own. */
const MAX_CLIENTS = 4096;

/** Name of this hop in `Via` (RFC 9110, 7.6.3: a pseudonym will do). */
const PSEUDONYM = 'mesher';

/** Versions of HTTP in which messages come, as `Via` writes them. */
export type HttpVersion = '1.0' | '1.1' | '2.0';

/**
 * The fields that say on whose behalf a request comes: `X-Forwarded-For`, `Forwarded` (RFC 7239) and `Via`. They depend on the
 * address of the client alone, so they are rendered once for each and appended to the head as lines of their own; a recipient
 * joins several lines of one name in their order (RFC 9110, 5.2), so the last entry is the nearest hop, as it should be.
 */
export class Forwarding {
  readonly #byClient = new Map<string, Readonly<Record<HttpVersion, FieldBundle>>>();
  readonly #isOff: boolean;
  readonly #replaces: boolean;
  readonly #via: boolean;

  constructor(private readonly options: ForwardingOptions) {
    this.#isOff = options.xForwardedFor === 'off' && !options.forwarded && !options.via;
    this.#replaces = options.xForwardedFor === 'set';
    this.#via = options.via;
  }

  /** Adds the fields to a request that came in this version of HTTP. */
  apply(call: Invocation, version: HttpVersion): void {
    if (this.#isOff) return;
    if (this.#replaces) call.removeHeader('x-forwarded-for');
    const bundles = this.#byClient.get(call.remoteAddress) ?? this.#render(call.remoteAddress);
    call.addFields(bundles[version]);
  }

  /** The value of `Via` that an answer gets which came in this version; undefined for none. */
  via(version: HttpVersion): string | undefined {
    return this.#via ? `${version} ${PSEUDONYM}` : undefined;
  }

  #render(address: string): Readonly<Record<HttpVersion, FieldBundle>> {
    const { xForwardedFor, forwarded, via } = this.options;
    const fields: [string, string][] = [];
    if (xForwardedFor !== 'off') fields.push(['X-Forwarded-For', address === '' ? 'unknown' : address]);
    if (forwarded) fields.push(['Forwarded', `for=${nodeIdentifier(address)};proto=http`]);
    const bundleOf = (version: HttpVersion): FieldBundle =>
      new FieldBundle(via ? [...fields, ['Via', `${version} ${PSEUDONYM}`]] : fields);
    const bundles = { '1.0': bundleOf('1.0'), '1.1': bundleOf('1.1'), '2.0': bundleOf('2.0') };
    if (this.#byClient.size < MAX_CLIENTS) this.#byClient.set(address, bundles);
    return bundles;
  }
}

/** An address as `Forwarded` wants it: IPv6 in brackets and therefore quoted (RFC 7239, 6). */
function nodeIdentifier(address: string): string {
  if (address === '') return 'unknown';
  return address.includes(':') ? `"[${address.replace(/%.*$/, '')}]"` : address;
}
