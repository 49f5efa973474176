import type { Flushable, OutputPool } from './output-pool.js';

const NO_BYTES = Buffer.alloc(0);

/** What is needed of a socket; `net.Socket` has it. */
export interface OutputSocket {
  readonly writableLength: number;
  readonly writableNeedDrain: boolean;
  write(bytes: Uint8Array | string, callback?: (error?: Error | null) => void): boolean;
  once(event: 'drain', listener: () => void): unknown;
}

/** Told by an {@link OutputBuffer}. */
export interface OutputOwner {
  /** The socket has taken everything after it was stuck: streams may send again. */
  outputDrained(): void;
  /** More waits for the socket than allowed: the peer does not read, and the connection has to be destroyed. */
  outputOverflowed(): void;
}

/**
 * Output of one connection: frames are written into a pooled buffer, which leaves with one write at the end of the loop turn. While
 * the socket has not taken a write, {@link isStuck} is true, and DATA must wait as it does for a window of 0; control frames may
 * still be written, up to a bound, and share a buffer: one each would pin 64 KB for every answer to a PING.
 */
export class OutputBuffer implements Flushable {
  /** Where the next byte goes, after {@link reserve}. */
  bytes: Buffer;
  /** Position of the next byte in {@link bytes}. */
  at = 0;
  /** How often bytes were handed to the socket: what was put here since the last time has not left. */
  writes = 0;

  readonly #socket: OutputSocket;
  readonly #pool: OutputPool;
  readonly #owner: OutputOwner;
  readonly #maxUnsentBytes: number;
  #isWaiting = false;
  #isStuck = false;
  #isClosed = false;
  /** Buffers that the socket still refers to. */
  #inFlight: Buffer[] = [];
  readonly #drained = (): void => this.#afterWrite();

  /** @param maxUnsentBytes most bytes that may wait for the socket before the connection is given up */
  constructor(socket: OutputSocket, pool: OutputPool, owner: OutputOwner, maxUnsentBytes: number) {
    this.#socket = socket;
    this.#pool = pool;
    this.#owner = owner;
    this.#maxUnsentBytes = maxUnsentBytes;
    this.bytes = NO_BYTES;
  }

  /** True while the socket has not taken all that was written. */
  get isStuck(): boolean {
    return this.#isStuck;
  }

  /** True when nothing waits to be flushed. */
  get isEmpty(): boolean {
    return this.at === 0;
  }

  /** Makes room for `count` bytes at {@link at}; flushes when the buffer is full. */
  reserve(count: number): void {
    if (this.at + count <= this.bytes.length) return;
    this.#write();
    this.#release();
    this.bytes = this.#pool.take(count);
    if (this.#isWaiting || this.#isClosed) return;
    this.#isWaiting = true;
    this.#pool.flushLater(this);
  }

  /** Called by the pool at the end of the turn: writes what there is. What a stuck socket cannot take waits for it here. */
  flush(): void {
    this.#isWaiting = false;
    if (!this.#isStuck || this.at === 0) this.#write();
  }

  /** Writes what there is, because nothing follows. */
  finish(): void {
    this.#write();
  }

  #write(): void {
    const { bytes, at } = this;
    if (at === 0 || this.#isClosed) return this.#release();
    this.bytes = NO_BYTES;
    this.at = 0;
    this.writes++;
    const socket = this.#socket;
    socket.write(at === bytes.length ? bytes : bytes.subarray(0, at));
    if (socket.writableLength === 0) return this.#pool.giveBack(bytes);
    this.#inFlight.push(bytes);
    if (!this.#isStuck) {
      this.#isStuck = true;
      this.#awaitDrain();
    }
    if (socket.writableLength > this.#maxUnsentBytes) this.#owner.outputOverflowed();
  }

  /** The socket is gone: nothing is written any more. Buffers that it may still refer to are left to the collector. */
  close(): void {
    this.#isClosed = true;
    this.#inFlight = [];
    this.#release();
  }

  /** Gives back the buffer, whose content is not needed. */
  #release(): void {
    if (this.bytes !== NO_BYTES) this.#pool.giveBack(this.bytes);
    this.bytes = NO_BYTES;
    this.at = 0;
  }

  /** `drain` comes only when more than the high-water mark was written; below it the callback of an empty write tells. */
  #awaitDrain(): void {
    if (this.#socket.writableNeedDrain) this.#socket.once('drain', this.#drained);
    else this.#socket.write('', this.#drained);
  }

  #afterWrite(): void {
    if (this.#isClosed) return;
    if (this.#socket.writableLength > 0) return this.#awaitDrain();
    for (const buffer of this.#inFlight) this.#pool.giveBack(buffer);
    this.#inFlight.length = 0;
    this.#isStuck = false;
    this.#write();
    if (!this.#isStuck) this.#owner.outputDrained();
  }
}
