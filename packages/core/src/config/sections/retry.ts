import { GRPC_METHOD } from '../../grpc/grpc-methods.js';
import { GRPC_STATUS_NAMES } from '../../grpc/status.js';
import { s } from '../schema/combinators.js';
import type { Fields } from '../schema/object.js';
import type { Schema } from '../schema/schema.js';
import type { OverridesOf } from './by-side.js';

/** Names of what is worth another attempt; statuses (`503`) may stand beside them. */
export const RETRY_CONDITIONS = [
  'connect-failure',
  'refused-stream',
  'reset',
  'timeout',
  'gateway-error',
  '5xx',
  'retriable-4xx',
] as const;

export type RetryCondition = (typeof RETRY_CONDITIONS)[number];

export const BACKOFF_KINDS = ['exponential', 'constant', 'zero', 'jittered'] as const;

export type BackoffKind = (typeof BACKOFF_KINDS)[number];

/** gRPC statuses as `retryOn` has them: `unavailable`, `deadline-exceeded`. OK is nothing to repeat. */
const GRPC_CONDITIONS = GRPC_STATUS_NAMES.slice(1).map((name) => name.toLowerCase().replaceAll('_', '-'));

/** Besides those the spelling of the protocol (`DEADLINE_EXCEEDED`), and numbers. */
const CONDITION = new RegExp(
  `^(?:${RETRY_CONDITIONS.join('|')}|[45]\\d\\d|[1-9]|1[0-6]|${[...GRPC_CONDITIONS, ...GRPC_STATUS_NAMES.slice(1)].join('|')})$`,
);

/** A list of conditions and statuses, as `retryOn` has one wherever retries can be set. */
export function retryOnList(notes: {
  readonly doc: string;
  readonly default?: readonly string[];
  readonly reason?: string;
}): Schema<readonly string[] | undefined> {
  const condition = s.string({
    pattern: CONDITION,
    expectation: `one of ${RETRY_CONDITIONS.join(', ')}, a status from 400 to 599, or a gRPC status such as unavailable or 14`,
  });
  return s.list(condition, { commaSeparated: true, ...notes });
}

