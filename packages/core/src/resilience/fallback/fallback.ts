import type { Rejection } from '../../errors.js';
import type { CallView } from '../../invocation.js';

/** What answers in place of a call that was not let through, or failed. */
export interface Fallback {
  /**
   * @param reason what the caller would get otherwise
   * @returns a `DirectAnswer`, another rejection, or `reason` itself to leave it at that
   */
  answer(call: CallView, reason: Rejection): Rejection;
}
