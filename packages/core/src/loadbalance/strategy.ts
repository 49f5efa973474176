import type { Invocation, Outcome } from '../invocation.js';
import type { Endpoint } from '../registry/endpoint.js';
import type { BalancerFactory } from './load-balancer.js';

/** A way to choose, with its settings. */
export interface Strategy {
  /** As it is written in the configuration. */
  readonly name: string;
  readonly factory: BalancerFactory;
  /**
   * Its balancers pass over endpoints that the gate does not let through by themselves, so that one balancer serves for as long as
   * the set of endpoints stays; others are made again of those that take calls.
   */
  readonly passesOver: boolean;
  /** It, or its balancers, want to know how attempts end. */
  readonly listens: boolean;
  /** New endpoints come to their share little by little. Not where the share is a set of keys, which would move twice. */
  readonly warmsUp: boolean;
  /**
   * Who gets the calls that an endpoint leaves which warms up: the strategy itself, asked again, when left out. In an order of turns all of them
   * would go to the neighbour.
   */
  readonly leftTo?: BalancerFactory;
  /** Where the call stands between 0 and 1, for the choice among zones and priorities: by chance when left out. */
  place?(call: Invocation): number;
  /** Keeps in the endpoint what the strategy wants to know of it. Attempts that Mesher itself refused are not told. */
  learn?(endpoint: Endpoint, outcome: Outcome, now: number): void;
}
