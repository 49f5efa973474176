import { s } from '../schema/combinators.js';
import type { Fields } from '../schema/object.js';
import { withServices, type OverridesOf, type SideOf } from './by-side.js';
import { RETRY_FIELDS } from './retry.js';

/** Characters of a cookie's name (RFC 6265, 4.1.1: a token). */
const COOKIE_NAME = { pattern: /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, expectation: 'the name of a cookie' } as const;

const STRATEGY = {
  strategy: s.object({
    name: s.string({
      default: 'RoundRobin',
      doc: 'RoundRobin, Random, WeightedResponse, SessionStickiness, LeastRequest, PeakEWMA, RingHash, Maglev, or one from a plugin.',
      reason: 'it is what go-chassis does',
    }),
  }),
  SessionStickinessRule: s.object({
    sessionTimeoutInSeconds: s.integer({
      default: 30,
      min: 0,
      max: 31_536_000,
      doc: 'How long a session stays with its instance after the last answer; 0: until the browser is closed.',
      reason: 'it is the default of go-chassis',
    }),
    successiveFailedTimes: s.integer({
      default: 5,
      min: 0,
      doc: 'Failures of an instance in a row after which its sessions move to others; 0: never.',
      reason: 'it is the default of go-chassis',
    }),
    cookieName: s.string({
      default: 'go-chassisLB',
      ...COOKIE_NAME,
      doc: 'Name of the cookie that names the instance.',
      reason: 'it is the name that go-chassis uses',
    }),
    secret: s.string({
      secret: true,
      doc: 'Key of the hash that names an instance in the cookie; the same for all sidecars. The name of the service when left out.',
      reason: 'who knows the key can find out by trial which address stands behind a cookie',
    }),
  }),
  hash: s.object(
    {
      header: s.string({ doc: 'Field of the request whose value chooses the instance.' }),
      cookie: s.string({ ...COOKIE_NAME, doc: 'Cookie whose value chooses the instance.' }),
      cookieTtl: s.duration({
        min: '0s',
        doc: 'A client without the cookie gets one that lives this long; 0s: until the browser is closed. None is given when left out.',
      }),
      query: s.string({ doc: 'Parameter of the query whose value chooses the instance.' }),
      path: s.boolean({ default: false, doc: 'The path without the query chooses the instance.' }),
      source: s.boolean({ default: false, doc: 'The address of the caller chooses the instance.' }),
    },
    {
      doc: 'For RingHash and Maglev: what of a call chooses the instance. The first in this order that the call has: header, cookie, query, path, source.',
    },
  ),
  latencyDecay: s.duration({
    default: '10s',
    min: '100ms',
    doc: 'For WeightedResponse and PeakEWMA: time after which an old duration counts a third.',
    reason: 'long enough to see through one slow call, short enough to forgive a pause within a minute',
  }),
} satisfies Fields;

const SHARES = {
  serverListFilters: s.list(s.oneOf(['zoneaware'], { ignoreCase: true }), {
    commaSeparated: true,
    doc: 'zoneaware: instances of the own zone first, then those of the own region, then all others.',
  }),
  overprovisioning: s.number({
    default: 140,
    min: 100,
    max: 1000,
    doc: 'Load in percent that the instances of a zone or priority are taken to bear: the next ones get calls when less than 100 / this of them are left.',
    reason: 'a zone that lost up to 28 % of its instances can do without help from others',
  }),
  panicThreshold: s.number({
    default: 50,
    min: 0,
    max: 100,
    doc: 'When fewer than this percentage of the instances take calls, ejections and open breakers are ignored; 0: never.',
    reason: 'when half of a service looks bad, the others would not bear its load, or what is bad is something else',
  }),
  slowStart: s.object({
    window: s.duration({
      default: '0s',
      doc: 'Time in which an instance that is new, or back, comes to its full share; 0s: at once.',
      reason: 'most services need no time; those that do say how much',
    }),
    minimumShare: s.number({
      default: 10,
      min: 1,
      max: 100,
      doc: 'Percentage of its share with which it begins.',
      reason: 'without any calls it would never get warm',
    }),
    aggression: s.number({
      default: 1,
      min: 0.1,
      max: 10,
      doc: 'How the share grows: 1 evenly; more: faster at first; less: slower at first.',
      reason: 'an even growth is what people expect',
    }),
  }),
} satisfies Fields;

const OUTLIER = s.object(
  {
    enabled: s.boolean({
      default: false,
      doc: 'Ejects instances whose answers are bad.',
      reason: 'a 5xx may be what the application means: who wants to lose an instance for it says so',
    }),
    consecutive5xx: s.integer({
      default: 5,
      min: 0,
      doc: 'Ejects after this many answers 5xx, or none, in a row; 0: never.',
      reason: 'five in a row are no accident',
    }),
    consecutiveGatewayErrors: s.integer({
      default: 5,
      min: 0,
      doc: 'Ejects after this many answers 502, 503 or 504, or none, in a row; 0: never.',
      reason: 'as for 5xx; set it lower where other 5xx say nothing about the instance',
    }),
    successRate: s.object({
      minHosts: s.integer({
        default: 5,
        min: 2,
        doc: 'Success rates are compared when at least so many instances had enough calls.',
        reason: 'a deviation among fewer means nothing',
      }),
      minRequests: s.integer({
        default: 100,
        min: 1,
        doc: 'Calls per interval that are enough.',
        reason: 'a rate out of fewer calls is chance',
      }),
      stdevFactor: s.number({
        default: 1.9,
        min: 0,
        doc: 'Ejects whose success rate is more than this many standard deviations below the average; 0: never.',
        reason: 'about the worst 3 % of a normal distribution',
      }),
    }),
    interval: s.duration({
      default: '10s',
      min: '100ms',
      doc: 'Time between two looks at success rates, and at who may return.',
      reason: 'often enough for an ejection of half a minute',
    }),
    baseEjectionTime: s.duration({
      default: '30s',
      min: '1ms',
      doc: 'Length of the first ejection; the n-th in a row is n times as long.',
      reason: 'time for a restart',
    }),
    maxEjectionTime: s.duration({
      default: '5m',
      min: '1ms',
      doc: 'Longest ejection.',
      reason: 'who is well again should not wait for much longer than people watch',
    }),
    maxEjectionPercent: s.number({
      default: 10,
      min: 0,
      max: 100,
      doc: 'Largest share of the instances that is ejected at a time; one may always be, unless this is 0.',
      reason: 'when more are bad, the fault is rarely theirs',
    }),
  },
  { doc: 'Which instances get no calls for a while because of their answers.' },
);

const FIELDS = { ...STRATEGY, ...SHARES, outlier: OUTLIER, ...RETRY_FIELDS };

export const loadbalanceSchema = withServices(FIELDS, {
  doc: 'How an instance is chosen, and when a call is tried again. A service inherits each key it does not set.',
});

export type LoadbalanceSection = SideOf<typeof FIELDS>;
/** The block of one service. */
export type LoadbalanceBlock = OverridesOf<typeof FIELDS>;
