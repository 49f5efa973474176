import type { MeshDocument } from '../../config/document.js';
import { isolationSchema } from '../../config/sections/isolation.js';
import { loadbalanceSchema } from '../../config/sections/loadbalance.js';
import { markedRetrySchema, type MarkedRetry } from '../../config/sections/marked-retry.js';
import type { RetrySettings } from '../../config/sections/retry.js';
import { DEFAULT_DEADLINE_OPTIONS, deadlineSchema, type DeadlineOptions } from './deadline-options.js';
import { DEFAULT_RETRY_SETTINGS } from '../retry/retry-policy.js';
import type { RetryRule } from '../retry/retry-rule.js';
import { transportFailures } from '../transport-failures.js';

/** Milliseconds that an outbound call has when nothing is configured, as in go-chassis. */
export const DEFAULT_TIMEOUT_MS = 30_000;

/** Stands for no bound where one could be set: longer than anything waits, and a finite number, unlike what nobody has set. */
export const UNBOUNDED_MS = 2 ** 42;

/** How long calls may take. */
export interface CallTimeout {
  /** {@link UNBOUNDED_MS} when it is switched off, Infinity when there is none. */
  readonly ms: number;
  /** Somebody has set it; else it is the default. */
  readonly isSet: boolean;
}

interface TimeoutKeys {
  readonly timeoutInMilliseconds?: number | undefined;
  readonly timeout: { readonly enabled?: boolean | undefined };
}

interface SideTimeouts extends TimeoutKeys {
  readonly services: ReadonlyMap<string, TimeoutKeys>;
}

/** What the configuration says about attempts and their time. */
export interface ExecutorSettings {
  readonly retries: RetrySettings;
  retriesOf(service: string): RetrySettings | undefined;
  readonly retriesByMark: ReadonlyMap<string, RetryRule>;
  /** What `servicecomb.transport.failure` calls failures: statuses and classes (`5xx`) that are worth another attempt, too. */
  readonly failureStatuses: readonly string[];
  timeoutOf(service: string): CallTimeout;
  /** The time of inbound calls of the local service. */
  inboundTimeoutOf(service: string): CallTimeout;
  readonly deadline: DeadlineOptions;
}

/** What holds when nothing is configured. */
export const DEFAULT_EXECUTOR_SETTINGS: ExecutorSettings = {
  retries: DEFAULT_RETRY_SETTINGS,
  retriesOf: () => undefined,
  retriesByMark: new Map(),
  failureStatuses: [],
  timeoutOf: () => ({ ms: DEFAULT_TIMEOUT_MS, isSet: false }),
  inboundTimeoutOf: () => ({ ms: Infinity, isSet: false }),
  deadline: DEFAULT_DEADLINE_OPTIONS,
};

/** Reads them out of the configuration in effect. */
export function executorSettings(document: MeshDocument): ExecutorSettings {
  const loadbalance = document.section('cse.loadbalance', loadbalanceSchema);
  const isolation = document.section('cse.isolation', isolationSchema);
  const marked = document.section('servicecomb.retry', markedRetrySchema);
  return {
    retries: loadbalance,
    retriesOf: (service) => loadbalance.services.get(service),
    retriesByMark: new Map(Array.from(marked, ([name, policy]) => [policy.match ?? name, ruleOf(policy)])),
    failureStatuses: transportFailures(document).map((status) => status.toLowerCase().replace('http_', '')),
    timeoutOf: (service) => timeoutOf(isolation.Consumer, service, DEFAULT_TIMEOUT_MS),
    // The wire bounds the time until an answer begins for both sides; a bound of the application's own is for its owner to set.
    inboundTimeoutOf: (service) => timeoutOf(isolation.Provider, service, Infinity),
    deadline: document.section('mesher.deadline', deadlineSchema),
  };
}

function timeoutOf(side: SideTimeouts, service: string, fallback: number): CallTimeout {
  const own = side.services.get(service);
  const set = own?.timeoutInMilliseconds ?? side.timeoutInMilliseconds;
  const isOff = (own?.timeout.enabled ?? side.timeout.enabled) === false || set === 0;
  return { ms: isOff ? UNBOUNDED_MS : (set ?? fallback), isSet: isOff || set !== undefined };
}

/** java-chassis counts the attempts after the first one. */
function ruleOf(policy: MarkedRetry): RetryRule {
  const { maxAttempts, retryOnSame, retryOnResponseStatus, retryStrategy, waitDuration, initialInterval } = policy;
  const isFixed = retryStrategy === 'FixedInterval';
  return {
    maxAttempts: maxAttempts + 1,
    retryOnSame,
    retryOn: ['connect-failure', 'reset', ...retryOnResponseStatus.map(String)],
    backoff: isFixed
      ? { kind: 'constant', minMs: waitDuration, maxMs: waitDuration }
      : { kind: 'exponential', minMs: initialInterval, maxMs: LONGEST_RANDOM_BACKOFF * initialInterval },
  };
}

/** Longest wait of `RandomBackoff` in multiples of the first one, so that a long row of failures does not wait for hours. */
const LONGEST_RANDOM_BACKOFF = 10;
