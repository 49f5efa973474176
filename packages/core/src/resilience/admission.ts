import type { Invocation, Outcome } from '../invocation.js';

/**
 * What a call holds while it is under way: a place in a bulkhead, a probe of a breaker. Given back, and told how the call ended,
 * exactly once. It is often one object for all calls of a service or an API, so that holding it costs no allocation.
 */
export interface Admission {
  ended(call: Invocation, outcome: Outcome): void;
}
