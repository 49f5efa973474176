import type { Clock, Direction } from '@mesher/core';
import type { ConnectionWatcher, TurnedAway, WatchedConnection } from '@mesher/proxy';
import type { Socket } from 'node:net';
import { ConnectionRecord } from './connection-record.js';
import { Destinations } from './destinations.js';

interface Original {
  readonly address: string;
  readonly port: number;
}

export interface WatcherSettings {
  readonly maxDestinations: number;
  /** Connections that are remembered, those that are open included; 0: none. */
  readonly recentConnections: number;
  readonly clock: Clock;
}

/** Remembers the connections that came last, and sums up those of each original destination. */
export class TransparentWatcher implements ConnectionWatcher {
  readonly destinations: Destinations;
  readonly #ring: (ConnectionRecord | undefined)[];
  #next = 0;

  constructor(private readonly settings: WatcherSettings) {
    this.destinations = new Destinations(settings.maxDestinations);
    this.#ring = new Array<ConnectionRecord | undefined>(settings.recentConnections).fill(undefined);
  }

  begun(socket: Socket, direction: Direction, { address, port }: Original): WatchedConnection {
    const { clock } = this.settings;
    const at = clock.wallTime();
    const destination = this.destinations.begun(direction, address, port, at);
    const record = new ConnectionRecord(at, clock.now(), clientOf(socket), direction, address, port, destination);
    this.#remember(record);
    socket.once('close', (hadError: boolean) =>
      record.closed(clock.now(), socket.bytesRead, socket.bytesWritten, hadError),
    );
    return record;
  }

  turnedAway(socket: Socket, verdict: TurnedAway, { address, port }: Original = { address: '', port: 0 }): void {
    if (this.#ring.length === 0) return;
    const { clock } = this.settings;
    const record = new ConnectionRecord(clock.wallTime(), clock.now(), clientOf(socket), 'unknown', address, port);
    record.decided('unknown', verdict);
    record.end = 'turned away';
    record.durationMs = 0;
    this.#remember(record);
  }

  /** The newest first. */
  recent(): ConnectionRecord[] {
    const { length } = this.#ring;
    const records: ConnectionRecord[] = [];
    for (let back = 1; back <= length; back++) {
      const record = this.#ring[(this.#next - back + length) % length];
      if (record !== undefined) records.push(record);
    }
    return records;
  }

  #remember(record: ConnectionRecord): void {
    if (this.#ring.length === 0) return;
    this.#ring[this.#next] = record;
    this.#next = (this.#next + 1) % this.#ring.length;
  }
}

function clientOf({ remoteAddress = '' }: Socket): string {
  return remoteAddress.startsWith('::ffff:') ? remoteAddress.slice('::ffff:'.length) : remoteAddress;
}
