import { s } from '../../config/schema/combinators.js';
import type { Infer } from '../../config/schema/schema.js';

/** `mesher.rateLimit`: what holds for all rate limits. */
export const rateLimitSchema = s.object(
  {
    headers: s.oneOf(['always', 'rejected', 'off'], {
      default: 'rejected',
      doc: 'Which answers carry the fields ratelimit and ratelimit-policy: all that a limit was asked about, those of rejected calls, or none.',
      reason: 'a caller that was rejected needs them; on every answer they cost bytes and tell strangers what is left',
    }),
    maxKeys: s.integer({
      default: 1000,
      min: 1,
      doc: 'Services with a bucket of their own under a limit with scope each; all others share one more.',
      reason: 'the name of a calling service may come from a header that anybody can write; 1,000 buckets take 150 KB',
    }),
    shared: s.object(
      {
        leaseFor: s.duration({
          default: '100ms',
          max: '10s',
          bareUnit: 'ms',
          doc: 'How long calls may be let through from tokens fetched ahead. 0 asks the store about every call that is not known to be rejected.',
          reason:
            'ten questions per second and limit instead of one per call; at most a tenth of a second of the limit waits unused',
        }),
        timeout: s.duration({
          default: '100ms',
          min: '1ms',
          max: '10s',
          bareUnit: 'ms',
          doc: 'How long a call waits for the store.',
          reason: 'a store nearby answers in 1 ms; a slow one must not become the latency of every call',
        }),
        onFailure: s.oneOf(['local', 'failOpen', 'failClosed'], {
          default: 'local',
          doc: 'What decides while the store does not answer: a bucket of this sidecar alone, everything passes, or nothing does.',
          reason:
            'no limit at all lets an overload through, and rejecting everything makes the store a single point of failure',
        }),
        localShare: s.number({
          default: 1,
          min: 0.001,
          max: 1,
          doc: 'Share of the limit that the local bucket has: 1 / (number of sidecars) keeps the whole below the limit.',
          reason: 'how many sidecars there are is not known here',
        }),
        retryInterval: s.duration({
          default: '1s',
          min: '10ms',
          max: '1h',
          bareUnit: 'ms',
          doc: 'How long the store is left alone after it did not answer; then one question tries it, while calls go on without it.',
          reason: 'a store that is back is found within a second',
        }),
        maxWaiting: s.integer({
          default: 1000,
          min: 1,
          doc: 'Calls of one limit that may wait for the store at once; more are decided about as if it did not answer.',
          reason: 'they are held in memory with their connections',
        }),
      },
      { doc: 'Limits that several sidecars share.' },
    ),
  },
  { doc: 'What holds for all rate limits.' },
);

export type RateLimitOptions = Infer<typeof rateLimitSchema>;
export type SharedLimitOptions = RateLimitOptions['shared'];
