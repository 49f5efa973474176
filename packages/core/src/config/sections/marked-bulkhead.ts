import { s } from '../schema/combinators.js';

/**
 * How many marked calls may be under way. A policy is for the calls that carry the mark in its key `match`, or the mark of its own name when it has no such key.
 */
export const markedBulkheadSchema = s.map(
  s.free({ doc: 'How many marked calls may be under way: maxConcurrentCalls, maxWaitDuration.' }),
  {
    keyName: 'policy',
    doc: 'How many marked calls may be under way.',
    notYet: 'bulkheads by mark will act on it',
  },
);
