import { s } from '../schema/combinators.js';

/**
 * Limits for marked calls. A policy is for the calls that carry the mark in its key `match`, or the mark of its own name when it has no such key.
 */
export const markedRateLimitSchema = s.map(s.free({ doc: 'Limits for marked calls: match, rate, burst.' }), {
  keyName: 'policy',
  doc: 'Limits for marked calls.',
  notYet: 'limits by mark will act on it',
});
