import { s } from '../schema/combinators.js';
import { bySide } from './by-side.js';

const circuitBreaker = bySide({
  enabled: s.boolean({ doc: 'Whether the breaker can open by itself.' }),
  forceOpen: s.boolean({ doc: 'Lets no call through.' }),
  forceClosed: s.boolean({ doc: 'Lets every call through.' }),
  sleepWindowInMilliseconds: s.integer({ min: 0, doc: 'How long the breaker stays open before a probe.' }),
  requestVolumeThreshold: s.integer({ min: 0, doc: 'Calls in the window below which the breaker does not open.' }),
  errorThresholdPercentage: s.number({ min: 0, max: 100, doc: 'Share of failures at which the breaker opens.' }),
});

export const circuitBreakerSchema = s.object(
  {
    scope: s.oneOf(['service', 'instance', 'api', 'instance-api'], { doc: 'What one breaker stands for.' }),
    ...circuitBreaker,
  },
  { doc: 'When calls are no longer let through.', notYet: 'breakers will act on it', section: 'cse.circuitBreaker' },
);
