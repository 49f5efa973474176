import { s } from '../schema/combinators.js';
import type { Fields } from '../schema/object.js';

/** Keys of `cse.loadbalance`, global and per service, that say when a call is tried again. */
export const RETRY_FIELDS = {
  retryEnabled: s.boolean({ doc: 'Tries a failed call again.' }),
  retryOnSame: s.integer({ min: 0, doc: 'Further attempts on the same instance.' }),
  retryOnNext: s.integer({ min: 0, doc: 'Further instances to try.' }),
  backoff: s.object({
    kind: s.oneOf(['exponential', 'constant', 'zero', 'jittered'], { doc: 'How the waits between attempts grow.' }),
    minMs: s.integer({ min: 0, doc: 'Shortest wait in milliseconds.' }),
    maxMs: s.integer({ min: 0, doc: 'Longest wait in milliseconds.' }),
  }),
} satisfies Fields;
