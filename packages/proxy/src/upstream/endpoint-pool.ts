import { Rejection, type AttemptFailure, type Endpoint } from '@mesher/core';
import type { Environment } from '../environment.js';
import { UpstreamConnection } from './upstream-connection.js';
import type { UpstreamUser } from './upstream-user.js';

/** What is under way when the proxy closes: the clients are gone already, what is left are copies of their requests. */
const CLOSING: AttemptFailure = {
  code: 'MESH_ERR_DRAINING',
  message: 'the proxy is closing',
  sent: true,
  reusedConnection: false,
};

/**
 * The connections to one endpoint. The connection used last is used first, so that the surplus of a busy minute grows idle and
 * closes. Beyond the bound of connections, users wait in line, up to a bound.
 */
export class EndpointPool {
  readonly #idle: UpstreamConnection[] = [];
  readonly #waiting = new Set<UpstreamUser>();
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

  /** A user that comes now would have to wait in line. */
  get isFull(): boolean {
    return this.#idle.length === 0 && this.#all.size >= this.env.options.maxConnectionsPerEndpoint;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Gives `user` a connection at once, or later through `user.onConnection`; or refuses through `user.onRefused`.
   * @param fresh a new connection, none of the idle ones
   */
  acquire(user: UpstreamUser, fresh: boolean): void {
    const pooled = fresh ? undefined : this.#idle.pop();
    if (pooled !== undefined) {
      this.env.stats.upstreamIdle--;
      pooled.begin(user);
      user.onConnection(pooled);
      return;
    }
    const { maxConnectionsPerEndpoint, maxPendingPerEndpoint } = this.env.options;
    // Idle connections hold the places that a new one needs: the oldest gives way. Otherwise the user would wait for nobody.
    if (fresh && this.#all.size >= maxConnectionsPerEndpoint) this.#idle[0]?.destroy();
    if (this.#all.size < maxConnectionsPerEndpoint) {
      const connection = new UpstreamConnection(this.endpoint, this, this.env);
      connection.user = user;
      this.#all.add(connection);
      user.onConnecting(connection);
    } else if (this.#waiting.size < maxPendingPerEndpoint) {
      this.env.stats.poolWaits++;
      this.#waiting.add(user);
      user.onWaiting(this);
    } else {
      this.env.stats.poolOverflows++;
      user.onRefused(
        new Rejection(
          'MESH_ERR_OVERLOADED',
          `${maxConnectionsPerEndpoint} connections to ${this.endpoint.key} are busy and ${maxPendingPerEndpoint} requests wait for one`,
          1,
        ),
      );
    }
  }

  /** The user no longer waits for a connection. */
  leave(user: UpstreamUser): void {
    this.#waiting.delete(user);
  }

  connected(connection: UpstreamConnection): void {
    this.onConnected(this.endpoint);
    const { user } = connection;
    if (user !== undefined) {
      user.onReached(this.endpoint);
      connection.begin(user);
      user.onConnection(connection);
    } else {
      connection.park();
      this.release(connection);
    }
  }

  connectFailed(user: UpstreamUser | undefined, failure: AttemptFailure): void {
    this.env.stats.upstreamConnectFailures++;
    user?.onAttemptFailed(failure);
  }

  /** An idle connection comes back. */
  release(connection: UpstreamConnection): void {
    for (const user of this.#waiting) {
      this.#waiting.delete(user);
      connection.begin(user);
      user.onConnection(connection);
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
    for (const user of this.#waiting) {
      this.#waiting.delete(user);
      this.acquire(user, false);
      break;
    }
    if (this.#all.size === 0 && this.#waiting.size === 0) this.onEmpty(this);
  }

  closeIdle(): void {
    for (const connection of [...this.#idle]) connection.destroy();
  }

  closeAll(): void {
    for (const connection of [...this.#all]) {
      const { user } = connection;
      connection.destroy();
      user?.onAttemptFailed(CLOSING);
    }
  }
}
