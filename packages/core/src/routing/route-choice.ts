import type { RetryRule } from '../resilience/retry/retry-rule.js';

/** What a route rule says about a call, compiled ahead: nothing is allocated when it is chosen. */
export interface RouteChoice {
  /** Which rule and which of its routes, for people: `routeRule.world[0] -> version=v2`. */
  readonly name: string;
  /** Overrides `cse.isolation` for the calls of this route, in milliseconds. */
  readonly timeoutMs: number | undefined;
  /** Overrides `cse.loadbalance` for the calls of this route. */
  readonly retry: RetryRule | undefined;
}