/** Keys of `cse.loadbalance` that say when a call is tried again. */
export const RETRY_FIELDS = {
  retryEnabled: s.boolean({
    doc: 'Tries a failed call again as retryOn, retryOnSame and retryOnNext say. Without it only what is safe is repeated (safeAttempts).',
    default: false,
    reason: 'as in go-chassis; only its owner knows whether a service bears repeated calls',
  }),
  retryOnSame: s.integer({
    min: 0,
    max: 100,
    doc: 'Further attempts at an instance before another one is tried.',
    default: 0,
    reason: 'another instance is more likely to be well',
  }),
  retryOnNext: s.integer({
    min: 0,
    max: 100,
    doc: 'Further instances to try.',
    default: 0,
    reason: 'as in go-chassis',
  }),
  retryOn: retryOnList({
    doc: 'What is worth another attempt: connect-failure, refused-stream, reset, timeout (of one attempt), gateway-error (502, 503, 504), 5xx, retriable-4xx (409), or statuses, also of gRPC: unavailable, deadline-exceeded, 14. Statuses of HTTP stand for those of gRPC that mean the same.',
    default: ['connect-failure', 'reset', 'timeout', 'gateway-error'],
    reason: 'what another instance may do better; 500 is more often a mistake that any instance would make',
  }),
  retryMethods: s.oneOf(['idempotent', 'all'], {
    doc: 'Which methods are sent again after they may have been executed: idempotent ones (RFC 9110, 9.2.2), or all.',
    default: 'idempotent',
    reason: 'an order that is placed twice is worse than an error',
  }),
  idempotentGrpcMethods: s.list(
    s.string({ pattern: GRPC_METHOD, expectation: 'a method such as package.Service/Method or package.Service/*' }),
    {
      commaSeparated: true,
      doc: 'gRPC methods that may be executed twice without harm: package.Service/Method, or package.Service/* for all of a service.',
      default: [],
      reason: 'all gRPC calls are POST requests, so that only their owner knows',
    },
  ),
  perTryTimeoutMs: s.integer({
    min: 0,
    doc: 'Milliseconds that one attempt has until its answer begins, for requests that may be sent again; 0 for as long as the call has.',
    default: 0,
    reason: 'only its owner knows how long a service takes',
  }),
  backoff: s.object(
    {
      kind: s.oneOf(BACKOFF_KINDS, {
        ignoreCase: true,
        doc: 'How waits before another attempt grow: exponential (half as long again each time, +-50 %), jittered (drawn between minMs and a bound that doubles), constant (minMs), zero.',
        default: 'exponential',
        reason: 'a service in trouble gets time, and callers do not come back together',
      }),
      minMs: s.integer({
        min: 0,
        max: 60_000,
        doc: 'First wait in milliseconds.',
        default: 25,
        reason: 'a restart of a pool or a short pause of a garbage collector is over by then',
      }),
      maxMs: s.integer({
        min: 0,
        max: 600_000,
        doc: 'Longest wait in milliseconds; ten times minMs when left out.',
      }),
      maxRetryAfterMs: s.integer({
        min: 0,
        max: 600_000,
        doc: 'Longest retry-after of an answer that is waited for; one that asks for more is passed on at once.',
        default: 1_000,
        reason: 'a caller that waits longer would rather know',
      }),
    },
    {
      // In the block of a service either may be missing; a comparison with what is missing is false.
      check: ({ minMs, maxMs }) => (maxMs !== undefined && maxMs < minMs ? 'maxMs is less than minMs' : undefined),
    },
  ),
  retryBudget: s.object({
    percent: s.number({
      min: 0,
      max: 100,
      doc: 'Repeated calls in the last 10 s, in percent of all calls of the service in that time.',
      default: 20,
      reason: 'retries may not multiply the load of a service that is in trouble',
    }),
    minPerSecond: s.number({
      min: 0,
      max: 100_000,
      doc: 'Repeated calls per second that are always allowed, on average over 10 s.',
      default: 10,
      reason: 'a service that is rarely called has retries, too',
    }),
  }),
  safeAttempts: s.integer({
    min: 1,
    max: 10,
    doc: 'Most attempts of one call, the first included, for failures that are safe to repeat: no connection could be made, or it died before an answer to an idempotent request. Also without retryEnabled.',
    default: 3,
    reason: 'two instances may die together; a third failure says more about the service than about an instance',
  }),
  connectRest: s.object({
    min: s.duration({
      doc: 'How long an instance is passed over after a failed connect; doubled with each further one.',
      default: '100ms',
      reason: 'a process that restarts is back within a second',
    }),
    max: s.duration({
      doc: 'Longest such rest.',
      default: '10s',
      reason: 'an instance that comes back should not wait long for calls',
    }),
  }),
  hedging: s.object({
    enabled: s.boolean({
      doc: 'Sends an idempotent request to a second instance when the first one takes long, and takes the answer that begins first.',
      default: false,
      reason: 'it costs additional calls, which only some services can bear',
    }),
    delayMs: s.integer({
      min: 1,
      doc: 'Milliseconds without an answer after which a second attempt begins.',
      default: 100,
      reason: 'longer than most answers take; best set to the 95th percentile of the service',
    }),
    maxHedges: s.integer({
      min: 1,
      max: 5,
      doc: 'Additional attempts per call. They count against the retry budget.',
      default: 1,
      reason: 'a second one beside the first gains most of what there is to gain',
    }),
  }),
} satisfies Fields;

/** The values of {@link RETRY_FIELDS}, at the level of all services or of one: any may be missing. */
export type RetrySettings = OverridesOf<typeof RETRY_FIELDS>;
