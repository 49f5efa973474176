import { nearestName } from '../config/schema/nearest.js';
import { Rejection } from '../errors.js';
import type { Clock } from '../ports/ports.js';
import type { ServiceDirectory } from '../registry/service-directory.js';
import type { ServicePlan } from '../registry/service-plan.js';
import type { Explanation } from './explanation.js';

const STAGE = 'service';

/**
 * What is known of a service, and how fresh that is.
 * @param asked the registry has been asked about it for this explanation
 * @returns undefined when a call would end here
 */
export function explainService(
  service: string,
  directory: ServiceDirectory,
  clock: Clock,
  asked: boolean,
  into: Explanation,
): ServicePlan | undefined {
  const known = directory.preview(service);
  const registry = describeRegistry(directory, clock);
  if (known === undefined) {
    into.reject(
      STAGE,
      new Rejection(
        'MESH_ERR_NO_ROUTE',
        `nothing is known of a service named ${service}`,
        undefined,
        asked
          ? 'Check the name and that a provider is registered'
          : 'Nobody has called it through this sidecar, and the registry lists no such service. Ask again with --watch to have the registry asked',
      ),
      [
        registry.text,
        ...(asked ? [] : ['not watched: this explanation has not asked the registry']),
        ...resembling(service, directory),
      ],
      { service, watched: false, ...registry.data },
    );
    return undefined;
  }
  const { plan, watched } = known;
  const details = [registry.text, ...(watched ? [] : ['not watched yet: the first call starts the watch'])];
  const data = { service: plan.service, watched, state: plan.state, ...registry.data };
  if (plan.state === 'pending') {
    const message = `The registry has not answered yet about ${plan.service}`;
    into.reject(STAGE, new Rejection('MESH_ERR_REGISTRY_UNAVAILABLE', message, 1), details, data);
    return undefined;
  }
  if (plan.state === 'absent') {
    const message = `No service named ${plan.service} is registered`;
    into.reject(
      STAGE,
      new Rejection('MESH_ERR_NO_ROUTE', message),
      [...details, ...resembling(service, directory)],
      data,
    );
    return undefined;
  }
  const count = plan.snapshot?.instances.length ?? 0;
  const spelled = plan.service === service ? '' : ` (called as ${service})`;
  into.add(STAGE, `${plan.service}${spelled} is known, with ${count} instance${count === 1 ? '' : 's'}`, details, {
    ...data,
    instances: count,
  });
  return plan;
}

/** A service that is known and has nearly that name. */
function resembling(service: string, { listed, plans }: ServiceDirectory): readonly string[] {
  const watched = plans.filter(({ state }) => state === 'known').map((plan) => plan.service);
  const nearest = nearestName(service, [...new Set([...watched, ...listed.map((instance) => instance.service)])]);
  return nearest === undefined ? [] : [`did you mean ${nearest}?`];
}

function describeRegistry(
  { discovery }: ServiceDirectory,
  clock: Clock,
): { readonly text: string; readonly data: Readonly<Record<string, unknown>> } {
  const { freshness, lastSuccessAt, lastError } = discovery.state();
  const age = lastSuccessAt === undefined ? undefined : Math.max(0, clock.wallTime() - lastSuccessAt) / 1000;
  const since = age === undefined ? '' : `, last answer ${age.toFixed(1)} s ago`;
  const trouble = lastError === undefined ? '' : `; ${lastError}`;
  return {
    text: `registry ${discovery.name}: ${freshness}${since}${trouble}`,
    data: { registry: discovery.name, freshness, ...(age === undefined ? {} : { ageSeconds: age }) },
  };
}
