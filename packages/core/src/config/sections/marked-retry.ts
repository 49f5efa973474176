import { s } from '../schema/combinators.js';
import type { Infer } from '../schema/schema.js';

const policy = s.object({
  match: s.string({ doc: 'Mark of the calls it is for; its own name when left out.' }),
  maxAttempts: s.integer({
    default: 3,
    min: 1,
    max: 100,
    doc: 'Attempts after the first one.',
    reason: 'the default of java-chassis, which does not count the first one either',
  }),
  retryOnSame: s.integer({
    default: 0,
    min: 0,
    max: 100,
    doc: 'How many of them may go to the instance that has failed.',
    reason: 'another instance is more likely to be well',
  }),
  retryOnResponseStatus: s.list(s.integer({ min: 100, max: 599, doc: 'Status.' }), {
    commaSeparated: true,
    default: [502, 503],
    doc: 'Statuses that are worth another attempt, besides failed connections.',
    reason: 'the default of java-chassis',
  }),
  retryStrategy: s.oneOf(['FixedInterval', 'RandomBackoff'], {
    default: 'FixedInterval',
    ignoreCase: true,
    doc: 'FixedInterval waits waitDuration; RandomBackoff begins with initialInterval and doubles it, +-50 %.',
    reason: 'the default of java-chassis',
  }),
  waitDuration: s.duration({
    default: '10ms',
    bareUnit: 'ms',
    doc: 'Wait before another attempt; a bare number means milliseconds.',
    reason: 'the default of java-chassis',
  }),
  initialInterval: s.duration({
    default: '1s',
    bareUnit: 'ms',
    doc: 'First wait of RandomBackoff; a bare number means milliseconds.',
    reason: 'the default of java-chassis',
  }),
  multiplier: s.number({ doc: 'Growth of RandomBackoff.', obsolete: 'waits grow by half of themselves' }),
  randomizationFactor: s.number({ doc: 'Spread of RandomBackoff.', obsolete: 'it is always 0.5' }),
  failAfterMaxAttempts: s.boolean({
    doc: 'Fails instead of passing on the last answer.',
    obsolete: 'the last answer is always passed on',
  }),
});

/**
 * Retries of marked calls. A policy is for the calls that carry the mark in its key `match`, or the mark of its own name when it has no such key.
 */
export const markedRetrySchema = s.map(s.yaml(policy), { keyName: 'policy', doc: 'Retries of marked calls.' });

/** One policy of `servicecomb.retry`. */
export type MarkedRetry = Infer<typeof policy>;
