import { s } from '../config/schema/combinators.js';
import type { Infer } from '../config/schema/schema.js';

/** `mesher.loopGuard`: when a request that goes in circles is stopped. */
export const loopSchema = s.object(
  {
    maxHops: s.integer({
      default: 64,
      min: 2,
      max: 1_000,
      doc: 'Most sidecars that a request may pass, outbound and inbound ones together, before it is taken for one that goes in circles.',
      reason:
        'counts only while applications pass the field x-mesher-hop on, and no sensible chain of calls is that long; a circle ends within milliseconds',
    }),
  },
  { doc: 'When a request that goes in circles is stopped.' },
);

export type LoopOptions = Infer<typeof loopSchema>;

export const DEFAULT_LOOP_OPTIONS: LoopOptions = { maxHops: 64 };
