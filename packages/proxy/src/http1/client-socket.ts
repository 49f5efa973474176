import type { Socket } from 'node:net';
import { Deadline } from '../deadlines.js';
import type { Environment } from '../environment.js';
import { notifyWhenDrained, resetSocket, type SocketOwner } from '../socket-owner.js';

/**
 * The accepted socket of an HTTP/1 connection: writing, pausing, and the ways in which it closes. What was written is never cut off
 * by a close of ours unless the client must not take it for complete.
 */
export abstract class ClientSocket extends Deadline implements SocketOwner {
  /** The last answer has been written; what still comes is thrown away. */
  protected closing = false;
  /** The client has ended its side. */
  protected clientEnded = false;
  /** An error has ended the connection. */
  protected failed = false;
  protected gone = false;
  /** Something was written since the flag was last cleared. */
  protected wrote = false;
  #paused = false;
  /** The client may still be sending what nobody will read. */
  #lingering = false;

  constructor(
    protected readonly socket: Socket,
    protected readonly env: Environment,
  ) {
    super();
  }

  get isPaused(): boolean {
    return this.#paused;
  }

  abstract onData(chunk: Buffer): void;
  abstract onEnd(): void;
  abstract onDrain(): void;

  onError(_error: Error): void {
    // 'close' follows.
    this.failed = true;
  }

  onClose(): void {
    this.destroy();
  }

  // === reading

  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.socket.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.socket.resume();
  }

  // === writing

  /** @returns false while some of it waits for the client to read */
  write(text: string): boolean {
    this.wrote = true;
    this.socket.write(text, 'latin1');
    return this.socket.writableLength === 0;
  }

  /** @returns false while some of it waits for the client to read; `body` must not change until then */
  writeHeadAndBody(head: string, body: Buffer): boolean {
    this.wrote = true;
    this.socket.cork();
    this.socket.write(head, 'latin1');
    this.socket.write(body);
    this.socket.uncork();
    return this.socket.writableLength === 0;
  }

  /** @returns false while some of it waits for the client to read; `bytes` must not change until then */
  writeBytes(bytes: Buffer): boolean {
    this.wrote = true;
    this.socket.write(bytes);
    return this.socket.writableLength === 0;
  }

  /** Asks for {@link onDrain}. */
  notifyWhenDrained(): void {
    notifyWhenDrained(this.socket, this);
  }

  /** Ends our side and keeps reading. */
  endWriting(): void {
    this.socket.end();
  }

  // === closing

  /** Closes once everything written has left; what the client still sends is of no interest. */
  destroySoon(): void {
    if (this.socket.writableLength === 0) this.destroy();
    else this.#flush(false, this.env.options.tunnelIdleTimeout);
  }

  /** Ends the connection so that the client cannot take the answer for complete. */
  breakOff(): void {
    resetSocket(this.socket);
    this.destroy();
  }

  destroy(): void {
    if (this.gone) return;
    this.gone = true;
    this.env.deadlines.remove(this);
    this.socket.destroy();
    this.onGone();
  }

  /** The connection is over: lets go of everything that hangs on it. */
  protected abstract onGone(): void;

  /**
   * Closes after the last answer.
   * @param linger the client may still be sending: the connection is read to its end for a moment, because closing it with
   * unread bytes would reset it, and the reset may overtake the answer (RFC 9112, 9.6)
   */
  protected closeGently(linger: boolean): void {
    if (linger || this.socket.writableLength > 0) this.#flush(linger, this.env.options.responseIdleTimeout);
    else {
      this.closing = true;
      this.socket.destroySoon();
    }
  }

  /** The client has ended its side, or everything has left: was that all that the close was waiting for? */
  protected closeIfFlushed(): void {
    if (this.gone || !this.socket.writableFinished) return;
    if (this.#lingering && !this.clientEnded) this.env.deadlines.arm(this, this.env.options.lingerTimeout);
    else this.destroy();
  }

  /** The time for what the close was waiting for is over. */
  protected onClosingDeadline(): void {
    if (this.socket.writableLength === 0) this.destroy();
    else this.breakOff();
  }

  /** Sends what is queued, then the end. */
  #flush(linger: boolean, patience: number): void {
    this.closing = true;
    this.#lingering = linger;
    this.resume();
    this.env.deadlines.arm(this, patience);
    this.socket.end(() => this.closeIfFlushed());
  }
}
