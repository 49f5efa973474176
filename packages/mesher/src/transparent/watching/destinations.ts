import type { Direction } from '@mesher/core';
import type { ConnectionVerdict, SeenProtocol } from '@mesher/proxy';
import type { ConnectionRecord } from './connection-record.js';

/** How many of the oldest are looked at for one without connections, when one has to go. */
const LOOKED_AT = 16;

/** What has become of the connections to one original destination. */
export class DestinationRecord {
  connections = 0;
  open = 0;
  requestBytes = 0;
  responseBytes = 0;
  lastHost = '';
  lastAt = 0;
  lastError: { readonly at: number; readonly message: string } | undefined;
  readonly protocols = new Map<SeenProtocol, number>();
  readonly verdicts = new Map<ConnectionVerdict, number>();

  constructor(
    readonly direction: Direction,
    readonly address: string,
    readonly port: number,
  ) {}

  decided(protocol: SeenProtocol, verdict: ConnectionVerdict): void {
    this.protocols.set(protocol, (this.protocols.get(protocol) ?? 0) + 1);
    this.verdicts.set(verdict, (this.verdicts.get(verdict) ?? 0) + 1);
  }

  closed({ at, durationMs = 0, end, error, requestBytes, responseBytes }: ConnectionRecord): void {
    this.open--;
    this.requestBytes += requestBytes;
    this.responseBytes += responseBytes;
    const isTrouble = end === 'refused' || end === 'server reset' || end === 'idle' || error !== undefined;
    if (isTrouble) this.lastError = { at: at + durationMs, message: error ?? end ?? '' };
  }
}

/** The original destinations that connections went to; the one not used for longest is forgotten for a new one. */
export class Destinations {
  readonly #kept = new Map<string, DestinationRecord>();

  constructor(private readonly max: number) {}

  /** A connection to it begins. */
  begun(direction: Direction, address: string, port: number, at: number): DestinationRecord {
    const key = `${address} ${port}`;
    let record = this.#kept.get(key);
    if (record === undefined || record.direction !== direction) {
      if (this.#kept.size >= this.max) this.#forget();
      record = new DestinationRecord(direction, address, port);
    }
    // A map keeps the order of insertion: the first is the one not used for longest.
    this.#kept.delete(key);
    this.#kept.set(key, record);
    record.connections++;
    record.open++;
    record.lastAt = at;
    return record;
  }

  /** Those used last come first. */
  list(): DestinationRecord[] {
    return [...this.#kept.values()].reverse();
  }

  #forget(): void {
    let oldest: string | undefined;
    let looked = 0;
    for (const [key, { open }] of this.#kept) {
      oldest ??= key;
      if (open === 0) {
        this.#kept.delete(key);
        return;
      }
      if (++looked === LOOKED_AT) break;
    }
    if (oldest !== undefined) this.#kept.delete(oldest);
  }
}
