import type { Invocation } from '../../invocation.js';
import type { Random } from '../../ports/ports.js';
import { pathOf, queryParameter } from '../../routing/target.js';
import { cookieField, cookieOf, findSetCookie, setCookie } from './cookie.js';
import { murmur3Text } from './murmur3.js';

/** What of a call chooses its instance; see `cse.loadbalance.hash`. */
export interface HashSettings {
  readonly header: string | undefined;
  readonly cookie: string | undefined;
  /** Seconds that a new cookie lives, 0: until the browser is closed; undefined: none is given. */
  readonly cookieTtlS: number | undefined;
  readonly query: string | undefined;
  readonly path: boolean;
  readonly source: boolean;
}

const TWO_32 = 2 ** 32;
/** Digits of a value that Mesher gives a client: 32 bits are as many as the hash of it has. */
const RADIX = 36;

/** Finds what of a call chooses its instance, and hashes it. */
export class HashKey {
  readonly #settings: HashSettings;

  constructor(
    settings: HashSettings,
    private readonly random: Random,
  ) {
    this.#settings = { ...settings, header: settings.header?.toLowerCase() };
  }

  /** True when there is anything to look at. */
  get isConfigured(): boolean {
    const { header, cookie, query, path, source } = this.#settings;
    return header !== undefined || cookie !== undefined || query !== undefined || path || source;
  }

  /**
   * The hash of the call, 0..2^32-1. A client that should have a cookie and has none is given one. A call that has nothing to hash goes
   * anywhere.
   */
  of(call: Invocation): number {
    const text = this.text(call);
    if (text !== undefined) return murmur3Text(text);
    const { cookie, cookieTtlS } = this.#settings;
    if (cookie === undefined || cookieTtlS === undefined || call.protocol === 'tcp') return this.random.next() * TWO_32;
    return murmur3Text(this.#given(call, cookie, cookieTtlS));
  }

  /** The text that is hashed; undefined when the call has none of what is looked for. Changes nothing. */
  text(call: Invocation): string | undefined {
    const { header, cookie, cookieTtlS, query, path, source } = this.#settings;
    const field = header === undefined ? undefined : call.header(header);
    if (field !== undefined) return field;
    if (cookie !== undefined) {
      const value = cookieOf(call.header('cookie'), cookie);
      // A client that is to get the cookie must not be placed by something else before.
      if (value !== undefined || cookieTtlS !== undefined) return value;
    }
    const parameter = query === undefined ? undefined : queryParameter(call.path, query);
    if (parameter !== undefined) return parameter;
    if (path && call.path !== '') return pathOf(call.path);
    return source && call.remoteAddress !== '' ? call.remoteAddress : undefined;
  }

  /** The value of the cookie that the answer sets: another attempt of the call must see the same one. */
  #given(call: Invocation, name: string, ttlS: number): string {
    const at = findSetCookie(call, name);
    if (at >= 0) {
      const field = call.responseFields?.[at]?.[1] ?? '';
      return field.slice(name.length + 1, field.indexOf(';'));
    }
    const value = Math.floor(this.random.next() * TWO_32).toString(RADIX);
    setCookie(call, name, cookieField(name, value, ttlS));
    return value;
  }
}
