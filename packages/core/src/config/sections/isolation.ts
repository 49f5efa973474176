import { s } from '../schema/combinators.js';
import type { Infer } from '../schema/schema.js';
import { bySide, type SideOf } from './by-side.js';

const ADAPTIVE = s.object(
  {
    enabled: s.boolean({
      default: false,
      doc: 'Finds the limit by itself, from how much longer calls take than at best.',
      reason: 'it fits services whose calls take similar time; streams and long polls look like overload to it',
    }),
    minLimit: s.integer({
      min: 1,
      default: 5,
      doc: 'The limit never falls below this.',
      reason: 'enough calls to go on measuring',
    }),
    maxLimit: s.integer({
      min: 1,
      default: 1000,
      doc: 'The limit never rises above this, nor above maxConcurrentRequests.',
      reason: 'the default of maxConcurrentRequests',
    }),
    initialLimit: s.integer({
      min: 1,
      default: 20,
      doc: 'The limit before anything is known.',
      reason: 'it doubles within seconds if the service can take more',
    }),
    tolerance: s.number({
      min: 1,
      default: 1.5,
      doc: 'How many times longer than at best calls may take before the limit falls.',
      reason: 'durations vary without any overload',
    }),
    sampleWindowInMilliseconds: s.integer({
      min: 10,
      default: 500,
      doc: 'How often the limit is set anew.',
      reason: 'long enough for an average, short enough for a service that breaks down',
    }),
    baselineWindowInMilliseconds: s.integer({
      min: 1000,
      default: 60_000,
      doc: 'How long the best duration is remembered, up to twice this time.',
      reason: 'a service that has become slower for good is measured against itself after that',
    }),
  },
  {
    doc: 'A limit on concurrent calls that follows the service (gradient of durations).',
    check: ({ minLimit, maxLimit }) => (maxLimit < minLimit ? 'maxLimit is less than minLimit' : undefined),
  },
);

const FIELDS = {
  timeoutInMilliseconds: s.integer({
    min: 0,
    doc: 'Milliseconds until the answer to a call must have begun, all attempts and waits included; 0 for no bound. Consumer: 30000 when left out. Provider: none when left out.',
  }),
  maxConcurrentRequests: s.integer({
    min: 0,
    default: 1000,
    doc: 'How many calls of a service may be under way, HTTP and gRPC; 0 for any number. It changes live.',
    reason: 'as in go-chassis, which caps it at 5000: there is no cap here',
  }),
  maxQueue: s.integer({
    min: 0,
    default: 0,
    doc: 'How many calls may wait, first come, first served, when maxConcurrentRequests are under way; 0 refuses at once.',
    reason:
      'as in go-chassis: waiting calls make a slow service slower for everybody, and the caller can decide better',
  }),
  queueTimeoutMs: s.integer({
    min: 1,
    default: 1000,
    doc: 'How long a call may wait for its turn, in milliseconds.',
    reason: 'a caller that waits longer has usually given up',
  }),
  adaptive: ADAPTIVE,
  timeout: s.object({ enabled: s.boolean({ doc: 'Whether timeoutInMilliseconds applies; it does when left out.' }) }),
};

/** What holds for one service, in one direction. */
export type IsolationValues = { readonly [K in keyof typeof FIELDS]: Infer<(typeof FIELDS)[K]> };
export type AdaptiveValues = IsolationValues['adaptive'];
export type IsolationSide = SideOf<typeof FIELDS>;

export const isolationSchema = s.object(bySide(FIELDS), { doc: 'Timeouts and limits on concurrent calls.' });
