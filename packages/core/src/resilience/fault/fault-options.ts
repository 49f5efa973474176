import { s } from '../../config/schema/combinators.js';

/** `mesher.faultInjection`: what holds for all injected faults. */
export const faultInjectionSchema = s.object(
  {
    maxDelayed: s.integer({
      default: 10_000,
      min: 0,
      doc: 'Calls that may be held back at once by injected delays; further ones go on at once.',
      reason: 'each is held in memory with its connection, some 10 KB',
    }),
  },
  { doc: 'What holds for all injected faults.' },
);
