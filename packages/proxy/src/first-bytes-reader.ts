import type { Socket } from 'node:net';
import { Deadline } from './deadlines.js';
import { detectProtocol } from './detect.js';
import type { Environment } from './environment.js';
import { repeatEnd, type SocketOwner } from './socket-owner.js';

/** Waits for enough of the first bytes to tell the protocol. */
export class FirstBytesReader extends Deadline implements SocketOwner {
  #bytes: Buffer | undefined;

  constructor(
    private readonly socket: Socket,
    private readonly env: Environment,
    /** Gives the socket to its next owner. */
    private readonly route: (bytes: Buffer) => void,
    private readonly closed: (reader: FirstBytesReader) => void,
  ) {
    super();
    env.deadlines.arm(this, env.options.detectTimeout);
  }

  onData(chunk: Buffer): void {
    const bytes = this.#bytes === undefined ? chunk : Buffer.concat([this.#bytes, chunk]);
    if (detectProtocol(bytes) === undefined) {
      this.#bytes = bytes;
      return;
    }
    this.#handOver(bytes);
  }

  onEnd(): void {
    if (this.#bytes === undefined) {
      this.destroy();
      return;
    }
    this.#handOver(this.#bytes);
    // The socket has said it to us and will not say it again.
    repeatEnd(this.socket);
  }

  onDrain(): void {
    // nothing is written here
  }

  onError(_error: Error): void {
    // 'close' follows
  }

  onClose(): void {
    this.destroy();
  }

  /** The client has not said enough to tell; one that has said nothing at all is not there. */
  override onDeadline(): void {
    if (this.#bytes === undefined) this.destroy();
    else this.#handOver(this.#bytes);
  }

  /** What the client says first may be on its way. */
  drain(): void {
    if (this.#bytes === undefined) this.env.deadlines.arm(this, this.env.options.drainGrace);
  }

  destroy(): void {
    this.env.deadlines.remove(this);
    this.socket.destroy();
    this.closed(this);
  }

  #handOver(bytes: Buffer): void {
    this.env.deadlines.remove(this);
    this.route(bytes);
    this.closed(this);
  }
}
