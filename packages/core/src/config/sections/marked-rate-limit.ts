import { s } from '../schema/combinators.js';
import type { Infer } from '../schema/schema.js';

const policy = s.object({
  match: s.string({ doc: 'Mark of the calls it is for; its own name when left out, `none` for calls without a mark.' }),
  rate: s.number({
    default: 1000,
    doc: 'Calls per limitRefreshPeriod; 0 lets none through.',
    reason: 'the default of java-chassis',
  }),
  burst: s.number({
    min: 1,
    doc: 'Calls that may come at once after a pause; as many as the rate when left out, as in java-chassis.',
  }),
  limitRefreshPeriod: s.duration({
    default: '1s',
    min: '1ms',
    bareUnit: 'ms',
    doc: 'The period that the rate is for; a bare number means milliseconds.',
    reason: 'the default of java-chassis',
  }),
  shared: s.string({
    doc: 'Name of a shared-limiter plugin (redis): all sidecars of this service count together.',
  }),
  timeoutDuration: s.duration({
    bareUnit: 'ms',
    doc: 'How long a call waits for its turn.',
    obsolete: 'a call that is too many is rejected at once',
  }),
  name: s.string({ doc: 'A name for people; java-chassis has it.' }),
});

/**
 * Limits for marked calls. A policy is for the calls that carry the mark in its key `match`, or the mark of its own name when it has no such key.
 */
export const markedRateLimitSchema = s.map(s.yaml(policy), { keyName: 'policy', doc: 'Limits for marked calls.' });

/** One policy of `servicecomb.rateLimiting`. */
export type MarkedRateLimit = Infer<typeof policy>;
