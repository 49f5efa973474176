import { s } from '../schema/combinators.js';

/**
 * Faults injected into marked calls. A policy is for the calls that carry the mark in its key `match`, or the mark of its own name when it has no such key.
 */
export const markedFaultSchema = s.map(
  s.free({ doc: 'Faults injected into marked calls: type, percentage, delayTime, errorCode.' }),
  {
    keyName: 'policy',
    doc: 'Faults injected into marked calls.',
    notYet: 'faults by mark will act on it',
  },
);
