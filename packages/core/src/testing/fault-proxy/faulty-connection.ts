import { connect, type Socket } from 'node:net';
import { FaultPipe } from './fault-pipe.js';
import { NO_FAULT, type ConnectionFaults } from './faults.js';

export interface ConnectionEvents {
  readonly onBytes: (to: 'server' | 'client', count: number) => void;
  readonly onFault: () => void;
  readonly onClose: (connection: FaultyConnection) => void;
}

/** An accepted connection and the one to the server, which is opened as soon as something may reach it. */
export class FaultyConnection {
  readonly #toServer: FaultPipe;
  #toClient: FaultPipe | undefined;
  #server: Socket | undefined;
  #faults: ConnectionFaults = {};

  constructor(
    readonly number: number,
    private readonly client: Socket,
    private readonly target: () => { readonly host: string; readonly port: number },
    private readonly events: ConnectionEvents,
  ) {
    this.#toServer = this.#pipe(client, 'server');
    client.once('close', () => this.#look());
  }

  set faults(faults: ConnectionFaults) {
    this.#faults = faults;
    if (faults.resets === true) {
      this.events.onFault();
      this.cut('reset');
      return;
    }
    this.#toServer.fault = faults.toServer ?? NO_FAULT;
    if (this.#toClient !== undefined) this.#toClient.fault = faults.toClient ?? NO_FAULT;
    if (faults.toServer?.kind !== 'silence') this.#dial();
  }

  /** Ends both sides at once. */
  cut(how: 'close' | 'reset'): void {
    this.#toServer.stop();
    this.#toClient?.stop();
    for (const socket of [this.client, this.#server]) {
      if (socket === undefined || socket.destroyed) continue;
      if (how === 'reset') socket.resetAndDestroy();
      // What was written before still arrives.
      else socket.end(() => socket.destroy());
    }
  }

  #dial(): void {
    if (this.#server !== undefined || this.client.destroyed) return;
    const server = connect({ ...this.target(), allowHalfOpen: true });
    server.setNoDelay(true);
    this.#server = server;
    server.once('close', () => this.#look());
    this.#toClient = this.#pipe(server, 'client');
    this.#toClient.fault = this.#faults.toClient ?? NO_FAULT;
    this.#toClient.to = this.client;
    this.#toServer.to = server;
  }

  #pipe(from: Socket, to: 'server' | 'client'): FaultPipe {
    return new FaultPipe(from, {
      onBytes: (count) => this.events.onBytes(to, count),
      onFault: this.events.onFault,
      onCut: (how) => this.cut(how),
    });
  }

  #look(): void {
    if (!this.client.destroyed || this.#server?.destroyed === false) return;
    this.#toServer.stop();
    this.#toClient?.stop();
    this.events.onClose(this);
  }
}
