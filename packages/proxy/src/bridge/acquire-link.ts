import type { Endpoint } from '@mesher/core';
import type { Environment } from '../environment.js';
import type { UpstreamUser } from '../upstream/upstream-user.js';
import { Http2Link } from './http2-link.js';

/** Streams to an endpoint are all taken: an exchange would wait in line unseen. Those that nobody waits for, hedges and copies, are left out. */
export function mustWaitForStream(env: Environment, endpoint: Endpoint): boolean {
  return endpoint.speaks === 'http2' && env.streamPools.of(endpoint).isFull;
}

/**
 * Gives an exchange of HTTP/1 what carries it to an endpoint: a connection of HTTP/1 from the pool, or a bridge to HTTP/2 where the
 * endpoint speaks nothing else. See `EndpointPool.acquire`.
 * @param fresh a connection of HTTP/1 that nobody has used before
 */
export function acquireLink(env: Environment, endpoint: Endpoint, user: UpstreamUser, fresh: boolean): void {
  if (endpoint.speaks === 'http2') user.onConnection(new Http2Link(env, endpoint, user));
  else env.pools.of(endpoint).acquire(user, fresh);
}
