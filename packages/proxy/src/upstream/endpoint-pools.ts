import type { Endpoint } from '@mesher/core';
import type { Environment } from '../environment.js';
import { EndpointPool } from './endpoint-pool.js';

/** The pools of one proxy, found by the identity of the endpoint; an empty pool is dropped. */
export class EndpointPools {
  readonly #pools = new Map<Endpoint, EndpointPool>();
  readonly #onEmpty = (pool: EndpointPool): void => void this.#pools.delete(pool.endpoint);

  constructor(
    private readonly env: Environment,
    private readonly onConnected: (endpoint: Endpoint) => void,
  ) {}

  of(endpoint: Endpoint): EndpointPool {
    let pool = this.#pools.get(endpoint);
    if (pool === undefined) {
      pool = new EndpointPool(endpoint, this.env, this.onConnected, this.#onEmpty);
      this.#pools.set(endpoint, pool);
    }
    return pool;
  }

  /** Closes the idle connections of an endpoint that no snapshot holds any more; busy ones end with their exchange. */
  retire(endpoint: Endpoint): void {
    this.#pools.get(endpoint)?.closeIdle();
  }

  closeAll(): void {
    for (const pool of [...this.#pools.values()]) pool.closeAll();
  }

  /** For the admin API: each pool with its numbers. */
  *[Symbol.iterator](): IterableIterator<EndpointPool> {
    yield* this.#pools.values();
  }
}
