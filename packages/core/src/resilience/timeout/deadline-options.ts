import { s } from '../../config/schema/combinators.js';
import { schemaDefaults } from '../../config/schema/defaults.js';
import type { Infer } from '../../config/schema/schema.js';

/** `mesher.deadline`: whether the time that a caller has left is passed on and obeyed. */
export const deadlineSchema = s.object(
  {
    propagate: s.boolean({
      default: true,
      doc: 'Whether requests carry x-mesher-timeout-ms, the milliseconds that are left, when a timeout is set for the service or route or the request came with one.',
      reason: 'a called service that knows when its caller gives up can do so, too',
    }),
    honour: s.oneOf(['trust', 'strip', 'off'], {
      default: 'trust',
      doc: 'What becomes of x-mesher-timeout-ms, and of grpc-timeout of gRPC, in a request: trust (it can only shorten the time of its own call), strip (ignored and not passed on), off (ignored and passed on).',
      reason:
        'work for a caller that has given up is wasted; where an application passes on what strangers send, strip it at the edge, since timeouts of calls count against the called service',
    }),
    grpcTimeout: s.oneOf(['remaining', 'shorten'], {
      default: 'remaining',
      doc: 'What grpc-timeout says to the called service: remaining (what is left of the time that the caller gave; none if it gave none), or shorten (also the timeouts that are set here, whichever is shorter).',
      reason:
        'grpc-timeout bounds a call to its last byte, while timeouts here end with the beginning of the answer: put into it they would cut streams',
    }),
  },
  { doc: 'How the time that a call has left is passed on.' },
);

export type DeadlineOptions = Infer<typeof deadlineSchema>;

export const DEFAULT_DEADLINE_OPTIONS: DeadlineOptions = schemaDefaults(deadlineSchema);
