import type { Endpoint } from '@mesher/core';
import { Deadline } from '../deadlines.js';
import type { Environment } from '../environment.js';
import { notifyWhenDrained, own, resetSocket, type SocketOwner } from '../socket-owner.js';
import { ReadBuffer } from './read-buffer.js';
import { UpstreamSocket } from './upstream-socket.js';

/** The dialled socket of an upstream connection and the buffer that it reads into: writing, pausing, and what keeps bytes from being overwritten. */
export abstract class UpstreamChannel extends Deadline implements SocketOwner {
  protected readonly socket: UpstreamSocket;
  protected readonly buffer: ReadBuffer;
  /** A read is being worked on. */
  protected isReading = false;
  #paused = false;

  constructor(protected readonly env: Environment) {
    super();
    this.buffer = new ReadBuffer(env.readBuffers);
    // Given as a function, so that the buffer can be exchanged between two reads. Node calls it after each of them.
    this.socket = new UpstreamSocket({
      buffer: () => this.buffer.bytes,
      callback: (length) => this.#onRead(length),
    });
    own(this.socket, this, false);
  }

  /** Bytes waiting for the upstream to read them. */
  get backlog(): number {
    return this.socket.writableLength;
  }

  /** What comes is the body of an answer, or a tunnel: a full buffer announces more. */
  protected abstract readonly isStreaming: boolean;

  abstract onEnd(): void;
  abstract onDrain(): void;
  abstract onClose(): void;
  abstract onError(error: Error): void;

  // === writing

  write(text: string): void {
    this.socket.write(text, 'latin1');
  }

  writeHeadAndBody(head: string, body: Buffer): void {
    this.socket.cork();
    this.socket.write(head, 'latin1');
    this.socket.write(body);
    this.socket.uncork();
  }

  writeBody(body: Buffer): void {
    this.socket.write(body);
  }

  /** Asks for `onUpstreamDrained`. */
  notifyWhenDrained(): void {
    notifyWhenDrained(this.socket, this);
  }

  endWriting(): void {
    this.socket.end();
  }

  // === reading

  /** The client's socket holds on to bytes of the read buffer. */
  pin(): void {
    this.buffer.isPinned = true;
  }

  /** The client is not reading: reads no more of the answer until {@link resumeDrained}. */
  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.socket.pause();
  }

  /** The client has taken everything. */
  resumeDrained(): void {
    this.buffer.isPinned = false;
    this.resume();
  }

  /** Closes with a reset: what the upstream has got is not everything. */
  reset(): void {
    resetSocket(this.socket);
    this.destroy();
  }

  abstract destroy(): void;

  onData(): void {
    // never: the socket reads through onread
  }

  protected dial(endpoint: Endpoint): void {
    this.socket.connect({ host: endpoint.host, port: endpoint.port });
    this.env.ownDials.begun(this.socket, endpoint);
  }

  protected resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.socket.resume();
  }

  /** @param buffer holds `length` bytes that were read; it may be read into again after the call, unless it was pinned */
  protected abstract onBytes(buffer: Buffer, length: number): void;

  #onRead(length: number): boolean {
    this.isReading = true;
    const buffer = this.buffer.bytes;
    this.onBytes(buffer, length);
    if (length === buffer.length && this.isStreaming) this.buffer.grow();
    this.isReading = false;
    return !this.#paused;
  }
}
