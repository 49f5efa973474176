import type { InterceptOptions } from '../settings/intercept-options.js';
import type { Family, Plan, RouteStep, Rule } from './plan.js';
import { planDns } from './plan-dns.js';
import { planDropInvalid, planInbound } from './plan-inbound.js';
import { planKeptSource, planOutbound } from './plan-outbound.js';

/**
 * Makes the rules that do what the options say; reads and changes nothing.
 * @param families for which there are rules, see {@link InterceptOptions.ipv6}
 */
export function planInterception(options: InterceptOptions, families: readonly Family[]): Plan {
  const rules = families.flatMap((family) => planFamily(family, options));
  const routed = new Set(rules.filter(({ action }) => action.kind === 'tproxy').map(({ family }) => family));
  return { families, rules, routes: families.filter((family) => routed.has(family)).flatMap(routesFor(options)) };
}

function planFamily(family: Family, options: InterceptOptions): readonly Rule[] {
  const dns = planDns(family, options);
  return [
    ...dns,
    ...planDropInvalid(family, options),
    ...planInbound(family, options),
    ...planKeptSource(family, options),
    ...planOutbound(family, options),
  ];
}

/** Marked packets are taken for local, whatever their destination. */
function routesFor({ tproxy }: InterceptOptions): (family: Family) => readonly RouteStep[] {
  return (family) => [
    { family, kind: 'route', ...tproxy },
    { family, kind: 'rule', ...tproxy },
  ];
}
