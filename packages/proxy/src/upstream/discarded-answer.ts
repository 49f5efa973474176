import { UnseenExchange } from './unseen-exchange.js';
import type { UpstreamConnection } from './upstream-connection.js';

/** Reads the rest of an answer that is not passed on, up to a bound, so that its connection can be used again. */
export class DiscardedAnswer extends UnseenExchange {
  readonly isHead = false;
  #allowance: number;

  constructor(
    private readonly connection: UpstreamConnection,
    maxBytes: number,
  ) {
    super();
    this.#allowance = maxBytes;
  }

  override onResponseBody(_buffer: Buffer, start: number, end: number): void {
    this.#allowance -= end - start;
    if (this.#allowance < 0) this.connection.destroy();
  }

  onResponseEnd(): void {
    this.connection.finish();
  }

  onAttemptFailed(): void {
    // the connection is gone, and nobody misses it
  }

  onConnecting(): void {
    // never asks for a connection
  }

  onWaiting(): void {
    // never asks for a connection
  }

  onRefused(): void {
    // never asks for a connection
  }

  onReached(): void {
    // never asks for a connection
  }

  onConnection(): void {
    // never asks for a connection
  }
}
