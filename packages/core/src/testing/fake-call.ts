import { Invocation, type CallProtocol, type Destination, type Direction, type FieldBundle } from '../invocation.js';
import type { SourceIdentity } from '../resolver/contracts.js';

/** What a {@link FakeCall} says of itself; what is left out is that of `GET / HTTP/1.1`, `Host: world`, outbound. */
export interface FakeCallFacts {
  readonly direction?: Direction;
  readonly protocol?: CallProtocol;
  readonly method?: string;
  readonly path?: string;
  readonly authority?: string;
  readonly remoteAddress?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly idempotent?: boolean;
  readonly destination?: Destination;
  readonly source?: SourceIdentity;
  /** Monotonic milliseconds. */
  readonly startedAt?: number;
}

/** A call without a wire: header fields in an array. Like the wires, it shows what arrived, and edits only what leaves. */
export class FakeCall extends Invocation {
  readonly direction: Direction;
  readonly protocol: CallProtocol;
  readonly method: string;
  readonly path: string;
  readonly authority: string;
  readonly remoteAddress: string;
  readonly source: SourceIdentity | undefined;
  readonly idempotent: boolean;
  readonly #arrived: readonly (readonly [name: string, value: string])[];
  #leaving: (readonly [name: string, value: string])[];

  constructor(facts: FakeCallFacts = {}) {
    super();
    this.direction = facts.direction ?? 'outbound';
    this.protocol = facts.protocol ?? 'http';
    this.method = facts.method ?? 'GET';
    this.path = facts.path ?? '/';
    this.authority = facts.authority ?? 'world';
    this.remoteAddress = facts.remoteAddress ?? '127.0.0.1';
    this.source = facts.source;
    this.idempotent = facts.idempotent ?? true;
    this.destination = facts.destination;
    this.startedAt = facts.startedAt ?? 0;
    this.#arrived = Object.entries(facts.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]);
    this.#leaving = [...this.#arrived];
  }

  header(name: string): string | undefined {
    const values = this.#arrived.filter(([field]) => field === name).map(([, value]) => value);
    return values.length === 0 ? undefined : values.join(', ');
  }

  override fieldsBeginning(prefix: string): readonly (readonly [name: string, value: string])[] {
    return this.#arrived.filter(([name]) => name.startsWith(prefix));
  }

  setHeader(name: string, value: string): void {
    this.removeHeader(name);
    this.addHeader(name, value);
  }

  addHeader(name: string, value: string): void {
    this.#leaving.push([name.toLowerCase(), value]);
  }

  removeHeader(name: string): void {
    this.#leaving = this.#leaving.filter(([field]) => field !== name.toLowerCase());
  }

  addFields(bundle: FieldBundle): void {
    for (const [name, value] of bundle.fields) this.addHeader(name, value);
  }

  /** The path as it leaves. */
  sentPath: string | undefined = undefined;

  setPath(path: string): void {
    this.sentPath = path;
  }

  /** Values of a field as they leave, in their order. */
  sent(name: string): string[] {
    return this.#leaving.filter(([field]) => field === name).map(([, value]) => value);
  }

  /** All fields as they leave, in their order; names in lower case. */
  get leaving(): readonly (readonly [name: string, value: string])[] {
    return this.#leaving;
  }

  /** The request as the next hop receives it, in the other direction; fields of one name are joined. */
  forwarded(facts: FakeCallFacts = {}): FakeCall {
    const headers: Record<string, string> = {};
    for (const [name] of this.#leaving) headers[name] = this.sent(name).join(', ');
    const direction: Direction = this.direction === 'outbound' ? 'inbound' : 'outbound';
    const { method, path, authority, protocol, idempotent } = this;
    return new FakeCall({ direction, method, path, authority, protocol, idempotent, headers, ...facts });
  }
}
