import { s } from '../../config/schema/combinators.js';

/** Settings of a registry plugin about instances that are kept although they are no longer listed. */
export const KEPT_INSTANCE_FIELDS = {
  healthCheckGrace: s.duration({
    default: '10m',
    min: '1s',
    max: '24h',
    doc: 'With healthCheck, how long instances are kept that are no longer listed while they accept connections.',
    reason: 'as long as the protection of service-center itself lasts; later the address may belong to somebody else',
  }),
  probeInterval: s.duration({
    default: '5s',
    min: '10ms',
    max: '10m',
    doc: 'Time between two looks at instances that are kept although they are not listed.',
    reason: 'one that stops is left out soon, and few are looked at',
  }),
  probeTimeout: s.duration({
    default: '1s',
    min: '10ms',
    max: '1m',
    doc: 'How long such an instance may take to accept a connection.',
    reason: 'longer than a connect takes within a region',
  }),
};
