import { Rejection } from '../../errors.js';
import type { Explanation } from '../../explain/explanation.js';
import type { Invocation } from '../../invocation.js';
import type { Clock } from '../../ports/ports.js';
import { DeadlinePropagation, TIMEOUT_FIELD } from './deadline.js';
import { UNBOUNDED_MS, type ExecutorSettings } from './executor-settings.js';
import { tryTimeoutOf } from '../retry/retry-policy.js';
import type { ServiceAttempts } from '../retry/service-attempts.js';

/** Sets by when the answer to a call must have begun, and tells the called side how much time it has. */
export class CallDeadlines {
  readonly #propagation: DeadlinePropagation;
  #inboundMs = Infinity;

  /** @param service the local one, for inbound calls */
  constructor(
    private readonly clock: Clock,
    private readonly service: string,
    settings: ExecutorSettings,
  ) {
    this.#propagation = new DeadlinePropagation(settings.deadline);
    this.configure(settings);
  }

  configure(settings: ExecutorSettings): void {
    this.#propagation.options = settings.deadline;
    this.#inboundMs = settings.inboundTimeoutOf(this.service).ms;
  }

  /**
   * For an outbound call that waits to learn what its service is. The wire reads the deadline when the wait begins, and it holds for
   * whatever the call waits for afterwards, so it must be there by then.
   */
  wait(call: Invocation, { timeoutMs }: ServiceAttempts): void {
    this.#set(call, timeoutMs, this.#propagation.asked(call));
  }

  /**
   * For an outbound call whose service is known; before its policies, because they may wait.
   * @returns the answer for a caller that gives it no time: it says nothing about the service, so no policy hears of it
   */
  begin(call: Invocation, { timeoutMs, announcement }: ServiceAttempts): Rejection | undefined {
    const asked = this.#propagation.receive(call);
    this.#set(call, timeoutMs, asked);
    if (asked <= 0) return over(call, call.startedAt);
    if (asked !== Infinity) {
      if (timeoutMs < asked) this.#propagation.announce(call, timeoutMs);
    } else if (announcement !== undefined) this.#propagation.announceAs(call, announcement);
    if (call.protocol === 'grpc') this.#propagation.announceGrpc(call, 0, timeoutMs);
    return undefined;
  }

  /**
   * Before the first attempt of an outbound call: a route has a time of its own, and waiting has used some of it up.
   * @returns the answer for a caller whose time is over already
   */
  admit(call: Invocation, service: ServiceAttempts): Rejection | undefined {
    const timeoutMs = call.route?.timeoutMs;
    if (timeoutMs !== undefined) {
      this.#set(call, timeoutMs === 0 ? UNBOUNDED_MS : timeoutMs, this.#propagation.asked(call));
    }
    const now = call.waited ? this.clock.now() : call.startedAt;
    if (call.deadlineAt <= now) return over(call, now);
    if (timeoutMs !== undefined || call.waited || call.tryTimeout !== Infinity) this.renew(call, service, now);
    return undefined;
  }

  /** Tells the called side how much time the attempt has that begins now, if somebody has chosen a time. */
  renew(call: Invocation, { announcement }: ServiceAttempts, now: number): void {
    const isChosen =
      announcement !== undefined || call.route?.timeoutMs !== undefined || this.#propagation.asked(call) !== Infinity;
    if (!isChosen) return;
    const left = Math.min(call.deadlineAt - now, call.tryTimeout);
    this.#propagation.announce(call, left);
    if (call.protocol === 'grpc') this.#propagation.announceGrpc(call, now - call.startedAt, left);
  }

  /** Like {@link begin} and {@link admit}, for a call that is never sent. */
  explain(call: Invocation, service: ServiceAttempts, into: Explanation): void {
    call.tryTimeout = tryTimeoutOf(call, service.retryOf(call), service.isIdempotent(call));
    const late = this.begin(call, service) ?? this.admit(call, service);
    if (late !== undefined) into.reject('timeout', late);
  }

  /** For an inbound call. @returns the answer for a caller whose time is over already */
  beginInbound(call: Invocation): Rejection | undefined {
    const asked = this.#propagation.receive(call);
    const ms = asked < this.#inboundMs ? asked : this.#inboundMs;
    if (ms === Infinity) return undefined;
    this.#set(call, this.#inboundMs, asked);
    if (ms < asked && asked !== Infinity) this.#propagation.announce(call, ms);
    if (call.protocol === 'grpc') this.#propagation.announceGrpc(call, 0, ms);
    return ms <= 0 ? over(call, call.startedAt) : undefined;
  }

  /** For an inbound call that has waited. */
  isOver(call: Invocation): Rejection | undefined {
    const now = this.clock.now();
    return call.deadlineAt <= now ? over(call, now) : undefined;
  }

  /** @param ownMs what was set here @param asked what the caller gives it; both Infinity when nobody said so */
  #set(call: Invocation, ownMs: number, asked: number): void {
    call.deadlineAt = call.startedAt + (asked < ownMs ? asked : ownMs);
    call.deadlineIsOurs = ownMs < asked;
  }
}

function over(call: Invocation, now: number): Rejection {
  const waited = Math.round(now - call.startedAt);
  return new Rejection(
    'MESH_ERR_TIMEOUT',
    `The time of the call was over before it was sent${waited > 0 ? `: it waited ${waited} ms` : ''}`,
    undefined,
    waited > 0
      ? 'Look at what it waited for, or raise the timeout.'
      : `Look at ${call.protocol === 'grpc' ? 'grpc-timeout' : TIMEOUT_FIELD} of the request: the caller gave it no time.`,
  );
}
