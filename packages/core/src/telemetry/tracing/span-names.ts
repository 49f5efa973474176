import type { CallProtocol, Direction } from '../../invocation.js';

/** Name of spans beyond the bound. */
export const OTHER_NAME = '(other)';
const PLACE = '{id}';
/** Segments of a path that a name shows: deeper ones rarely tell operations apart. */
const MAX_SEGMENTS = 8;
/** Longest segment that is taken for a word. */
const MAX_WORD = 40;
const NUMBER = /^\d+$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** Hashes and keys; a word of these letters alone (`decade`, `facade`) is no such thing. */
const HEX = /^(?=.*\d)[0-9a-f]{6,}$/i;
/** Tokens: ULIDs and the like have several figures among their letters. */
const TOKEN = /^(?=(?:.*\d){3})[0-9A-Za-z_~-]{16,}$/;

/** Longest host that a name shows: names of DNS have 253 characters, and a port behind them. */
const MAX_HOST = 259;

/** Longest name, in characters: a method or a path of gRPC may be as long as a head. */
const MAX_NAME = 640;
/**
 * Milliseconds after which a name that nobody used makes room for another one: a stranger who tries some hundred paths must not leave
 * all later calls of the process without a name.
 */
const KEPT_MS = 3_600_000;

/** What a span is named after. */
export interface NamedCall {
  readonly direction: Direction;
  readonly protocol: CallProtocol;
  readonly method: string;
  /** With query. */
  readonly path: string;
  /** Of an outbound call: the called service, or the host where there is none. */
  readonly service: string;
}

/**
 * The path without query, with `{id}` in the place of numbers, UUIDs, hexadecimal numbers and long tokens, cut after eight segments:
 * `/users/17/orders` becomes `/users/{id}/orders`.
 */
export function pathTemplateOf(path: string): string {
  const query = path.indexOf('?');
  const bare = query < 0 ? path : path.slice(0, query);
  const segments = bare.split('/');
  let template = '';
  for (let i = bare.startsWith('/') ? 1 : 0; i < segments.length; i++) {
    if (i > MAX_SEGMENTS) return `${template}/**`;
    const segment = segments[i] as string;
    template += `/${isPlace(segment) ? PLACE : segment}`;
  }
  return template;
}

function isPlace(segment: string): boolean {
  if (segment.length > MAX_WORD) return true;
  return NUMBER.test(segment) || HEX.test(segment) || UUID.test(segment) || TOKEN.test(segment);
}

/** What the name of an outbound call to no known service begins with. @param authority of the request, as it came */
export function namedHostOf(authority: string): string {
  return authority.length <= MAX_HOST ? authority.toLowerCase() : '';
}

/** Names of spans: few, whatever callers send, since every store of traces keeps an index of them. */
export class SpanNames {
  /** Those that were used since {@link #turnedAt}, and those that were used in the hour before it and not since. */
  #known = new Set<string>();
  #older = new Set<string>();
  #turnedAt = -Infinity;

  /** @param maxNames names that there may be at a time; further ones are {@link OTHER_NAME} */
  constructor(private readonly maxNames: number) {}

  /**
   * `GET /users/{id}` inbound, `GET world/users/{id}` and `GET other.example:8080/users/{id}` outbound; `package.Service/Method` of gRPC;
   * `tcp` and the service of a connection.
   * @param now monotonic milliseconds
   */
  of({ direction, protocol, method, path, service }: NamedCall, now: number): string {
    const host = direction === 'outbound' ? service : '';
    if (protocol === 'tcp') return this.#bounded(host === '' ? 'tcp' : `tcp ${host}`, now);
    if (protocol === 'grpc') return this.#bounded(path.startsWith('/') ? path.slice(1) : path, now);
    return this.#bounded(`${method} ${host}${pathTemplateOf(path)}`, now);
  }

  #bounded(name: string, now: number): string {
    if (now - this.#turnedAt >= KEPT_MS) this.#turn(now);
    if (this.#known.has(name)) return name;
    if (this.#older.delete(name)) {
      this.#known.add(name);
      return name;
    }
    if (name.length > MAX_NAME || this.#known.size + this.#older.size >= this.maxNames) return OTHER_NAME;
    this.#known.add(name);
    return name;
  }

  #turn(now: number): void {
    this.#turnedAt = now;
    this.#older = this.#known;
    this.#known = new Set();
  }
}
