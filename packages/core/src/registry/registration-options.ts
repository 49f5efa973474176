import { s } from '../config/schema/combinators.js';
import type { Infer } from '../config/schema/schema.js';

/** `mesher.registration`: how this instance registers and leaves. */
export const registrationSchema = s.object(
  {
    leaveTimeout: s.duration({
      default: '5s',
      min: '10ms',
      doc: 'How long leaving the registry may hold up a stop.',
      reason: 'a registry that does not answer now will drop the instance itself when its lease runs out',
    }),
  },
  { doc: 'How this instance registers and leaves.' },
);

export type RegistrationOptions = Infer<typeof registrationSchema>;

export const DEFAULT_REGISTRATION_OPTIONS: RegistrationOptions = { leaveTimeout: 5_000 };
