import { GRPC_STATUS_NAMES } from '../../grpc/status.js';
import { s } from '../schema/combinators.js';
import type { Infer } from '../schema/schema.js';
import { bySide, type SideOf } from './by-side.js';

const GRPC_NAMES = GRPC_STATUS_NAMES.slice(1).flatMap((name) => [name, name.replaceAll('_', '-')]);

/** `503`, `5xx`, and as go-chassis writes it `http_503`; gRPC statuses by name or number: `unavailable`, `grpc_14`. */
export const FAILURE_STATUS = new RegExp(
  `^(?:(?:http_)?[1-5](?:\\d\\d|xx)|(?:grpc_)?(?:[1-9]|1[0-6]|${GRPC_NAMES.join('|')}))$`,
  'i',
);

const FIELDS = {
  enabled: s.boolean({
    default: false,
    doc: 'Whether the breaker opens by itself.',
    reason:
      'as in go-chassis: what counts as too many failures is for whoever knows the service, and a breaker that opens by mistake is an outage',
  }),
  forceOpen: s.boolean({ default: false, doc: 'Lets no call through, whether enabled or not; before forceClosed.' }),
  forceClosed: s.boolean({ default: false, doc: 'Lets every call through, whatever was counted.' }),
  sleepWindowInMilliseconds: s.integer({
    min: 0,
    default: 15_000,
    doc: 'How long the breaker stays open before probes are let through.',
    reason: 'as in go-chassis',
  }),
  sleepWindowJitterPercentage: s.number({
    min: 0,
    max: 100,
    default: 10,
    doc: 'Largest share of the sleep window that is added to it at random.',
    reason: 'callers that opened together should not probe together',
  }),
  requestVolumeThreshold: s.integer({
    min: 0,
    default: 20,
    doc: 'Calls in the window below which the breaker does not open.',
    reason: 'as in go-chassis: a share of a few calls says nothing',
  }),
  errorThresholdPercentage: s.number({
    min: 0,
    max: 100,
    default: 50,
    doc: 'Share of failures in the window, rounded to whole percent, at which the breaker opens.',
    reason: 'as in go-chassis',
  }),
  windowInMilliseconds: s.integer({
    min: 100,
    default: 10_000,
    doc: 'Length of the window over which calls are counted.',
    reason: 'as in go-chassis, where it is fixed',
  }),
  windowBuckets: s.integer({
    min: 1,
    max: 60,
    default: 10,
    doc: 'Parts of the window; the oldest part is forgotten at once.',
    reason: 'a tenth of the window is forgotten at a time; each part takes 12 bytes per breaker',
  }),
  halfOpenProbes: s.integer({
    min: 1,
    max: 1000,
    default: 3,
    doc: 'Calls that may be under way as probes at once, after the sleep window.',
    reason: 'one call (go-chassis) decides by chance; a service that is still ill gets no more than a few',
  }),
  halfOpenSuccesses: s.integer({
    min: 1,
    max: 1000,
    default: 2,
    doc: 'Probes that must succeed for the breaker to close; it opens again once so many have failed that the rest would not do.',
    reason: 'one failure among three is no reason for another sleep window',
  }),
  probeTimeoutInMilliseconds: s.integer({
    min: 1,
    default: 30_000,
    doc: 'After this time the place of a probe that has not ended is given to another call.',
    reason: 'a call that never ends must not keep the breaker from closing; as long as calls may take by default',
  }),
  slowCallDurationInMilliseconds: s.integer({
    min: 0,
    default: 0,
    doc: 'Calls that take longer are slow; 0 counts no call as slow.',
    reason: 'how slow is too slow only the user knows',
  }),
  slowCallThresholdPercentage: s.number({
    min: 0,
    max: 100,
    default: 100,
    doc: 'Share of slow calls in the window at which the breaker opens.',
    reason: 'without a duration no call is slow; with one, a service that is slow for everybody is down',
  }),
  failureStatuses: s.list(
    s.string({
      pattern: FAILURE_STATUS,
      expectation: 'a status such as 503, http_503 or 5xx, or of gRPC such as unavailable',
    }),
    {
      commaSeparated: true,
      default: ['5xx'],
      doc: 'Statuses of answers that count as failures, besides those in servicecomb.transport.failure; also of gRPC: resource-exhausted, 8. Statuses of HTTP stand for those of gRPC that mean the same: 5xx for unknown, deadline-exceeded, internal, unavailable, data-loss.',
      reason:
        'a service that answers every call with 500 is down; go-chassis counts what transport.failure names alone',
    },
  ),
  apiTemplates: s.list(s.string({ pattern: /^\//, expectation: "a path that starts with '/', such as /users/{id}" }), {
    default: [],
    doc: 'Paths that are one API each, for the scopes with api: /users/{name}/orders. Segments in braces stand for anything.',
    reason: 'numbers, UUIDs and long hexadecimal ids are recognised without it',
  }),
  maxApis: s.integer({
    min: 1,
    max: 100_000,
    default: 100,
    doc: 'APIs of a service that have a breaker of their own, for the scopes with api; the rest share one.',
    reason:
      'paths come from callers: without a bound they would fill the memory; the templates given in apiTemplates come first',
  }),
  idleTimeoutInMilliseconds: s.integer({
    min: 1000,
    default: 600_000,
    doc: 'After this time without a call a breaker of an API or an instance may be forgotten.',
    reason: 'long enough for what was counted to be worthless',
  }),
};

/** What holds for one service, in one direction. */
export type CircuitBreakerValues = { readonly [K in keyof typeof FIELDS]: Infer<(typeof FIELDS)[K]> };
export type CircuitBreakerSide = SideOf<typeof FIELDS>;

/** What one breaker stands for. */
export const BREAKER_SCOPES = ['service', 'instance', 'api', 'instance-api'] as const;
export type BreakerScope = (typeof BREAKER_SCOPES)[number];

export const circuitBreakerSchema = s.object(
  {
    scope: s.oneOf(BREAKER_SCOPES, {
      default: 'api',
      doc: 'What one breaker stands for: a service, an API of it (method and path template), an instance, or an API of an instance.',
      reason: 'as in go-chassis: one broken API does not take the others with it',
    }),
    ...bySide(FIELDS),
  },
  { doc: 'When calls are no longer let through, because too many failed.' },
);
