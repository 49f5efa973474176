/** A part of the configuration that is read once, when the process starts. */
export interface RestartKey {
  /** Dotted key; everything below it is meant, too. */
  readonly prefix: string;
  /** What would have to be made anew; for people. */
  readonly because: string;
}

/**
 * All keys that cannot change while a process runs. When they change in a file or a config source, the running values stay, the
 * rest of the change is taken over, and the difference is reported. A key that is not listed here takes effect without a restart.
 */
export const RESTART_KEYS: readonly RestartKey[] = [
  { prefix: 'servicecomb.service', because: 'it is the identity under which this instance is registered' },
  { prefix: 'region', because: 'others are told it when this instance is registered' },
  { prefix: 'servicecomb.protocols', because: 'listeners are opened at the start' },
  { prefix: 'servicecomb.registry', because: 'the registry is chosen and connected at the start' },
  { prefix: 'servicecomb.handler', because: 'chains are put together at the start' },
  { prefix: 'servicecomb.config', because: 'the config source is chosen at the start' },
  { prefix: 'admin', because: 'the admin port is opened at the start' },
  { prefix: 'plugins', because: 'modules are loaded at the start' },
  { prefix: 'plugin', because: 'plugins are made at the start' },
  { prefix: 'pprof', because: 'its listener is opened at the start' },
  { prefix: 'tracing.tracer', because: 'the exporter of spans is chosen at the start' },
  { prefix: 'tracing.settings', because: 'the exporter of spans is made with them' },
  { prefix: 'tracing.serviceName', because: 'the exporter of spans is made with it' },
  { prefix: 'tracing.tags', because: 'the exporter of spans is made with them' },
  { prefix: 'tracing.maxQueuedSpans', because: 'the queue of spans is laid out at the start' },
  { prefix: 'tracing.maxSpanNames', because: 'names that are known already would not go' },
  { prefix: 'tracing.correlation.cleanupInterval', because: 'its timer begins at the start' },
  { prefix: 'transparent', because: 'its listener is opened at the start' },
  { prefix: 'mesher.listeners', because: 'listeners are opened at the start' },
  { prefix: 'mesher.metrics', because: 'the counters are laid out at the start' },
  { prefix: 'mesher.statsd', because: 'its sender is made at the start' },
  { prefix: 'mesher.directory', because: 'the directory of services is made at the start' },
  { prefix: 'mesher.registration', because: 'the instance is registered at the start' },
  { prefix: 'mesher.loopGuard', because: 'it is made at the start' },
  { prefix: 'mesher.reload', because: 'watching begins at the start' },
  { prefix: 'mesher.proxy.maxHeaderFields', because: 'the scanners are laid out at the start' },
  { prefix: 'mesher.proxy.forwarding', because: 'the fields to add are made at the start' },
];

/** The entry that `key` falls under; undefined for a key that can change while running. */
export function restartKeyOf(key: string, table: readonly RestartKey[] = RESTART_KEYS): RestartKey | undefined {
  return table.find(({ prefix }) => key === prefix || key.startsWith(`${prefix}.`) || key.startsWith(`${prefix}[`));
}
