import type { CallView, Outcome } from '../invocation.js';
import type { Ports } from '../ports/ports.js';
import type { Endpoint } from '../registry/endpoint.js';

/**
 * Chooses among a fixed set of endpoints; a change of the set makes a new balancer. Picking takes constant or logarithmic time and
 * allocates nothing.
 */
export interface LoadBalancer {
  /** @returns undefined only when there are no endpoints */
  pick(call: CallView): Endpoint | undefined;
  /** Told how a call to `endpoint` ended; the endpoint may have left the set meanwhile. */
  observe?(endpoint: Endpoint, outcome: Outcome): void;
}

/** Makes a balancer for a set of endpoints (each with a finite weight above 0). */
export type BalancerFactory = (endpoints: readonly Endpoint[], ports: Ports) => LoadBalancer;
