import { s } from '../schema/combinators.js';
import type { Infer } from '../schema/schema.js';

const policy = s.object({
  match: s.string({ doc: 'The mark of the calls that the bulkhead is for; its own name when left out.' }),
  maxConcurrentCalls: s.integer({
    min: 1,
    default: 1000,
    doc: 'How many marked calls of a service may be under way.',
    reason: 'as in java-chassis',
  }),
  maxWaitDuration: s.duration({
    bareUnit: 'ms',
    default: '0s',
    doc: 'How long a call may wait for its turn; as many may wait as may be under way.',
    reason: 'as in java-chassis',
  }),
});

/** One bulkhead by mark, as written. */
export type MarkedBulkheadValues = Infer<typeof policy>;

/**
 * How many marked calls may be under way. A policy is for the calls that carry the mark in its key `match`, or the mark of its own
 * name when it has no such key.
 */
export const markedBulkheadSchema = s.map(s.yaml(policy), {
  keyName: 'policy',
  doc: 'How many marked calls may be under way, per service that they go to.',
});
