import { s } from '../../config/schema/combinators.js';
import type { Infer } from '../../config/schema/schema.js';

/** `mesher.egress`: calls to hosts outside the mesh. */
export const egressOptionsSchema = s.object(
  {
    policy: s.oneOf(['allow_any', 'registry_only'], {
      doc: 'What becomes of calls to hosts that are neither a registered service nor allowed by egressRule: allow_any sends names with a dot, and addresses, to where DNS leads; registry_only refuses them. registry_only when left out.',
      reason:
        'the original mesher answers hosts it does not know with an error, and a sidecar that calls anything it is told to is a way into the network',
    }),
    refresh: s.duration({
      default: '30s',
      min: '1s',
      doc: 'Age at which the addresses of a host are asked for again; calls go on with the old ones meanwhile.',
      reason: 'the usual lifetime of DNS records of services that move',
    }),
    lookupTimeout: s.duration({
      default: '5s',
      min: '10ms',
      doc: 'How long calls wait for DNS.',
      reason: 'the system resolver itself gives up on a name server after five seconds',
    }),
    maxHosts: s.integer({
      default: 1000,
      min: 1,
      doc: 'Most hosts and ports that are known at once; those that are not in use make room.',
      reason: 'with allow_any callers choose names freely, and these must not fill the memory',
    }),
    idleTtl: s.duration({
      default: '5m',
      min: '1s',
      doc: 'Time without a call after which a host is forgotten.',
      reason: 'only what is called should cost memory',
    }),
  },
  { doc: 'Calls to hosts outside the mesh.' },
);

export type EgressOptions = Infer<typeof egressOptionsSchema>;
