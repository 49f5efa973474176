export { ProxyServer } from './proxy-server.js';
export type { ProxyDependencies } from './proxy-server.js';
export { Listener } from './listener.js';
export type { ListenerSpec } from './listener.js';
export { DEFAULT_PROXY_OPTIONS, proxyOptionsSchema } from './options.js';
export type { ForwardingOptions, ProxyOptions } from './options.js';
export { ProxyStats } from './stats.js';
export { detectProtocol } from './detect.js';
export type { DetectedProtocol } from './detect.js';
export type {
  OriginalDestination,
  TransparentRoute,
  TransparentSpec,
  TransparentTarget,
} from './transparent/transparent-spec.js';
export type { SeenProtocol, TransparentCount, Verdict as ConnectionVerdict } from './transparent/transparent-counts.js';
export { beginningOf, chooseTarget } from './transparent/intercepted-connection.js';
export type { Beginning } from './transparent/intercepted-connection.js';
export type { ConnectionWatcher, TurnedAway, WatchedConnection } from './transparent/connection-watcher.js';
export { proxyHeader } from './transparent/proxy-protocol.js';
export type { ProxyProtocol } from './transparent/proxy-protocol.js';
