import { s } from '../config/schema/combinators.js';
import type { Infer } from '../config/schema/schema.js';

/** `mesher.attempts`: when a call that failed on the way is sent again. */
export const attemptSchema = s.object(
  {
    maxAttempts: s.integer({
      default: 3,
      min: 1,
      max: 10,
      doc: 'Most attempts of one call, the first included, when a connection fails before an answer begins.',
      reason: 'two instances may die together; a third failure says more about the service than about an instance',
    }),
    minRest: s.duration({
      default: '100ms',
      doc: 'How long an endpoint is passed over after a failed connect; doubled with each further one.',
      reason: 'a process that restarts is back within a second',
    }),
    maxRest: s.duration({
      default: '10s',
      doc: 'Longest such rest.',
      reason: 'an instance that comes back should not wait long for calls',
    }),
  },
  { doc: 'When a call that failed on the way is sent again.' },
);

export type AttemptOptions = Infer<typeof attemptSchema>;

export const DEFAULT_ATTEMPT_OPTIONS: AttemptOptions = { maxAttempts: 3, minRest: 100, maxRest: 10_000 };
