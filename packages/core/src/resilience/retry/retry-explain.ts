import type { Invocation } from '../../invocation.js';
import type { Explanation } from '../../explain/explanation.js';
import { UNBOUNDED_MS } from '../timeout/executor-settings.js';
import { isRepeatedElsewhere } from './retry-layers.js';
import { tryTimeoutOf } from './retry-policy.js';
import type { ServiceAttempts } from './service-attempts.js';

/** Says how often, for what and within which time a call would be tried. Counts nothing. @param now monotonic milliseconds */
export function explainAttempts(call: Invocation, attempts: ServiceAttempts, now: number, into: Explanation): void {
  explainTimeout(call, attempts, now, into);
  const instances = instancesFor(call);
  explainRetries(call, attempts, instances, now, into);
  explainHedging(call, attempts, instances, into);
}

/** Instances that attempts of the call may go to, those included that rest or are ejected: they are the last resort. */
function instancesFor({ plan, protocol, shunned, subset }: Invocation): number {
  const endpoints = plan?.candidates(protocol, subset).endpoints ?? [];
  return endpoints.filter((endpoint) => shunned?.includes(endpoint) !== true).length;
}

function explainTimeout(call: Invocation, attempts: ServiceAttempts, now: number, into: Explanation): void {
  const tryTimeoutMs = tryTimeoutOf(call, attempts.retryOf(call), attempts.isIdempotent(call));
  const { route } = call;
  const left = call.deadlineAt - now;
  const isBound = left < UNBOUNDED_MS / 2;
  const details = [
    route?.timeoutMs !== undefined
      ? `${route.name} sets ${duration(route.timeoutMs)}`
      : attempts.timeoutMs === Infinity
        ? `cse.isolation.Consumer sets nothing for ${attempts.service}: there are no further attempts after ${duration(attempts.retryWithinMs)}`
        : `cse.isolation.Consumer sets ${duration(attempts.timeoutMs)} for ${attempts.service}`,
    ...(tryTimeoutMs === Infinity ? [] : [`each attempt has ${duration(tryTimeoutMs)}`]),
  ];
  const ofProxy =
    call.protocol === 'grpc'
      ? 'none, as gRPC wants it; silence ends the call (mesher.proxy.responseIdleTimeout)'
      : 'that of the proxy (mesher.proxy.responseTimeout)';
  const none = left === Infinity ? ofProxy : 'no bound';
  into.add('timeout', isBound ? `the answer must begin within ${duration(left)}` : none, details, {
    timeoutMs: isBound ? Math.round(left) : null,
    perTryTimeoutMs: tryTimeoutMs === Infinity ? null : tryTimeoutMs,
  });
}

function explainRetries(
  call: Invocation,
  attempts: ServiceAttempts,
  instances: number,
  now: number,
  into: Explanation,
): void {
  const policy = attempts.retryOf(call);
  const { maxAttempts, safeAttempts, triesPerInstance } = policy;
  const room = instances * triesPerInstance;
  const upTo = (allowed: number): string => `up to ${counted(Math.min(allowed, room), 'attempt')}`;
  const wanted = Math.max(maxAttempts, safeAttempts);
  const { budget } = attempts;
  const { percent, minPerSecond } = budget.options;
  const available = Math.floor(budget.available(now));
  const mayRepeat = policy.anyMethod || attempts.isIdempotent(call);
  const isGrpc = call.protocol === 'grpc';
  const method = isGrpc ? call.path : call.method;
  const safe = isGrpc
    ? 'no connection, or a stream that no instance has looked at'
    : 'no connection, or none left before an answer to an idempotent request';
  const details = [
    `safe failures (${safe}): ${upTo(safeAttempts)}`,
    ...(policy.isEnabled
      ? [
          `${policy.conditions.names.join(', ')}: ${upTo(maxAttempts)}, ${triesPerInstance} at one instance, ${policy.backoff.describe()}`,
          mayRepeat
            ? `${method} may be sent again after it was executed`
            : `${method} is not ${isGrpc ? 'one of idempotentGrpcMethods' : 'idempotent'}: it is only sent again if it cannot have been executed`,
        ]
      : ['nothing else: retryEnabled is off']),
    ...(room >= wanted
      ? []
      : [
          `not ${wanted} attempts, as the configuration allows: only ${counted(instances, 'instance')}, ${counted(triesPerInstance, 'attempt')} at each; more instances or retryOnSame make room. A pooled connection that had died is replaced in any case`,
        ]),
    `budget: ${available} of ${Math.floor(budget.allowance)} left (${percent} % of the calls in 10 s, at least ${minPerSecond} per second)`,
    ...(isRepeatedElsewhere(call) ? ['another layer of Mesher repeats this call: it is not repeated here'] : []),
  ];
  into.add('retry', policy.isEnabled ? upTo(maxAttempts) : 'only what is safe', details, {
    enabled: policy.isEnabled,
    maxAttempts,
    safeAttempts,
    triesPerInstance,
    instances,
    retryOn: policy.conditions.names,
    methods: policy.anyMethod ? 'all' : 'idempotent',
    backoff: { kind: policy.backoff.kind, minMs: policy.backoff.minMs, maxMs: policy.backoff.maxMs },
    budget: { available, percent, minPerSecond },
  });
}

function explainHedging(call: Invocation, attempts: ServiceAttempts, instances: number, into: Explanation): void {
  const { hedging } = attempts;
  if (hedging === undefined) return;
  const isIdempotent = attempts.isIdempotent(call);
  const { delayMs, maxHedges } = hedging;
  const most = Math.min(maxHedges, instances - 1);
  const decision = !isIdempotent
    ? `none: ${call.protocol === 'grpc' ? call.path : call.method} is not idempotent`
    : most > 0
      ? `after ${delayMs} ms without an answer, up to ${most} more at other instances`
      : 'none: there is no other instance';
  into.add('hedging', decision, [], { delayMs, maxHedges, applies: isIdempotent && most > 0 });
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

function duration(ms: number): string {
  return ms === 0 || ms >= UNBOUNDED_MS / 2 ? 'no bound' : `${Math.round(ms)} ms`;
}
