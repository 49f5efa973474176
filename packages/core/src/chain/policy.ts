import type { Rejection } from '../errors.js';
import type { Invocation, Outcome } from '../invocation.js';

/**
 * A policy sees a call before it is sent and after it ended. `before` answers at once; a policy that must wait returns a promise,
 * which parks the exchange. `after` runs in reverse order, for exactly those policies whose `before` let the call pass.
 */
export interface Policy {
  readonly name: string;
  before?(call: Invocation): Rejection | void | Promise<Rejection | void>;
  after?(call: Invocation, outcome: Outcome): void;
}
