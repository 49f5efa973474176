import type { Socket } from 'node:net';

/** A socket without a network: keeps what is written to it, and takes it or not as the test says. */
export class FakeSocket {
  readonly remoteAddress = '127.0.0.1';
  writableLength = 0;
  destroyed = false;
  ended = false;
  /** While true nothing that is written leaves. */
  isStuck = false;
  /** Writes so far. */
  writes = 0;
  #written: Buffer[] = [];
  #callbacks: (() => void)[] = [];

  get asSocket(): Socket {
    return this as unknown as Socket;
  }

  get writableNeedDrain(): boolean {
    return false;
  }

  write(bytes: Uint8Array | string, callback?: () => void): boolean {
    if (bytes.length > 0) {
      this.writes++;
      // The writer uses its buffer again as soon as the socket has taken it.
      this.#written.push(Buffer.from(bytes as Uint8Array));
      if (this.isStuck) this.writableLength += bytes.length;
    }
    if (callback !== undefined) this.#callbacks.push(callback);
    return true;
  }

  once(_event: string, listener: () => void): void {
    this.#callbacks.push(listener);
  }

  /** Takes everything that was written. */
  drain(): void {
    this.isStuck = false;
    this.writableLength = 0;
    const callbacks = this.#callbacks;
    this.#callbacks = [];
    for (const callback of callbacks) callback();
  }

  end(): void {
    this.ended = true;
  }

  destroy(): void {
    this.destroyed = true;
  }

  /** What was written since the last call. */
  take(): Buffer {
    const bytes = Buffer.concat(this.#written);
    this.#written = [];
    return bytes;
  }
}
