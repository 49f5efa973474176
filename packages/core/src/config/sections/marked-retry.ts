import { s } from '../schema/combinators.js';

/**
 * Retries of marked calls. A policy is for the calls that carry the mark in its key `match`, or the mark of its own name when it has no such key.
 */
export const markedRetrySchema = s.map(
  s.free({ doc: 'Retries of marked calls: maxAttempts, retryOnSame, retryOnResponseStatus, waitDuration.' }),
  {
    keyName: 'policy',
    doc: 'Retries of marked calls.',
    notYet: 'retries by mark will act on it',
  },
);
