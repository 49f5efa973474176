import { RETRY_FIELDS, type RetrySettings } from '../../config/sections/retry.js';
import { schemaDefaults } from '../../config/schema/defaults.js';
import type { Schema } from '../../config/schema/schema.js';
import { s } from '../../config/schema/combinators.js';
import type { Invocation } from '../../invocation.js';
import { Backoff } from './backoff.js';
import { RetryConditions } from './retry-conditions.js';
import type { RetryBudgetOptions } from './retry-budget.js';
import type { RetryRule } from './retry-rule.js';

/** How long an instance is passed over after failed connects, in milliseconds. */
export interface ConnectRest {
  readonly min: number;
  readonly max: number;
}

/** When a second attempt is made beside the first one. */
export interface HedgingPolicy {
  readonly delayMs: number;
  readonly maxHedges: number;
}

/** When a call is tried again, compiled for one service, route or mark. */
export interface RetryPolicy {
  /** More than what is safe is tried again. */
  readonly isEnabled: boolean;
  /** Most attempts of one call, the first included. */
  readonly maxAttempts: number;
  /** The same for failures that are safe to repeat. */
  readonly safeAttempts: number;
  /** Attempts at one instance before another one is tried. */
  readonly triesPerInstance: number;
  /** Most instances that are tried. */
  readonly maxInstances: number;
  readonly conditions: RetryConditions;
  /** Methods that are not idempotent are sent again, too. */
  readonly anyMethod: boolean;
  /** Milliseconds that one attempt has; Infinity for as long as the call has. */
  readonly tryTimeoutMs: number;
  readonly backoff: Backoff;
}

/** Each of the settings with a value. */
type Complete<T> = { readonly [K in keyof T]-?: NonNullable<T[K]> };

/** All that `cse.loadbalance` says about the attempts of one service: its own keys, then the global ones. */
export interface AttemptSettings extends Omit<
  Complete<RetrySettings>,
  'backoff' | 'retryBudget' | 'connectRest' | 'hedging'
> {
  readonly backoff: { readonly rule: Backoff; readonly maxRetryAfterMs: number };
  readonly retryBudget: RetryBudgetOptions;
  readonly connectRest: ConnectRest;
  /** Statuses that are worth another attempt besides those of `retryOn`. */
  readonly failureStatuses: readonly string[];
  /** Undefined while it is off. */
  readonly hedging: HedgingPolicy | undefined;
}

/** `maxMs` is this many times `minMs` when it is left out. */
const MAX_BACKOFF_FACTOR = 10;

/** Attempts by a route or mark that says what to repeat and not how often. */
const MIN_RULE_ATTEMPTS = 2;

/** What holds when nothing is configured. */
export const DEFAULT_RETRY_SETTINGS: RetrySettings = schemaDefaults(s.object(RETRY_FIELDS) as Schema<RetrySettings>);

/** What holds for one service. @param own keys of the service; undefined when it has none */
export function inheritRetrySettings(
  own: RetrySettings | undefined,
  global: RetrySettings,
  failureStatuses: readonly string[] = [],
): AttemptSettings {
  const pick = <K extends keyof RetrySettings>(key: K): NonNullable<RetrySettings[K]> =>
    (own?.[key] ?? global[key] ?? DEFAULT_RETRY_SETTINGS[key]) as NonNullable<RetrySettings[K]>;
  const group = <K extends 'backoff' | 'retryBudget' | 'connectRest' | 'hedging'>(key: K): Complete<RetrySettings[K]> =>
    ({
      ...DEFAULT_RETRY_SETTINGS[key],
      ...setOnly(global[key]),
      ...setOnly(own?.[key]),
    }) as Complete<RetrySettings[K]>;
  const backoff: Omit<Complete<RetrySettings['backoff']>, 'maxMs'> & { readonly maxMs?: number } = group('backoff');
  const { kind, minMs, maxMs = MAX_BACKOFF_FACTOR * minMs, maxRetryAfterMs } = backoff;
  const { enabled, delayMs, maxHedges } = group('hedging');
  return {
    retryEnabled: pick('retryEnabled'),
    retryOnSame: pick('retryOnSame'),
    retryOnNext: pick('retryOnNext'),
    retryOn: pick('retryOn'),
    retryMethods: pick('retryMethods'),
    perTryTimeoutMs: pick('perTryTimeoutMs'),
    idempotentGrpcMethods: pick('idempotentGrpcMethods'),
    safeAttempts: pick('safeAttempts'),
    backoff: { rule: new Backoff({ kind, minMs, maxMs }, maxRetryAfterMs), maxRetryAfterMs },
    retryBudget: group('retryBudget'),
    connectRest: group('connectRest'),
    failureStatuses,
    hedging: enabled ? { delayMs, maxHedges } : undefined,
  };
}

/** The retries of a service. @param rule what a route or mark says about them; it switches them on */
export function compileRetryPolicy(settings: AttemptSettings, rule?: RetryRule): RetryPolicy {
  const isEnabled = rule !== undefined || settings.retryEnabled;
  const { safeAttempts } = settings;
  const retryOnSame = rule?.retryOnSame ?? settings.retryOnSame;
  const configured = (retryOnSame + 1) * (settings.retryOnNext + 1);
  // Who asks for retries and names no number wants at least one.
  const maxAttempts = rule === undefined ? configured : (rule.maxAttempts ?? Math.max(MIN_RULE_ATTEMPTS, configured));
  const perTryTimeoutMs = rule?.perTryTimeoutMs ?? settings.perTryTimeoutMs;
  const { rule: backoff, maxRetryAfterMs } = settings.backoff;
  return {
    isEnabled,
    maxAttempts: isEnabled ? maxAttempts : safeAttempts,
    safeAttempts: rule?.maxAttempts ?? (isEnabled ? Math.max(safeAttempts, maxAttempts) : safeAttempts),
    triesPerInstance: isEnabled ? retryOnSame + 1 : 1,
    maxInstances: !isEnabled || rule !== undefined ? Infinity : settings.retryOnNext + 1,
    conditions: new RetryConditions(
      isEnabled ? (rule?.retryOn ?? [...settings.retryOn, ...settings.failureStatuses]) : [],
    ),
    anyMethod: isEnabled && settings.retryMethods === 'all',
    tryTimeoutMs: isEnabled && perTryTimeoutMs > 0 ? perTryTimeoutMs : Infinity,
    backoff: !isEnabled ? AT_ONCE : rule?.backoff === undefined ? backoff : new Backoff(rule.backoff, maxRetryAfterMs),
  };
}

/**
 * Milliseconds that one attempt of the call has. A request that could not be sent again gets all the time there is: giving it up early would
 * only make an error of a slow answer.
 */
export function tryTimeoutOf(
  call: Invocation,
  { tryTimeoutMs, anyMethod }: RetryPolicy,
  isIdempotent: boolean,
): number {
  if (tryTimeoutMs === Infinity) return Infinity;
  return anyMethod || isIdempotent || call.protocol === 'tcp' ? tryTimeoutMs : Infinity;
}

/** What is safe to repeat goes to another instance at once. */
const AT_ONCE = new Backoff({ kind: 'zero', minMs: 0, maxMs: 0 }, 0);

/** A group without the keys that are not set, so that they do not hide those of the level above. */
function setOnly<T extends object>(group: T | undefined): Partial<T> {
  return Object.fromEntries(Object.entries(group ?? {}).filter(([, value]) => value !== undefined)) as Partial<T>;
}
