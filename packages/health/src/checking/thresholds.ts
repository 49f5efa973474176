/** What is believed of an application; `unknown` before the first result. */
export type HealthState = 'unknown' | 'up' | 'down';

/** How many results in a row change what is believed. */
export interface Thresholds {
  readonly unhealthyThreshold: number;
  readonly healthyThreshold: number;
}

/** What is believed, and how many results in a row have spoken against it. */
export interface Standing {
  readonly state: HealthState;
  readonly contrary: number;
}

export const UNKNOWN: Standing = { state: 'unknown', contrary: 0 };

/** What is believed after one more result. The first result of all decides at once: there is nothing that it could be weighed against. */
export function judge(standing: Standing, healthy: boolean, thresholds: Thresholds): Standing {
  const seen: HealthState = healthy ? 'up' : 'down';
  if (standing.state === 'unknown' || standing.state === seen) return { state: seen, contrary: 0 };
  const contrary = standing.contrary + 1;
  const needed = healthy ? thresholds.healthyThreshold : thresholds.unhealthyThreshold;
  return contrary >= needed ? { state: seen, contrary: 0 } : { state: standing.state, contrary };
}
