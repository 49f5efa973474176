import { s } from '../config/schema/combinators.js';
import type { Infer } from '../config/schema/schema.js';

/** `mesher.routing`. */
export const routingSchema = s.object(
  {
    default: s.oneOf(['all', 'latest'], {
      default: 'all',
      doc: 'Which versions of a service take calls that no rule speaks of: all, or only the newest one (as in go-chassis).',
      reason: 'a new version that is registered should not take all traffic at once because nobody wrote a rule',
    }),
    whenEmpty: s.oneOf(['fail', 'any'], {
      default: 'fail',
      doc: 'What becomes of a call when no instance has the tags that a rule chose: an error that names them (MESH_ERR_NO_SUBSET), or any instance of the service in the same application.',
      reason: 'a rule that keeps versions apart is broken silently otherwise',
    }),
  },
  { doc: 'What applies where route rules say nothing.' },
);

export type RoutingOptions = Infer<typeof routingSchema>;
