import { s } from '../schema/combinators.js';
import type { Infer } from '../schema/schema.js';
import { FAILURE_STATUS } from './circuit-breaker.js';

/** A window of calls takes a byte for each, for every service that marked calls go to. */
const MOST_CALLS = 100_000;

const FIELDS = {
  match: s.string({ doc: 'The mark of the calls that the breaker is for; its own name when left out.' }),
  failureRateThreshold: s.number({
    min: 0,
    max: 100,
    default: 50,
    doc: 'Percent of failures at which the breaker opens.',
    reason: 'as in java-chassis',
  }),
  slowCallRateThreshold: s.number({
    min: 0,
    max: 100,
    default: 100,
    doc: 'Percent of slow calls at which the breaker opens.',
    reason: 'as in java-chassis',
  }),
  slowCallDurationThreshold: s.duration({
    bareUnit: 'ms',
    default: '60s',
    doc: 'Calls that take longer are slow.',
    reason: 'as in java-chassis',
  }),
  minimumNumberOfCalls: s.integer({
    min: 1,
    default: 100,
    doc: 'Calls in the window below which the breaker does not open.',
    reason: 'as in java-chassis',
  }),
  slidingWindowType: s.oneOf(['count', 'time'], {
    ignoreCase: true,
    default: 'count',
    doc: 'What slidingWindowSize is: a number of calls, or a time.',
    reason: 'as in java-chassis',
  }),
  slidingWindowSize: s.string({
    pattern: /^\d+(\.\d+)?(ms|s|m)?$/i,
    expectation: 'a number of calls, or a time such as 10s (a bare number means seconds)',
    default: '100',
    doc: 'Length of the window.',
    reason: 'as in java-chassis',
  }),
  waitDurationInOpenState: s.duration({
    bareUnit: 'ms',
    default: '60s',
    doc: 'How long the breaker stays open before probes are let through.',
    reason: 'as in java-chassis',
  }),
  permittedNumberOfCallsInHalfOpenState: s.integer({
    min: 1,
    max: 1000,
    default: 10,
    doc: 'Probes; the breaker closes when fewer of them fail than failureRateThreshold says.',
    reason: 'as in java-chassis',
  }),
  recordFailureStatus: s.list(
    s.string({ pattern: FAILURE_STATUS, expectation: 'a status such as 503, http_503 or 5xx' }),
    {
      commaSeparated: true,
      default: ['5xx'],
      doc: 'Statuses of answers that count as failures.',
      reason: 'the same as for cse.circuitBreaker; java-chassis counts 502 and 503 alone',
    },
  ),
  forceOpen: s.boolean({ default: false, doc: 'Lets no marked call through.' }),
  forceClosed: s.boolean({ default: false, doc: 'Lets every marked call through.' }),
};

const policy = s.object(FIELDS, {
  check: ({ slidingWindowType, slidingWindowSize }) =>
    slidingWindowType === 'count' && Number.parseFloat(slidingWindowSize) > MOST_CALLS
      ? `slidingWindowSize is more than ${MOST_CALLS} calls`
      : undefined,
});

/** One breaker by mark, as written. */
export type MarkedBreakerValues = Infer<typeof policy>;

/**
 * Circuit breakers of marked calls. A policy is for the calls that carry the mark in its key `match`, or the mark of its own name
 * when it has no such key.
 */
export const markedCircuitBreakerSchema = s.map(s.yaml(policy), {
  keyName: 'policy',
  doc: 'Circuit breakers of marked calls, one per service that they go to.',
});
