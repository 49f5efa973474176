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
  /** Monotonic milliseconds until which a client that has ended its side may still be reading; Infinity while there is no such doubt. */
  #doubtEndsAt = Infinity;
  /** Bytes that were waiting when the idle deadline passed. */
  #stuckBytes = 0;
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

  // === waiting

  /** @param latest monotonic milliseconds at which the deadline comes in any case */
  arm(delayMs: number, latest: number = Infinity): void {
    // The doubt about a client that has ended its side is settled before the timeout of a phase.
    if (this.#doubtEndsAt === Infinity) this.env.deadlines.arm(this, delayMs, latest);
    else this.env.deadlines.arm(this, Infinity, Math.min(latest, this.#doubtEndsAt));
  }

  /**
   * The client has ended its side: it may still read, or be gone. The next write would show it; when nothing is written for a moment,
   * gone is assumed.
   * @param latest as with {@link arm}
   */
  protected beginDoubt(latest: number): void {
    this.wrote = false;
    this.#doubtEndsAt = this.env.now() + this.env.options.halfCloseGrace;
    this.arm(Infinity, latest);
  }

  protected endDoubt(): void {
    this.#doubtEndsAt = Infinity;
  }

  /** True when there was a doubt whose time is over. */
  protected isDoubtOver(): boolean {
    return this.env.now() >= this.#doubtEndsAt;
  }

  /** Nothing is under way: waits for the next request. */
  protected waitForNext(): void {
    this.#stuckBytes = 0;
    this.env.deadlines.arm(this, this.env.options.keepAliveTimeout);
  }

  /** No request has come for too long. */
  protected onIdleTooLong(): void {
    const { writableLength } = this.socket;
    if (writableLength === 0) this.destroy();
    else if (writableLength === this.#stuckBytes) this.breakOff();
    else {
      // The client is slow to read the last answer; it has as long again to take some of it.
      this.#stuckBytes = writableLength;
      this.env.deadlines.arm(this, this.env.options.keepAliveTimeout);
    }
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
