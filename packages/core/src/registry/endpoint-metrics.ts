import type { PolicyMetrics } from '../telemetry/policy-metrics.js';
import { BARRED } from './availability.js';
import type { Endpoint } from './endpoint.js';
import type { ServicePlan } from './service-plan.js';

/** What keeps calls away from an endpoint, if anything; the weightiest reason where there are several. */
export type EndpointState = 'fit' | 'resting' | 'ejected' | 'breaker';

export function stateOf({ restingUntil, barred }: Endpoint): EndpointState {
  if (restingUntil !== 0) return 'resting';
  if (barred === 0) return 'fit';
  return (barred & BARRED.ejected) === 0 ? 'breaker' : 'ejected';
}

/** Lets a scrape count the endpoints of all services by their state. */
export function countEndpoints(metrics: PolicyMetrics, plans: () => readonly ServicePlan[]): void {
  metrics.gauge('endpoints', (report) => {
    for (const { service, endpoints } of plans()) {
      const counts = { fit: 0, resting: 0, ejected: 0, breaker: 0 };
      for (const endpoint of endpoints) counts[stateOf(endpoint)]++;
      for (const [state, count] of Object.entries(counts)) report([service, state], count);
    }
  });
  metrics.gauge('balancerPanic', (report) => {
    for (const plan of plans()) report([plan.service], plan.isPanicking ? 1 : 0);
  });
}
