import type { Invocation, Outcome } from '../invocation.js';
import type { Ports } from '../ports/ports.js';
import type { Endpoint } from '../registry/endpoint.js';
import type { Gate } from './gate.js';

/**
 * Chooses among a fixed set of endpoints; a change of the set makes a new balancer. Picking takes constant or logarithmic time and
 * allocates nothing.
 */
export interface LoadBalancer {
  /**
   * @param tried endpoints that the call has been at; better another one. A balancer may leave that to whoever asks, who asks again.
   * @returns undefined only when there are no endpoints
   */
  pick(call: Invocation, tried?: readonly Endpoint[]): Endpoint | undefined;
  /** Told how an attempt at `endpoint` ended; the endpoint may have left the set meanwhile, or belong to another one. */
  observe?(endpoint: Endpoint, outcome: Outcome): void;
  /**
   * The probability of each endpoint of the set, in their order, to be picked for the call now. Changes nothing. Without it people
   * who ask are told that the strategy does not say.
   */
  shares?(call: Invocation): readonly number[];
}

/**
 * Makes a balancer for a set of endpoints (each with a finite weight above 0).
 * @param gate which of them take calls at present; only of interest to strategies that are made once for all of them
 */
export type BalancerFactory = (endpoints: readonly Endpoint[], ports: Ports, gate?: Gate) => LoadBalancer;
