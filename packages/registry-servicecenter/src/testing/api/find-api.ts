import { consumerOf, jsonOf, queryOf, revised, type Call } from '../http/call.js';
import type { Routes } from '../http/route-table.js';
import { RULES, checkText, invalid, isObject, listAt, objectAt, textAt, type Json } from '../store/field-rules.js';
import type { InstanceRecord } from '../store/records.js';
import { RegistryError } from '../store/registry-error.js';
import type { FindQuery, Found } from '../store/tenant.js';

/**
 * Questions at once. Service-center has no such bound; but two megabytes of them have room for 50,000 that are all answered with the same
 * ten thousand instances.
 */
const MAX_QUESTIONS = 1_000;

/** Finding instances by the name of their service, one at a time and many at once. */
export const FIND_API: Routes = {
  'GET /v4/:project/registry/instances': (call) => {
    const serviceName = queryOf(call, 'serviceName');
    const { instances, revision } = find(call, {
      ...consumerOf(call),
      appId: queryOf(call, 'appId'),
      serviceName,
      alias: serviceName,
      environment: queryOf(call, 'env'),
      tags: queryOf(call, 'tags').split(',').filter(Boolean),
    });
    return revised(call, revision, () => listed(instances));
  },

  'POST /v4/:project/registry/instances/action': (call) => {
    const action = queryOf(call, 'type');
    if (action !== 'query') invalid(`Invalid action: ${action}`);
    const json = jsonOf(call);
    const services = listAt(json, 'services') ?? [];
    const instances = listAt(json, 'instances') ?? [];
    if (services.length === 0 && instances.length === 0) invalid('Required services or instances');
    if (services.length + instances.length > MAX_QUESTIONS)
      invalid(`more than ${MAX_QUESTIONS} services and instances`);
    return {
      body: {
        ...(services.length > 0 ? { services: batch(services, (item) => findService(call, item)) } : {}),
        ...(instances.length > 0 ? { instances: batch(instances, (item) => findInstance(call, item)) } : {}),
      },
    };
  },
};

/** The registry itself is found in every tenant. */
function find(call: Call, query: FindQuery): Found {
  checkText('appId', query.appId, RULES.app);
  checkText('serviceName', query.serviceName, RULES.nameOrAlias);
  checkText('environment', query.environment ?? '', RULES.environment);
  if (query.appId === 'default' && query.serviceName === 'SERVICECENTER') {
    return call.registry.self.find({ appId: query.appId, serviceName: query.serviceName });
  }
  return call.tenant.find(query);
}

/** An item of `services`: found by name only, never by an alias. */
function findService(call: Call, item: Json): Found {
  const service = objectAt(item, 'service') ?? invalid("field 'service' is missing");
  return find(call, {
    ...consumerOf(call),
    appId: textAt(service, 'appId') ?? '',
    serviceName: textAt(service, 'serviceName') ?? '',
    environment: textAt(service, 'environment') ?? '',
  });
}

/** An item of `instances`. */
function findInstance(call: Call, item: Json): Found {
  const key = objectAt(item, 'instance') ?? invalid("field 'instance' is missing");
  const service = call.tenant.services.get(textAt(key, 'serviceId') ?? '');
  const instance = call.tenant.instances.find(service.serviceId, textAt(key, 'instanceId') ?? '');
  if (instance === undefined) throw new RegistryError(400017, 'provider instance does not exist');
  return { instances: [instance], revision: call.tenant.revisionOf(service) };
}

interface Updated {
  readonly index: number;
  readonly rev: string;
  readonly instances?: readonly InstanceRecord[];
}

/** What a list of questions is answered with: per item, by its index, and failures by their code. */
function batch(items: readonly unknown[], ask: (item: Json) => Found): object {
  const notModified: number[] = [];
  const updated: Updated[] = [];
  const failed = new Map<number, { readonly indexes: number[]; readonly error: RegistryError }>();
  for (const [index, item] of items.entries()) {
    if (!isObject(item)) invalid('Unmarshal error');
    try {
      const { instances, revision } = ask(item);
      if (textAt(item, 'rev') === revision) notModified.push(index);
      else updated.push({ index, rev: revision, ...listed(instances) });
    } catch (error) {
      // A name that is none spoils the answers to all the others, too.
      if (!(error instanceof RegistryError) || error.code === 400001) throw error;
      const same = failed.get(error.code);
      if (same === undefined) failed.set(error.code, { indexes: [index], error });
      else same.indexes.push(index);
    }
  }
  return {
    ...(failed.size > 0 ? { failed: [...failed.values()] } : {}),
    ...(notModified.length > 0 ? { notModified } : {}),
    ...(updated.length > 0 ? { updated } : {}),
  };
}

/** Empty lists are left out, as service-center leaves them out. */
function listed(instances: readonly InstanceRecord[]): { readonly instances?: readonly InstanceRecord[] } {
  return instances.length === 0 ? {} : { instances };
}
