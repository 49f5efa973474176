import { Rejection, type AttemptFailure, type Endpoint } from '@mesher/core';
import type { Environment } from '../environment.js';
import type { Exchange } from '../http1/exchange.js';
import { UpstreamConnection } from './upstream-connection.js';

/**
 * The connections to one endpoint. The connection used last is used first, so that the surplus of a busy minute grows idle and
 * closes. Beyond the bound of connections, exchanges wait in line, up to a bound.
 */
export class EndpointPool {
  readonly #idle: UpstreamConnection[] = [];
  readonly #waiting = new Set<Exchange>();
  readonly #all = new Set<UpstreamConnection>();

  constructor(
    readonly endpoint: Endpoint,
    private readonly env: Environment,
    private readonly onConnected: (endpoint: Endpoint) => void,
    private readonly onEmpty: (pool: EndpointPool) => void,
  ) {}

  get open(): number {
    return this.#all.size;
  }

  get idle(): number {
    return this.#idle.length;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Gives the exchange a connection at once, or later through `exchange.onConnection`; or refuses through `exchange.onRefused`. */
  acquire(exchange: Exchange, fresh: boolean): void {
    const pooled = fresh ? undefined : this.#idle.pop();
    if (pooled !== undefined) {
      this.env.stats.upstreamIdle--;
      pooled.begin(exchange);
      exchange.onConnection(pooled);
      return;
    }
    const { maxConnectionsPerEndpoint, maxPendingPerEndpoint } = this.env.options;
    // Idle connections hold the places that a new one needs: the oldest gives way. Otherwise the exchange would wait for nobody.
    if (fresh && this.#all.size >= maxConnectionsPerEndpoint) this.#idle[0]?.destroy();
    if (this.#all.size < maxConnectionsPerEndpoint) {
      const connection = new UpstreamConnection(this.endpoint, this, this.env);
      connection.exchange = exchange;
      this.#all.add(connection);
      exchange.onConnecting(connection);
    } else if (this.#waiting.size < maxPendingPerEndpoint) {
      this.env.stats.poolWaits++;
      this.#waiting.add(exchange);
      exchange.onWaiting(this);
    } else {
      this.env.stats.poolOverflows++;
      exchange.onRefused(
        new Rejection(
          'MESH_ERR_OVERLOADED',
          `${maxConnectionsPerEndpoint} connections to ${this.endpoint.key} are busy and ${maxPendingPerEndpoint} requests wait for one`,
          1,
        ),
      );
    }
  }

  /** The exchange no longer waits for a connection. */
  leave(exchange: Exchange): void {
    this.#waiting.delete(exchange);
  }

  connected(connection: UpstreamConnection): void {
    this.onConnected(this.endpoint);
    const { exchange } = connection;
    if (exchange !== undefined) {
      exchange.handler.connected(this.endpoint);
      connection.begin(exchange);
      exchange.onConnection(connection);
    } else {
      connection.park();
      this.release(connection);
    }
  }

  connectFailed(exchange: Exchange | undefined, failure: AttemptFailure): void {
    this.env.stats.upstreamConnectFailures++;
    exchange?.onAttemptFailed(failure);
  }

  /** An idle connection comes back. */
  release(connection: UpstreamConnection): void {
    for (const exchange of this.#waiting) {
      this.#waiting.delete(exchange);
      connection.begin(exchange);
      exchange.onConnection(connection);
      return;
    }
    this.#idle.push(connection);
    this.env.stats.upstreamIdle++;
    if (this.#idle.length > this.env.options.maxIdlePerEndpoint || this.endpoint.retired) this.#idle[0]?.destroy();
  }

  closed(connection: UpstreamConnection, wasIdle: boolean): void {
    this.#all.delete(connection);
    this.env.stats.upstreamOpen--;
    if (wasIdle) {
      const at = this.#idle.indexOf(connection);
      if (at >= 0) {
        this.#idle.splice(at, 1);
        this.env.stats.upstreamIdle--;
      }
    }
    // A place has become free: the next in line may connect.
    for (const exchange of this.#waiting) {
      this.#waiting.delete(exchange);
      this.acquire(exchange, false);
      break;
    }
    if (this.#all.size === 0 && this.#waiting.size === 0) this.onEmpty(this);
  }

  closeIdle(): void {
    for (const connection of [...this.#idle]) connection.destroy();
  }

  closeAll(): void {
    for (const connection of [...this.#all]) connection.destroy();
  }
}
