/** How the client's address is passed on. */
export interface ForwardingOptions {
  /** `append` to X-Forwarded-For, `set` it anew, or leave it `off`. */
  readonly xForwardedFor: 'append' | 'set' | 'off';
  /** Add a `Forwarded` field (RFC 7239). */
  readonly forwarded: boolean;
  /** Add a `Via` field (RFC 9110, 7.6.3). Off by default: some servers stop compressing when they see one. */
  readonly via: boolean;
}

/** Limits and timeouts of the proxy core. All times in milliseconds, all sizes in bytes. */
export interface ProxyOptions {
  readonly maxHeadBytes: number;
  readonly maxHeaderFields: number;
  readonly maxTrailerBytes: number;
  readonly maxReplayBytes: number;
  readonly maxPipelinedBytes: number;
  readonly writeBufferBytes: number;
  readonly maxDownstreamConnections: number;
  readonly maxConnectionsPerEndpoint: number;
  readonly maxPendingPerEndpoint: number;
  readonly maxIdlePerEndpoint: number;
  readonly connectTimeout: number;
  readonly pendingTimeout: number;
  readonly detectTimeout: number;
  readonly headTimeout: number;
  readonly keepAliveTimeout: number;
  readonly requestIdleTimeout: number;
  readonly responseTimeout: number;
  readonly responseIdleTimeout: number;
  readonly upstreamIdleTimeout: number;
  readonly tunnelIdleTimeout: number;
  readonly halfCloseGrace: number;
  readonly lingerTimeout: number;
  readonly forwarding: ForwardingOptions;
  /** Add a `Server-Timing` field to responses that says which sidecar and instance took part. */
  readonly serverTiming: boolean;
}

/** Used where nothing is configured; `proxyOptionsSchema` documents each with its reason. */
export const DEFAULT_PROXY_OPTIONS: ProxyOptions = {
  maxHeadBytes: 65_536,
  maxHeaderFields: 128,
  maxTrailerBytes: 16_384,
  maxReplayBytes: 65_536,
  maxPipelinedBytes: 65_536,
  writeBufferBytes: 65_536,
  maxDownstreamConnections: 20_000,
  maxConnectionsPerEndpoint: 1024,
  maxPendingPerEndpoint: 1024,
  maxIdlePerEndpoint: 256,
  connectTimeout: 2_000,
  pendingTimeout: 5_000,
  detectTimeout: 10_000,
  headTimeout: 10_000,
  keepAliveTimeout: 75_000,
  requestIdleTimeout: 60_000,
  responseTimeout: 30_000,
  responseIdleTimeout: 300_000,
  upstreamIdleTimeout: 4_000,
  tunnelIdleTimeout: 3_600_000,
  halfCloseGrace: 750,
  lingerTimeout: 2_000,
  forwarding: { xForwardedFor: 'append', forwarded: false, via: false },
  serverTiming: false,
};
