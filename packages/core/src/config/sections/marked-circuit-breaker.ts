import { s } from '../schema/combinators.js';

/**
 * Circuit breakers of marked calls. A policy is for the calls that carry the mark in its key `match`, or the mark of its own name when it has no such key.
 */
export const markedCircuitBreakerSchema = s.map(
  s.free({
    doc: 'Circuit breakers of marked calls: failureRateThreshold, slowCallRateThreshold, slowCallDurationThreshold, minimumNumberOfCalls, slidingWindowSize, slidingWindowType, waitDurationInOpenState, permittedNumberOfCallsInHalfOpenState.',
  }),
  {
    keyName: 'policy',
    doc: 'Circuit breakers of marked calls.',
    notYet: 'breakers by mark will act on it',
  },
);
