import { Rejection } from '../../errors.js';
import type { Invocation, Outcome } from '../../invocation.js';
import type { Ports } from '../../ports/ports.js';
import type { Endpoint } from '../../registry/endpoint.js';
import type { BizkeeperReports } from './bizkeeper-reports.js';
import type { AnswerStart } from '../admission.js';
import { ApiTable, type ApiTableOptions } from './breaker-apis.js';
import { isRelayed, judge, judgeBeginning, waitOf, type FailureStatuses, type Judgement } from './breaker-outcomes.js';
import { Probe } from './breaker-probes.js';
import type { BreakerSettings } from './breaker-settings.js';
import { Breaker } from './breaker.js';

/** Milliseconds between two searches for instances that are no longer needed. */
const SWEEP_PAUSE_MS = 1000;
/** Milliseconds between two looks at what became due by time alone; an instance comes back at most that much later. */
const LOOK_PAUSE_MS = 50;

/** What is kept for one instance. */
interface OfInstance {
  readonly endpoint: Endpoint;
  /** For the scope `instance`. */
  readonly breaker: Breaker | undefined;
  /** For the scope `instance-api`. */
  readonly apis: ApiTable<Breaker> | undefined;
  /** Attempts under way that are probes. */
  readonly probes: { readonly call: Invocation; readonly breaker: Breaker; readonly probe: Probe }[];
}

/**
 * A breaker per instance of a service, or per API of an instance. They count attempts, not calls, and do not refuse calls: an
 * instance whose breaker is open is passed over when one is picked (scope `instance`: barred for everybody; scope `instance-api`:
 * for calls of that API). Only when all instances are open is a call refused.
 */
export class InstanceBreakers {
  readonly #instances = new Map<Endpoint, OfInstance>();
  /** Breakers that are not closed. */
  readonly #tripped = new Map<Breaker, OfInstance>();
  #sweptAt = -Infinity;
  #lookedAt = -Infinity;

  constructor(
    private readonly service: string,
    private readonly scope: 'instance' | 'instance-api',
    private settings: BreakerSettings,
    private readonly apis: ApiTableOptions,
    private readonly idleMs: number,
    private readonly ports: Ports,
    private readonly reports: BizkeeperReports,
  ) {}

