import { EMPTY, jsonOf, param, queryOf, type Call } from '../http/call.js';
import type { Routes } from '../http/route-table.js';
import { invalid, isObject, listAt, objectAt, textAt, type Json } from '../store/field-rules.js';
import type { ServiceRecord } from '../store/records.js';
import { RegistryError } from '../store/registry-error.js';
import { nameKey } from '../store/service-table.js';

const DEPENDENCIES = '/v4/:project/registry/dependencies';

/** Who uses whom: what a service is told of by its watch. */
export const DEPENDENCIES_API: Routes = {
  [`POST ${DEPENDENCIES}`]: (call) => {
    for (const { consumer, providers } of readDependencies(call)) {
      for (const provider of providers) call.tenant.addDependency(consumer.serviceId, provider);
    }
    return EMPTY;
  },

  [`PUT ${DEPENDENCIES}`]: (call) => {
    for (const { consumer, providers } of readDependencies(call)) {
      call.tenant.setDependencies(consumer.serviceId, providers);
    }
    return EMPTY;
  },

  'GET /v4/:project/registry/microservices/:consumerId/providers': (call) => {
    const consumer = call.tenant.services.get(param(call, 'consumerId'));
    const providers = withoutSelf(call, consumer, call.tenant.providersOf(consumer.serviceId));
    return { body: providers.length === 0 ? {} : { providers } };
  },

  'GET /v4/:project/registry/microservices/:providerId/consumers': (call) => {
    const provider = call.tenant.services.get(param(call, 'providerId'));
    const ids = call.tenant.consumersOf(provider);
    const consumers = withoutSelf(
      call,
      provider,
      ids.flatMap((id) => call.tenant.services.find(id) ?? []),
    );
    return { body: consumers.length === 0 ? {} : { consumers } };
  },
};

interface Dependency {
  readonly consumer: ServiceRecord;
  readonly providers: readonly string[];
}

function readDependencies(call: Call): readonly Dependency[] {
  const list = listAt(jsonOf(call), 'dependencies') ?? [];
  if (list.length === 0 || list.length > 100) invalid("field 'dependencies' must have 1 to 100 items");
  return list.map((one) => {
    const item = isObject(one) ? one : invalid('dependencies');
    const consumer = readConsumer(call, objectAt(item, 'consumer') ?? invalid("field 'consumer' is missing"));
    const providers = (listAt(item, 'providers') ?? []).map((provider) => readProvider(consumer, provider));
    return { consumer, providers };
  });
}

function readConsumer(call: Call, json: Json): ServiceRecord {
  const environment = textAt(json, 'environment');
  const version = textAt(json, 'version') ?? '';
  const key = { environment, appId: textAt(json, 'appId') ?? '', serviceName: textAt(json, 'serviceName') ?? '' };
  const consumer = call.tenant.services.versionsOf(key).find((service) => service.version === version);
  if (consumer === undefined) throw new RegistryError(400012, `Consumer ${nameKey(key)}/${version} does not exist.`);
  return consumer;
}

function readProvider(consumer: ServiceRecord, provider: unknown): string {
  const json = isObject(provider) ? provider : invalid('providers');
  const serviceName = textAt(json, 'serviceName');
  if (!serviceName) invalid('Required provider serviceName');
  return nameKey({
    environment: textAt(json, 'environment') || consumer.environment,
    appId: textAt(json, 'appId') || consumer.appId,
    serviceName,
  });
}

function withoutSelf(call: Call, self: ServiceRecord, services: readonly ServiceRecord[]): readonly ServiceRecord[] {
  return queryOf(call, 'noSelf') === '1' ? services.filter(({ serviceId }) => serviceId !== self.serviceId) : services;
}
