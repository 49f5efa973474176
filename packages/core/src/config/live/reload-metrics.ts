import type { PolicyMetrics } from '../../telemetry/policy-metrics.js';
import type { ConfigurationState, ReloadResult } from './configuration-reloader.js';

/** Characters of the hash in the label: enough to tell two configurations apart, and the same as in `/config`. */
const SHOWN_HASH = 12;

/** Offers the numbers of the configuration and returns what counts a reload. */
export function countReloads(metrics: PolicyMetrics, state: () => ConfigurationState): (result: ReloadResult) => void {
  const reloads = metrics.counter('configReloads');
  metrics.gauge('configLastReloadSuccess', (report) => report([], state().rejected === undefined ? 1 : 0));
  metrics.gauge('configInfo', (report) => report([state().hash.slice(0, SHOWN_HASH)], 1));
  metrics.gauge('configLoadedAt', (report) => report([], state().loadedAt / 1000));
  metrics.gauge('configNeedsRestart', (report) => report([], state().needsRestart.length));
  return (result) => reloads.add([result]);
}
