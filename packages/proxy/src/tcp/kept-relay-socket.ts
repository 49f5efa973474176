import { Socket } from 'node:net';
import type { Endpoint } from '@mesher/core';
import { own, resetSocket } from '../socket-owner.js';
import type { ProxyStats } from '../stats.js';
import type { DialledSocket, RelayUser } from './relay-socket.js';

/** Begins a connection; the socket tells of a failure by its event `error`, and of success by nothing. */
export type Connect = (endpoint: Endpoint) => Socket;

/**
 * The dialled side of a relay whose connections somebody else begins (from the address of the caller, TPROXY). Nobody says when such a
 * connection stands: it counts as standing at once, and a refusal as its reset. It leads to this machine, where neither takes time.
 */
export class KeptRelaySocket implements DialledSocket {
  socket: Socket = new Socket();
  #relay: RelayUser | undefined;

  constructor(
    private readonly connect: Connect,
    private readonly stats: ProxyStats,
  ) {}

  dial(relay: RelayUser, endpoint: Endpoint): void {
    this.#relay = relay;
    this.stats.upstreamOpen++;
    try {
      this.socket = this.connect(endpoint);
      this.socket.setNoDelay(true);
      own(this.socket, this, true);
      // Not before the relay knows its socket.
      queueMicrotask(() => this.#relay?.onConnected());
    } catch (error) {
      own(this.socket, this, false);
      this.socket.destroy(error as Error);
    }
  }

  release(reset: boolean): void {
    this.#relay = undefined;
    if (reset) resetSocket(this.socket);
    else this.socket.destroy();
  }

  onData(chunk: Buffer): void {
    if (this.#relay?.onUpstreamBytes(chunk) === false) this.socket.pause();
  }

  onEnd(): void {
    this.#relay?.onUpstreamEnd();
  }

  onDrain(): void {
    this.#relay?.onUpstreamDrained();
  }

  onError(error: Error): void {
    this.#relay?.onUpstreamError(error);
  }

  onClose(): void {
    const relay = this.#relay;
    this.#relay = undefined;
    this.stats.upstreamOpen--;
    relay?.onUpstreamClosed();
  }
}