  adopt(settings: BreakerSettings): void {
    this.settings = settings;
    for (const one of this.#instances.values()) for (const breaker of breakersOf(one)) breaker.adopt(settings);
  }

  /**
   * Before an instance is picked: lets those come back whose sleep window is over, and keeps the call away from those that are open
   * for its API.
   * @returns why the call must not pass: all instances are open
   */
  admit(call: Invocation): Rejection | undefined {
    if (this.#tripped.size === 0) return undefined;
    const now = this.ports.clock.now();
    if (now - this.#lookedAt >= LOOK_PAUSE_MS) {
      this.#lookedAt = now;
      this.#letReturn();
    }
    return this.keepAway(call);
  }

  began(call: Invocation, endpoint: Endpoint): void {
    const one = this.#instances.get(endpoint);
    const breaker = one && this.#find(one, call);
    if (one === undefined || breaker === undefined || breaker.isClosed) return;
    const verdict = breaker.admit(this.ports.clock);
    // Refused after all: the balancer had nobody else. The attempt goes on and says nothing.
    if (verdict instanceof Probe) {
      one.probes.push({ call, breaker, probe: verdict });
      call.watchesBeginning = true;
    }
    this.#gate(breaker, endpoint);
  }

  /** The attempt that is left of the call is answered: a probe need not wait until the answer has ended. */
  answerBegan(call: Invocation, { status, grpcStatus }: AnswerStart, failures: FailureStatuses): void {
    const one = call.endpoint && this.#instances.get(call.endpoint);
    if (one === undefined) return;
    const judgement = judgeBeginning(call, status, grpcStatus, failures);
    if (judgement !== undefined) this.#endProbe(one, call, judgement, this.ports.clock.now() - startOfAttempt(call));
    else for (const { call: other, probe } of one.probes) if (other === call) probe.isAnswered = true;
  }

  ended(call: Invocation, endpoint: Endpoint, outcome: Outcome, failures: FailureStatuses): void {
    const judgement = judge(outcome, failures);
    const one = this.#instances.get(endpoint) ?? this.#add(endpoint);
    if (this.#endProbe(one, call, judgement, waitOf(outcome))) return;
    const breaker = one.breaker ?? one.apis?.of(call.method, call.path, () => this.ports.clock.now());
    if (breaker?.isClosed !== true) return;
    breaker.record(judgement, startOfAttempt(call), outcome.durationMs, isRelayed(call) ? 0 : waitOf(outcome));
    if (breaker.isClosed) return;
    this.#tripped.set(breaker, one);
    this.#gate(breaker, endpoint);
  }

  /** @returns false when the attempt of the call at this instance is no probe */
  #endProbe(one: OfInstance, call: Invocation, judgement: Judgement, durationMs: number): boolean {
    const at = one.probes.findIndex((probe) => probe.call === call);
    if (at < 0) return false;
    const [{ breaker, probe } = {}] = one.probes.splice(at, 1);
    if (breaker === undefined || probe === undefined) return true;
    breaker.endProbe(probe, judgement, durationMs);
    if (breaker.isClosed) this.#closed(breaker, one);
    else this.#gate(breaker, one.endpoint);
    return true;
  }

  /** In one line each: the breakers that a call may meet. */
  describe(call: Invocation): string[] {
    const lines: string[] = [];
    for (const one of this.#instances.values()) {
      const breaker = this.#find(one, call);
      if (breaker !== undefined) lines.push(`${breaker.name.part}: ${breaker.describe()}`);
    }
    return lines;
  }

  dispose(): void {
    for (const one of this.#instances.values()) this.#drop(one);
  }

  /** Lets those have calls again whose sleep window is over, or whose probes have lost their places. */
  #letReturn(): void {
    for (const [breaker, one] of this.#tripped) {
      if (one.endpoint.retired) this.#drop(one);
      else if (breaker.isClosed) this.#closed(breaker, one);
      else this.#gate(breaker, one.endpoint);
    }
  }

  /**
   * Marks on the call those instances that are open for its API, and changes nothing else: also for `explain`.
   * @returns why the call must not pass: all instances are open
   */
  keepAway(call: Invocation): Rejection | undefined {
    if (this.#tripped.size === 0) return undefined;
    const refusal = this.#allOpen(call);
    if (refusal !== undefined || this.scope === 'instance') return refusal;
    for (const [breaker, { endpoint, apis }] of this.#tripped) {
      if (breaker.wouldPass || apis?.peek(call.method, call.path) !== breaker) continue;
      (call.shunned ??= []).push(endpoint);
    }
    return undefined;
  }

  #allOpen(call: Invocation): Rejection | undefined {
    const endpoints = call.plan?.candidates(call.protocol, call.subset).endpoints ?? [];
    if (endpoints.length === 0 || this.#tripped.size < endpoints.length) return undefined;
    let soonest = Infinity;
    for (const endpoint of endpoints) {
      const one = this.#instances.get(endpoint);
      const breaker = one && this.#find(one, call);
      if (breaker === undefined || breaker.wouldPass) return undefined;
      soonest = Math.min(soonest, breaker.opensProbesIn);
    }
    const seconds = Math.max(1, Math.ceil(soonest / 1000));
    return new Rejection(
      'MESH_ERR_BREAKER_OPEN',
      `The circuit breakers of all ${endpoints.length} instances of ${this.service} are open; the next probe is in ${seconds} s`,
      seconds,
    );
  }

  #find({ breaker, apis }: OfInstance, call: Invocation): Breaker | undefined {
    return breaker ?? apis?.peek(call.method, call.path);
  }

  /** Barred exactly while no attempt may go there. */
  #gate(breaker: Breaker, endpoint: Endpoint): void {
    if (this.scope !== 'instance') return;
    if (breaker.wouldPass) endpoint.lift('breaker');
    else endpoint.bar('breaker');
  }

  #closed(breaker: Breaker, { endpoint }: OfInstance): void {
    this.#tripped.delete(breaker);
    endpoint.lift('breaker');
  }

  #add(endpoint: Endpoint): OfInstance {
    this.#sweep();
    // An address that is listed for HTTP and for gRPC is two endpoints: two series of one name would spoil the page of metrics.
    const where = endpoint.speaks === 'http2' ? `${endpoint.key} HTTP/2` : endpoint.key;
    const make = (api: string): Breaker => {
      const part = api === '' ? where : `${where} ${api}`;
      const breaker = new Breaker({ service: this.service, part }, this.settings, this.ports, this.reports);
      breaker.lastUsedAt = this.ports.clock.now();
      return breaker;
    };
    const drop = (breaker: Breaker): void => {
      this.#tripped.delete(breaker);
      this.reports.forget(breaker);
    };
    const one: OfInstance = {
      endpoint,
      breaker: this.scope === 'instance' ? make('') : undefined,
      apis: this.scope === 'instance' ? undefined : new ApiTable<Breaker>(this.apis, make, drop),
      probes: [],
    };
    this.#instances.set(endpoint, one);
    return one;
  }

  /** Instances that went, or that nobody called for long: looked for when another one comes, and not more often than it is worth. */
  #sweep(): void {
    const now = this.ports.clock.now();
    if (now - this.#sweptAt < SWEEP_PAUSE_MS) return;
    this.#sweptAt = now;
    for (const one of this.#instances.values()) {
      const isIdle = breakersOf(one).every(({ lastUsedAt }) => now - lastUsedAt > this.idleMs);
      if (one.endpoint.retired || isIdle) this.#drop(one);
    }
  }

  #drop(one: OfInstance): void {
    for (const breaker of breakersOf(one)) {
      this.#tripped.delete(breaker);
      this.reports.forget(breaker);
    }
    one.endpoint.lift('breaker');
    this.#instances.delete(one.endpoint);
  }
}

function breakersOf({ breaker, apis }: OfInstance): Breaker[] {
  return breaker === undefined ? [...(apis?.all() ?? [])] : [breaker];
}

function startOfAttempt(call: Invocation): number {
  return call.attemptStartedAt === 0 ? call.startedAt : call.attemptStartedAt;
}
