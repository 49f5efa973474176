import { FieldBundle } from '@mesher/core';
import type { ForwardingOptions } from '../options.js';
import type { Http1Call } from './http1-call.js';

/** Client addresses whose fields are kept rendered: all of a usual mesh. Beyond them each request renders its own. */
const MAX_CLIENTS = 4096;

/** Name of this hop in `Via` (RFC 9110, 7.6.3: a pseudonym will do). */
const PSEUDONYM = 'mesher';

/** The `Via` field by minor version of the received message. */
const VIA = [`Via: 1.0 ${PSEUDONYM}\r\n`, `Via: 1.1 ${PSEUDONYM}\r\n`] as const;

/**
 * The fields that say on whose behalf a request comes: `X-Forwarded-For`, `Forwarded` (RFC 7239) and `Via`. They depend on the
 * address of the client alone, so they are rendered once for each and appended to the head as lines of their own; a recipient
 * joins several lines of one name in their order (RFC 9110, 5.2), so the last entry is the nearest hop, as it should be.
 */
export class Forwarding {
  readonly #byClient = new Map<string, readonly [FieldBundle, FieldBundle]>();
  readonly #isOff: boolean;
  readonly #replaces: boolean;
  readonly #via: boolean;

  constructor(private readonly options: ForwardingOptions) {
    this.#isOff = options.xForwardedFor === 'off' && !options.forwarded && !options.via;
    this.#replaces = options.xForwardedFor === 'set';
    this.#via = options.via;
  }

  /** Adds the fields to a request. */
  apply(call: Http1Call): void {
    if (this.#isOff) return;
    if (this.#replaces) call.removeHeader('x-forwarded-for');
    const bundles = this.#byClient.get(call.remoteAddress) ?? this.#render(call.remoteAddress);
    call.addFields(call.minorVersion === 1 ? bundles[1] : bundles[0]);
  }

  /** The line that an answer gets. */
  responseField(upstreamMinorVersion: number): string {
    return this.#via ? (upstreamMinorVersion === 1 ? VIA[1] : VIA[0]) : '';
  }

  #render(address: string): readonly [FieldBundle, FieldBundle] {
    const { xForwardedFor, forwarded, via } = this.options;
    const fields: [string, string][] = [];
    if (xForwardedFor !== 'off') fields.push(['X-Forwarded-For', address === '' ? 'unknown' : address]);
    if (forwarded) fields.push(['Forwarded', `for=${nodeIdentifier(address)};proto=http`]);
    const bundleOf = (version: string): FieldBundle =>
      new FieldBundle(via ? [...fields, ['Via', `${version} ${PSEUDONYM}`]] : fields);
    const bundles = [bundleOf('1.0'), bundleOf('1.1')] as const;
    if (this.#byClient.size < MAX_CLIENTS) this.#byClient.set(address, bundles);
    return bundles;
  }
}

/** An address as `Forwarded` wants it: IPv6 in brackets and therefore quoted (RFC 7239, 6). */
function nodeIdentifier(address: string): string {
  if (address === '') return 'unknown';
  return address.includes(':') ? `"[${address.replace(/%.*$/, '')}]"` : address;
}
