import type { MetricDefinition, MetricType } from './metric-family.js';

function policies(type: MetricType, name: string, labels: readonly string[], help: string): MetricDefinition {
  return { name, type, group: 'policies', labels, help };
}

function configuration(type: MetricType, name: string, labels: readonly string[], help: string): MetricDefinition {
  return { name, type, group: 'process', labels, help };
}

/** The metrics of policies; part of `docs/reference/metrics.md`. */
export const POLICY_METRICS = {
  events: policies(
    'counter',
    'mesher_events_total',
    ['kind'],
    'Changes of state: breakers, ejections, budgets, configuration.',
  ),
  configReloads: configuration(
    'counter',
    'mesher_config_reloads_total',
    ['result'],
    'Looks at a configuration that may have changed: applied, unchanged (it means the same) or rejected.',
  ),
  configLastReloadSuccess: configuration(
    'gauge',
    'mesher_config_last_reload_success',
    [],
    '1 when the files and config sources say what is in effect, 0 while what they say is refused.',
  ),
  configInfo: configuration('gauge', 'mesher_config_info', ['hash'], 'The configuration in effect; always 1.'),
  configLoadedAt: configuration(
    'gauge',
    'mesher_config_loaded_timestamp_seconds',
    [],
    'When the configuration in effect was taken over, in seconds since 1970.',
  ),
  configNeedsRestart: configuration(
    'gauge',
    'mesher_config_needs_restart',
    [],
    'Keys whose change takes effect with the next start only.',
  ),
  configSourceUp: configuration(
    'gauge',
    'mesher_config_source_up',
    ['source'],
    '1 while the config source answers; otherwise what it said last still counts.',
  ),
} as const;
