import type { Endpoint } from '@mesher/core';
import type { Environment } from '../../environment.js';
import { StreamPool } from './stream-pool.js';

/** The HTTP/2 pools of one proxy, found by the identity of the endpoint; an empty pool is dropped. */
export class StreamPools {
  readonly #pools = new Map<Endpoint, StreamPool>();
  readonly #onEmpty = (pool: StreamPool): void => void this.#pools.delete(pool.endpoint);

  constructor(
    private readonly env: Environment,
    private readonly onConnected: (endpoint: Endpoint) => void,
  ) {}

  of(endpoint: Endpoint): StreamPool {
    let pool = this.#pools.get(endpoint);
    if (pool === undefined) {
      pool = new StreamPool(endpoint, this.env, this.onConnected, this.#onEmpty);
      this.#pools.set(endpoint, pool);
    }
    return pool;
  }

  /** Connections of an endpoint that left the registry close after their last stream. */
  retire(endpoint: Endpoint): void {
    this.#pools.get(endpoint)?.retire();
  }

  closeAll(): void {
    for (const pool of [...this.#pools.values()]) pool.closeAll();
  }

  *[Symbol.iterator](): IterableIterator<StreamPool> {
    yield* this.#pools.values();
  }
}
