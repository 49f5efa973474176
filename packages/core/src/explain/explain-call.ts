import { Invocation, type CallProtocol, type Direction, type Field, type FieldBundle } from '../invocation.js';
import type { SourceIdentity, SourceResolver } from '../resolver/contracts.js';
import type { ExplainRequest } from './explain-request.js';

/** Methods that may be sent twice without harm (RFC 9110, 9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

const LOOPBACK = '127.0.0.1';

/** A call that is never sent: it remembers what the stages would do to it. No metric knows of it. */
export class ExplainCall extends Invocation {
  readonly direction: Direction;
  readonly protocol: CallProtocol;
  readonly method: string;
  readonly path: string;
  readonly authority: string;
  readonly remoteAddress: string;
  /** The path that would be sent; undefined when it stays as it is. */
  newPath: string | undefined = undefined;
  /** Fields that would be sent besides those that arrived. */
  readonly added: Field[] = [];
  /** Names, in lower case, of fields that arrived and would not be passed on. */
  readonly removed = new Set<string>();
  readonly #headers = new Map<string, string>();
  readonly #sources: readonly SourceResolver[];
  #source: SourceIdentity | undefined | null;

  /** @param sources asked in their order when the request does not say who calls */
  constructor(request: ExplainRequest, sources: readonly SourceResolver[], now: number) {
    super();
    this.direction = request.direction ?? 'outbound';
    this.protocol = request.protocol ?? 'http';
    this.method = this.protocol === 'tcp' ? '' : (request.method ?? 'GET');
    this.remoteAddress = request.remoteAddress ?? LOOPBACK;
    this.startedAt = now;
    for (const [name, value] of Object.entries(request.headers ?? {})) this.#headers.set(name.toLowerCase(), value);
    const { authority, path } = splitUrl(request.url);
    this.authority = authority ?? this.#headers.get('host') ?? '';
    this.path = path;
    this.#sources = sources;
    this.#source = request.source === undefined ? null : { service: request.source, by: 'header' };
  }

  get source(): SourceIdentity | undefined {
    if (this.#source === null) this.#source = this.#identify();
    return this.#source;
  }

  get idempotent(): boolean {
    return IDEMPOTENT.has(this.method);
  }

  header(name: string): string | undefined {
    return this.#headers.get(name);
  }

  setHeader(name: string, value: string): void {
    this.removeHeader(name);
    this.addHeader(name, value);
  }

  addHeader(name: string, value: string): void {
    this.added.push([name, value]);
  }

  addFields(bundle: FieldBundle): void {
    this.added.push(...bundle.fields);
  }

  removeHeader(name: string): void {
    const lower = name.toLowerCase();
    if (this.#headers.has(lower)) this.removed.add(lower);
    const kept = this.added.filter(([field]) => field.toLowerCase() !== lower);
    this.added.splice(0, this.added.length, ...kept);
  }

  setPath(path: string): void {
    this.newPath = path;
  }

  #identify(): SourceIdentity | undefined {
    for (const resolver of this.#sources) {
      const identity = resolver.identify(this);
      if (identity !== undefined) return identity;
    }
    return undefined;
  }
}

/**
 * Host with port, and path with query, as they would stand in a request. Nothing is normalised: the wire does not do so either. A user
 * and password before the host are left out, as clients do.
 */
function splitUrl(url: string): { readonly authority: string | undefined; readonly path: string } {
  const match = /^(?:[a-z][a-z0-9+.-]*:\/\/|\/\/)?([^/?#]*)([^#]*)/is.exec(url);
  const rest = match?.[2] ?? '';
  const path = rest.startsWith('/') ? rest : `/${rest}`;
  const authority = (match?.[1] ?? '').replace(/^.*@/, '');
  return { authority: authority === '' ? undefined : authority, path };
}
