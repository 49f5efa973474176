import { Rejection } from '../errors.js';
import type { ServiceSnapshot } from '../registry/contracts.js';
import type { ServicePlan } from '../registry/service-plan.js';
import type { RuleSurroundings } from './route-rule.js';
import type { Subset } from './subset.js';
import { hasUnknownApp, LATEST } from './tag-subset.js';

/** Where calls go that no rule speaks of. */
export interface DefaultChoice {
  readonly snapshot: ServiceSnapshot | undefined;
  /** Undefined: all instances of the service. */
  readonly subset: Subset | undefined;
  /** Set when the service exists in other applications only. */
  readonly rejection: Rejection | undefined;
  /** The other applications in which the service has instances. */
  readonly otherApps: readonly string[];
}

/** Where calls go that no rule speaks of: to the instances of the own application, of all versions or the newest. */
export class DefaultRoute {
  readonly #choices = new WeakMap<ServicePlan, DefaultChoice>();
  readonly #own: Subset;

  constructor(private readonly surroundings: RuleSurroundings) {
    const { ownApp, subsets, whenEmpty } = surroundings;
    const tags = new Map([['app', [ownApp]]]);
    if (surroundings.default === 'latest') tags.set('version', [LATEST]);
    this.#own = subsets.of(tags, ownApp, whenEmpty);
  }

  /** Made again for each snapshot. */
  of(plan: ServicePlan): DefaultChoice {
    const found = this.#choices.get(plan);
    if (found !== undefined && found.snapshot === plan.snapshot) return found;
    const choice = this.#choose(plan);
    this.#choices.set(plan, choice);
    return choice;
  }

  #choose({ service, snapshot }: ServicePlan): DefaultChoice {
    const { ownApp, default: versions } = this.surroundings;
    const instances = snapshot?.instances ?? [];
    const isOwn = instances.map((instance) => hasUnknownApp(instance) || instance.app === ownApp);
    const otherApps = [
      ...new Set(instances.filter((_one, index) => isOwn[index] !== true).map(({ app }) => app)),
    ].sort();
    if (otherApps.length > 0 && !isOwn.includes(true)) {
      return { snapshot, subset: this.#own, otherApps, rejection: elsewhere(service, ownApp, otherApps) };
    }
    // All of them are meant: the service has no part that could be empty, and an empty service is told as such.
    const isWhole = otherApps.length === 0 && (versions === 'all' || instances.length === 0);
    return { snapshot, subset: isWhole ? undefined : this.#own, otherApps, rejection: undefined };
  }
}

function elsewhere(service: string, ownApp: string, otherApps: readonly string[]): Rejection {
  return new Rejection(
    'MESH_ERR_NO_SUBSET',
    `${service} has no instance in the application ${ownApp}; it has some in ${otherApps.join(', ')}`,
    1,
    `Write a rule that names the application: servicecomb.routeRule.${service}: [{route: [{tags: {app: ${otherApps[0] ?? ''}}}]}]`,
  );
}
