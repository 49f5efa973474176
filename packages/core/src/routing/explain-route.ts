import type { Explanation } from '../explain/explanation.js';
import type { Invocation } from '../invocation.js';
import type { ServicePlan } from '../registry/service-plan.js';
import type { DefaultChoice } from './default-route.js';
import type { PlanSource } from './mirror.js';
import type { Route, RouteRule, RuleSurroundings } from './route-rule.js';
import type { Subset } from './subset.js';

const STAGE = 'router';

/** Members of a subset that are named; the rest is counted. */
const NAMED_MEMBERS = 10;

/** Says which rule was chosen, what it does, and which instances are meant. */
export function explainRule(
  rule: RouteRule,
  route: Route,
  call: Invocation,
  tried: readonly string[],
  plans: PlanSource | undefined,
  into: Explanation,
): void {
  const details = [...tried, `${rule.name} matches ${String(rule.matcher)}`];
  if (rule.routes.length > 1) {
    for (const one of rule.routes) {
      const share = Math.round((10_000 * one.weight) / rule.totalWeight) / 100;
      details.push(`${share} % go to ${one.subset?.name ?? 'the default'}${one === route ? ', it is its turn' : ''}`);
    }
  }
  const rewritten = rule.rewrite?.rewritten(call.path);
  if (rewritten !== undefined) details.push(`the path becomes ${rewritten}`);
  if (route.timeoutMs !== undefined) details.push(`timeout: ${route.timeoutMs} ms`);
  if (route.retry !== undefined) details.push(`retry: ${JSON.stringify(route.retry)}`);
  if (rule.mirror !== undefined) details.push(rule.mirror.explain(call, plans));
  const members = membersOf(call.plan, call.subset);
  if (call.plan !== undefined) details.push(describeMembers(call.subset, members));
  into.add(STAGE, route.name, details, {
    rule: rule.name,
    subset: call.subset?.name,
    members: members.slice(0, NAMED_MEMBERS),
    memberCount: members.length,
    shares: rule.routes.map(({ subset, weight }) => ({ subset: subset?.name, share: weight / rule.totalWeight })),
  });
}

/** Says where calls go that no rule speaks of. */
export function explainDefault(
  plan: ServicePlan,
  { subset, rejection, otherApps }: DefaultChoice,
  { ownApp, default: versions }: RuleSurroundings,
  tried: readonly string[],
  into: Explanation,
): void {
  const details = tried.length === 0 ? [`no rules for ${plan.service}`] : [...tried];
  if (rejection !== undefined) {
    into.reject(STAGE, rejection, details, { apps: otherApps });
    return;
  }
  const members = membersOf(plan, subset);
  if (otherApps.length > 0) details.push(`instances of other applications are left out: ${otherApps.join(', ')}`);
  details.push(describeMembers(subset, members));
  const which = versions === 'all' ? 'all versions' : 'the newest version';
  into.add(STAGE, `no rule matches: ${which} in the application ${ownApp}`, details, {
    subset: subset?.name,
    members: members.slice(0, NAMED_MEMBERS),
    memberCount: members.length,
  });
}

function membersOf(plan: ServicePlan | undefined, subset: Subset | undefined): string[] {
  const instances = plan?.snapshot?.instances ?? [];
  return (subset?.select(instances) ?? instances).map(({ instanceId, version }) => `${instanceId} (${version})`);
}

function describeMembers(subset: Subset | undefined, members: readonly string[]): string {
  const name = subset === undefined ? 'all instances' : `instances with ${subset.name}`;
  if (members.length === 0) return `${name}: none`;
  const fallback = subset?.whenEmpty === 'any' ? ', or if none of them takes calls all of the application' : '';
  const more = members.length > NAMED_MEMBERS ? ` and ${members.length - NAMED_MEMBERS} more` : '';
  return `${name}${fallback}: ${members.slice(0, NAMED_MEMBERS).join(', ')}${more}`;
}
