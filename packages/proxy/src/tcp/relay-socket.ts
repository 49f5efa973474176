import type { Socket } from 'node:net';
import type { Endpoint } from '@mesher/core';
import type { ProxyStats } from '../stats.js';
import { own, resetSocket, type SocketOwner } from '../socket-owner.js';
import type { OwnDials } from '../transparent/own-dials.js';
import type { ReadBuffers } from '../upstream/read-buffers.js';
import { UpstreamSocket } from '../upstream/upstream-socket.js';
import { FlowBuffer } from './flow-buffer.js';

/** Sockets kept for the next connection. */
const MAX_SPARE = 64;

/** Who dials a {@link RelaySocket}, and is told what happens to it. */
export interface RelayUser {
  /** What was read last has not been taken yet: the buffer must not be read into by another connection. */
  readonly holdsUpstreamBytes: boolean;
  onConnected(): void;
  /** @returns false to stop reading until `socket.resume()` */
  onUpstreamBytes(bytes: Buffer): boolean;
  onUpstreamEnd(): void;
  onUpstreamDrained(): void;
  onUpstreamError(error: Error): void;
  onUpstreamClosed(): void;
}

/** The dialled side of a relay. */
export interface DialledSocket extends SocketOwner {
  /** There from {@link dial} on. */
  readonly socket: Socket;
  dial(relay: RelayUser, endpoint: Endpoint): void;
  release(reset: boolean, bufferInUse: boolean): void;
}

/** Where relays get sockets to dial with. */
export interface DialledSockets {
  take(): DialledSocket;
}

/**
 * The usual dialled side. A closed socket is dialled again for the next connection: making a new socket object with its
 * streams and listeners costs a good part of a new connection.
 */
export class RelaySocket implements DialledSocket {
  readonly socket: UpstreamSocket;
  #relay: RelayUser | undefined;
  #reusable = true;
  readonly #flow: FlowBuffer;

  constructor(private readonly spare: RelaySockets) {
    const flow = (this.#flow = new FlowBuffer(spare.buffers, false));
    this.socket = new UpstreamSocket({
      buffer: () => flow.bytes,
      callback: (length) => {
        const goesOn = this.#relay?.onUpstreamBytes(flow.first(length)) ?? false;
        flow.adapt(length, !goesOn);
        return goesOn;
      },
    });
    own(this.socket, this, false);
    this.socket.on('connect', () => this.#relay?.onConnected());
  }

  dial(relay: RelayUser, endpoint: Endpoint): void {
    this.#relay = relay;
    this.#reusable = true;
    this.spare.stats.upstreamOpen++;
    this.socket.connect({ host: endpoint.host, port: endpoint.port });
    this.spare.ownDials.begun(this.socket, endpoint);
  }

  /**
   * The relay has no further interest: the socket closes and is kept for later.
   * @param reset close it so that the upstream knows that something is missing
   * @param bufferInUse what was read last still waits to be written: the buffer must not be read into by another connection
   */
  release(reset: boolean, bufferInUse: boolean): void {
    this.#relay = undefined;
    this.#reusable = !bufferInUse;
    if (reset) resetSocket(this.socket);
    else this.socket.destroy();
  }

  onData(): void {
    // never: the socket reads through onread
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
    this.spare.stats.upstreamOpen--;
    if (this.#reusable && relay?.holdsUpstreamBytes !== true) {
      this.#flow.rest(false);
      this.spare.giveBack(this);
    }
    relay?.onUpstreamClosed();
  }
}

/** Dialled sockets that wait for their next use. */
export class RelaySockets implements DialledSockets {
  readonly #spare: RelaySocket[] = [];

  constructor(
    readonly stats: ProxyStats,
    readonly ownDials: OwnDials,
    readonly buffers: ReadBuffers,
  ) {}

  take(): RelaySocket {
    return this.#spare.pop() ?? new RelaySocket(this);
  }

  giveBack(socket: RelaySocket): void {
    if (this.#spare.length < MAX_SPARE) this.#spare.push(socket);
  }
}
