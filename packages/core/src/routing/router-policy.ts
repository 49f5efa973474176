import type { Policy, PolicyContext } from '../chain/policy.js';
import type { Rejection } from '../errors.js';
import type { Explanation } from '../explain/explanation.js';
import type { Invocation } from '../invocation.js';
import type { ServicePlan } from '../registry/service-plan.js';
import { DefaultRoute } from './default-route.js';
import { explainDefault, explainRule } from './explain-route.js';
import type { PlanSource } from './mirror.js';
import type { RouteAnswer } from './route-answer.js';
import type { Route, RouteRule } from './route-rule.js';
import { RuleTable } from './rule-table.js';
import { Subsets } from './tag-subset.js';

/** Chooses by the rules which instances take a call, and what else becomes of it (`router`). */
export class RouterPolicy implements Policy {
  readonly name = 'router';
  readonly #subsets = new Subsets();
  readonly #plans: PlanSource | undefined;
  #rules: RuleTable;
  #default: DefaultRoute;

  constructor(private readonly context: PolicyContext) {
    const { configuration, metrics, direction } = context;
    this.#plans = context.plans;
    this.#rules = new RuleTable(configuration.document, this.#subsets, undefined);
    this.#default = new DefaultRoute(this.#rules.surroundings);
    this.#prepare();
    configuration.onChange((document) => {
      this.#rules = new RuleTable(document, this.#subsets, this.#rules);
      this.#default = new DefaultRoute(this.#rules.surroundings);
      this.#prepare();
    });
    metrics.gauge('routes', (report) => {
      for (const [service, rules] of this.#rules) {
        for (const [rule, bySubset] of countsOf(rules)) {
          for (const [subset, count] of bySubset) report([direction, service, rule, subset], count);
        }
      }
    });
  }

  /** For calls that leave, the application they stay in is always decided; for calls that arrive only rules count. */
  get isActive(): boolean {
    return this.context.direction === 'outbound' || this.#rules.of(this.#rules.own.service) !== undefined;
  }

  before(call: Invocation): Rejection | undefined {
    const { plan } = call;
    const service = plan?.service ?? this.#rules.own.service;
    const rules = this.#rules.of(service);
    if (rules !== undefined) {
      for (const rule of rules) if (rule.matcher.matches(call)) return this.#follow(rule, call, plan);
    }
    return plan === undefined ? undefined : this.#byDefault(call, plan);
  }

  explain(call: Invocation, into: Explanation): void {
    const { plan } = call;
    const service = plan?.service ?? this.#rules.own.service;
    const tried: string[] = [];
    for (const rule of this.#rules.of(service) ?? []) {
      const reason = rule.matcher.whyNot(call);
      if (reason !== undefined) {
        tried.push(`${rule.name} does not match: ${reason}`);
        continue;
      }
      if (rule.answer !== undefined) {
        tried.push(`${rule.name} matches ${String(rule.matcher)}, and ${rule.answer.text}`);
        into.reject(this.name, answerOf(rule, rule.answer, call), tried, { rule: rule.name });
        return;
      }
      const route = rule.peek();
      const rejection = plan === undefined ? undefined : this.#choose(route, call, plan);
      edit(rule, route, call);
      explainRule(rule, route, call, tried, this.#plans, into);
      if (rejection !== undefined) into.reject(this.name, rejection, [], { rule: rule.name });
      return;
    }
    if (plan === undefined) {
      into.add(this.name, 'no rule matches', tried);
      return;
    }
    const choice = this.#default.of(plan);
    call.subset = choice.subset;
    explainDefault(plan, choice, this.#rules.surroundings, tried, into);
  }

  #follow(rule: RouteRule, call: Invocation, plan: ServicePlan | undefined): Rejection | undefined {
    if (rule.answer !== undefined) {
      (rule.routes[0] as Route).count++;
      return answerOf(rule, rule.answer, call);
    }
    const route = rule.next();
    route.count++;
    edit(rule, route, call);
    if (plan === undefined) return undefined;
    if (rule.mirror !== undefined) call.mirror = rule.mirror.order(call, plan, this.#plans);
    return this.#choose(route, call, plan);
  }

  #choose(route: Route, call: Invocation, plan: ServicePlan): Rejection | undefined {
    call.route = route;
    if (route.subset === undefined) return this.#byDefault(call, plan);
    call.subset = route.subset;
    return undefined;
  }

  #byDefault(call: Invocation, plan: ServicePlan): Rejection | undefined {
    const { subset, rejection } = this.#default.of(plan);
    call.subset = subset;
    return rejection;
  }

  /** What is to be done about new rules before the first call. */
  #prepare(): void {
    // Copies never wait: what is known of their target when the first one is made decides about it.
    if (this.context.direction === 'outbound') this.#plans?.keepWatched(this, this.#rules.mirrorServices);
    const { dangling } = this.#rules;
    if (dangling.length === 0) return;
    this.context.logger.warn({ rules: dangling }, 'rules refer to match groups that do not exist, and never match');
  }
}

/** What the caller gets from a rule that answers by itself, with the fields that the rule sets on answers. */
function answerOf({ headers }: RouteRule, { answer }: RouteAnswer, call: Invocation): Rejection {
  const rejection = answer(call);
  if (call.protocol !== 'tcp') headers?.apply(call);
  return rejection;
}

/** What the rule and the route change in the request and its answer. A connection that is not HTTP has nothing of the kind. */
function edit(rule: RouteRule, route: Route, call: Invocation): void {
  if (call.protocol === 'tcp') return;
  rule.headers?.apply(call);
  route.headers?.apply(call);
  rule.rewrite?.apply(call);
}

/** Calls by name of rule and subset. Several routes, or rules, may have the same: a series must not be reported twice. */
function countsOf(rules: readonly RouteRule[]): ReadonlyMap<string, ReadonlyMap<string, number>> {
  const counts = new Map<string, Map<string, number>>();
  for (const { name, routes } of rules) {
    const bySubset = counts.get(name) ?? new Map<string, number>();
    counts.set(name, bySubset);
    for (const { subset, count } of routes) {
      const label = subset?.name ?? 'default';
      bySubset.set(label, (bySubset.get(label) ?? 0) + count);
    }
  }
  return counts;
}

/** The policy behind the handler name `router`. */
export function routerPolicy(context: PolicyContext): Policy {
  return new RouterPolicy(context);
}
