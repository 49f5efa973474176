import type { MetricDefinition, MetricType } from './metric-family.js';

function policies(type: MetricType, name: string, labels: readonly string[], help: string): MetricDefinition {
  return { name, type, group: 'policies', labels, help };
}

/** The metrics of policies; part of `docs/reference/metrics.md`. */
export const POLICY_METRICS = {
  events: policies(
    'counter',
    'mesher_events_total',
    ['kind'],
    'Changes of state: breakers, ejections, budgets, configuration.',
  ),
} as const;
