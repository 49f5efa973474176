import { flagOf, param, queryOf, type Call } from '../http/call.js';
import type { Routes } from '../http/route-table.js';
import { invalid } from '../store/field-rules.js';
import type { InstanceRecord, ServiceRecord } from '../store/records.js';
import { nameKey } from '../store/service-table.js';
import type { Tenant } from '../store/tenant.js';

const GOVERN = '/v4/:project/govern';
const ALL_PARTS = ['tags', 'instances', 'schemas', 'dependencies'];

/** What consoles ask: everything at once, by tenant. Mesher asks it for the index of IP addresses. */
export const GOVERN_API: Routes = {
  [`GET ${GOVERN}/microservices`]: (call) => {
    const options = queryOf(call, 'options').split(',');
    if (!['', '0', '1'].includes(queryOf(call, 'countOnly'))) invalid('parameter countOnly must be 1 or 0');
    const parts = options.includes('all') ? ALL_PARTS : options;
    const statistics = options.includes('all') || options.includes('statistics') ? statisticsOf(call) : {};
    if (options.length === 1 && options[0] === 'statistics') return { body: statistics };
    const details = tenantsOf(call).flatMap((tenant) =>
      tenant.services
        .list()
        .filter((service) => isAskedFor(call, service))
        .map((service) => overview(tenant, service, parts)),
    );
    return { body: { ...(details.length > 0 ? { allServicesDetail: details } : {}), ...statistics } };
  },

  [`GET ${GOVERN}/microservices/:serviceId`]: (call) => {
    const { tenant } = call;
    const service = tenant.services.get(param(call, 'serviceId'));
    const versions = tenant.services.versionsOf(service).map(({ version }) => version);
    const detail = detailOf(tenant, service, ALL_PARTS);
    return { body: { service: { microService: service, ...detail, microServiceVersions: versions } } };
  },

  [`GET ${GOVERN}/apps`]: (call) => {
    const environment = queryOf(call, 'env');
    const services = tenantsOf(call).flatMap((tenant) => tenant.services.list());
    const appIds = services.filter((one) => (one.environment ?? '') === environment).map(({ appId }) => appId);
    return { body: appIds.length === 0 ? {} : { appIds: [...new Set(appIds)] } };
  },

  [`GET ${GOVERN}/statistics`]: (call) => ({ body: statisticsOf(call) }),

  [`GET ${GOVERN}/relations`]: (call) => {
    const services = tenantsOf(call).flatMap((tenant) => tenant.services.list());
    const nodes = services.map(({ serviceId, serviceName, appId, version }) => ({
      id: serviceId,
      name: serviceName,
      appId,
      version,
    }));
    const lines = nodes.flatMap((from) =>
      call.tenant.providersOf(from.id).map((to) => ({ from, to: { id: to.serviceId, name: to.serviceName } })),
    );
    return { body: { nodes, lines } };
  },
};

/** The asking tenant and, when it wants what is shared, the registry itself. */
function tenantsOf(call: Call): readonly Tenant[] {
  return flagOf(call, 'withShared') ? [call.registry.self, call.tenant] : [call.tenant];
}

function isAskedFor(call: Call, service: ServiceRecord): boolean {
  const wanted = { env: service.environment ?? '', appId: service.appId, serviceName: service.serviceName };
  const named = Object.entries(wanted).every(([name, value]) => ['', value].includes(queryOf(call, name)));
  const properties = call.query.getAll('property').map((pair) => pair.split(':'));
  return named && properties.every(([name = '', ...value]) => service.properties?.[name] === value.join(':'));
}

/** As the overview shows it: without names of contracts and properties of instances. */
function overview(tenant: Tenant, { schemas: _, ...service }: ServiceRecord, parts: readonly string[]): object {
  const { instances, ...detail } = detailOf(tenant, service, parts);
  return {
    microService: service,
    ...(instances === undefined ? {} : { instances: instances.map(({ properties: _, ...instance }) => instance) }),
    ...detail,
  };
}

interface Detail {
  readonly instances?: readonly InstanceRecord[];
}

function detailOf(tenant: Tenant, service: ServiceRecord, parts: readonly string[]): Detail {
  const { serviceId } = service;
  const { tags, schemas } = tenant.services.extras(serviceId);
  const others = (services: readonly (ServiceRecord | undefined)[]): readonly ServiceRecord[] =>
    services.filter((one): one is ServiceRecord => one !== undefined && one.serviceId !== serviceId);
  const consumers = tenant.consumersOf(service).map((id) => tenant.services.find(id));
  const all: Readonly<Record<string, Readonly<Record<string, object>>>> = {
    tags: { tags },
    instances: { instances: tenant.instances.list(serviceId) },
    schemas: { schemaInfos: schemas },
    dependencies: { providers: others(tenant.providersOf(serviceId)), consumers: others(consumers) },
  };
  const shown = parts.flatMap((part) => Object.entries(all[part] ?? {}));
  return Object.fromEntries(shown.filter(([, value]) => Object.keys(value).length > 0));
}

function statisticsOf({ tenant }: Call): object {
  const services = tenant.services.list();
  const online = services.filter(({ serviceId }) => tenant.instances.list(serviceId).length > 0);
  const counted = (count: number): object => (count === 0 ? {} : { count });
  const names = new Set(services.map(nameKey));
  const onlineNames = new Set(online.map(nameKey));
  const instances = tenant.instances.count();
  return {
    statistics: {
      services: { ...counted(names.size), ...(onlineNames.size === 0 ? {} : { onlineCount: onlineNames.size }) },
      instances: { ...counted(instances), ...(instances === 0 ? {} : { countByDomain: instances }) },
      apps: counted(new Set(services.map(({ appId }) => appId)).size),
    },
  };
}
