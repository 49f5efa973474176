import type { Invocation, Outcome } from '../../invocation.js';
import type { Ports } from '../../ports/ports.js';
import type { Admission } from '../admission.js';
import type { BizkeeperReports } from './bizkeeper-reports.js';
import type { ServiceRules } from './bizkeeper-rules.js';
import { ApiTable } from './breaker-apis.js';
import type { MarkedRule } from './breaker-by-mark.js';
import { InstanceBreakers } from './breaker-instances.js';
import { isRelayed, judgeCall, waitOf } from './breaker-outcomes.js';
import { Breaker } from './breaker.js';
import { Bulkhead } from '../bulkhead/bulkhead.js';

/**
 * What calls of a service, or of one API of it, pass: the bulkhead of the service, and a breaker if there is one. Held by each of
 * them until it ends, so it has no state of any single call.
 */
export class Guard implements Admission {
  constructor(
    readonly service: GuardedService,
    readonly breaker: Breaker | undefined,
  ) {}

  get lastUsedAt(): number {
    return this.breaker?.lastUsedAt ?? Infinity;
  }

  ended(call: Invocation, outcome: Outcome): void {
    const { breaker, service } = this;
    const relayed = isRelayed(call);
    if (!relayed) service.bulkhead.left(call, outcome);
    if (breaker === undefined) return;
    const judgement = judgeCall(call, outcome, service.rules.failures);
    breaker.record(judgement, call.startedAt, outcome.durationMs, relayed ? 0 : waitOf(outcome));
  }
}

/** A breaker and a bulkhead for the marked calls of one policy. */
export interface MarkedGuard {
  readonly breaker: Breaker | undefined;
  readonly bulkhead: Bulkhead | undefined;
}

/**
 * The breakers and the bulkhead of one service, in one direction. It lives as long as the service is called; a change of the
 * configuration is adopted, and what was counted stays.
 */
export class GuardedService {
  readonly bulkhead: Bulkhead;
  /** For calls that no breaker looks at. */
  readonly plain: Guard;
  #whole: Guard | undefined;
  #apis: ApiTable<Guard> | undefined;
  #instances: InstanceBreakers | undefined;
  #marked: Map<string, MarkedGuard> | undefined;

  constructor(
    readonly name: string,
    public rules: ServiceRules,
    private readonly ports: Ports,
    private readonly reports: BizkeeperReports,
  ) {
    this.bulkhead = new Bulkhead(name, rules.bulkhead, ports, reports);
    this.plain = new Guard(this, undefined);
    reports.show(this.bulkhead);
  }

  /** Takes over what the configuration says now. Breakers stay as they are unless they stand for something else now. */
  adopt(rules: ServiceRules): void {
    const { rules: before } = this;
    this.rules = rules;
    this.bulkhead.adopt(rules.bulkhead);
    if (rules.scope !== before.scope || rules.breaker === undefined || !sameApis(rules, before)) this.#forget();
    else {
      for (const breaker of this.#breakers()) breaker.adopt(rules.breaker);
      this.#instances?.adopt(rules.breaker);
    }
    this.#adoptMarked(rules.marked);
  }

  /** The guard of a call, for the scopes service and api. */
  guardOf(call: Invocation): Guard {
    const { rules } = this;
    if (rules.breaker === undefined || rules.scope === 'instance' || rules.scope === 'instance-api') return this.plain;
    if (rules.scope === 'service' || isRelayed(call)) return (this.#whole ??= this.#guard(''));
    return this.#table().of(call.method, call.path, this.#now);
  }

  /** The guard that {@link guardOf} would find, without making one. */
  peekGuard(call: Invocation): Guard | undefined {
    const { rules } = this;
    if (rules.breaker === undefined) return undefined;
    if (rules.scope === 'service' || isRelayed(call)) return this.#whole;
    return this.#apis?.peek(call.method, call.path);
  }

  /** Breakers of the instances, for the scopes that have them. */
  get instances(): InstanceBreakers | undefined {
    const { breaker, scope, apis, idleMs } = this.rules;
    if (breaker === undefined || (scope !== 'instance' && scope !== 'instance-api')) return undefined;
    return (this.#instances ??= new InstanceBreakers(
      this.name,
      scope,
      breaker,
      apis,
      idleMs,
      this.ports,
      this.reports,
    ));
  }

  /** What a policy by mark has for the calls of this service. */
  marked(rule: MarkedRule): MarkedGuard {
    const found = this.#marked?.get(rule.key);
    if (found !== undefined) return found;
    const name = { service: this.name, part: `mark ${rule.name}` };
    const guard: MarkedGuard = {
      breaker: rule.breaker && new Breaker(name, rule.breaker.settings, this.ports, this.reports),
      bulkhead:
        rule.bulkhead && new Bulkhead(`${this.name} (mark ${rule.name})`, rule.bulkhead, this.ports, this.reports),
    };
    if (guard.bulkhead !== undefined) this.reports.show(guard.bulkhead);
    (this.#marked ??= new Map<string, MarkedGuard>()).set(rule.key, guard);
    return guard;
  }

  /** What a policy by mark has already. */
  peekMarked(rule: MarkedRule): MarkedGuard | undefined {
    return this.#marked?.get(rule.key);
  }

  readonly #now = (): number => this.ports.clock.now();

  #table(): ApiTable<Guard> {
    return (this.#apis ??= new ApiTable<Guard>(
      this.rules.apis,
      (api) => this.#guard(api),
      ({ breaker }) => {
        if (breaker !== undefined) this.reports.forget(breaker);
      },
    ));
  }

  #guard(part: string): Guard {
    const { breaker: settings } = this.rules;
    if (settings === undefined) return this.plain;
    const breaker = new Breaker({ service: this.name, part }, settings, this.ports, this.reports);
    breaker.lastUsedAt = this.#now();
    return new Guard(this, breaker);
  }

  *#breakers(): Generator<Breaker> {
    if (this.#whole?.breaker !== undefined) yield this.#whole.breaker;
    for (const { breaker } of this.#apis?.all() ?? []) if (breaker !== undefined) yield breaker;
  }

  #forget(): void {
    for (const breaker of this.#breakers()) this.reports.forget(breaker);
    this.#instances?.dispose();
    this.#whole = this.#apis = this.#instances = undefined;
  }

  #adoptMarked(rules: readonly MarkedRule[]): void {
    for (const [key, guard] of this.#marked ?? []) {
      const rule = rules.find((one) => one.key === key);
      if (rule === undefined) {
        if (guard.breaker !== undefined) this.reports.forget(guard.breaker);
        this.#marked?.delete(key);
        continue;
      }
      if (rule.breaker !== undefined) guard.breaker?.adopt(rule.breaker.settings);
      if (rule.bulkhead !== undefined) guard.bulkhead?.adopt(rule.bulkhead);
    }
  }
}

function sameApis({ apis: a }: ServiceRules, { apis: b }: ServiceRules): boolean {
  return a.max === b.max && a.idleMs === b.idleMs && a.templates.join('\n') === b.templates.join('\n');
}
