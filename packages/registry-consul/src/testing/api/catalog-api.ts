import { param, type Call, type Indexed, type Routes } from '../http/call.js';
import { DATACENTER, NODE_ADDRESS, NODE_NAME, type AgentStore } from '../store/agent-store.js';
import { isStatus, type CheckRecord, type ServiceRecord } from '../store/records.js';
import { bad } from '../http/agent-error.js';

/** The service that Consul itself is. */
const CONSUL: ServiceRecord = {
  ID: 'consul',
  Service: 'consul',
  Tags: [],
  Address: '',
  Port: 8300,
  Meta: {},
  Weights: { Passing: 1, Warning: 1 },
  EnableTagOverride: false,
  TaggedAddresses: {},
  CreateIndex: 12,
  ModifyIndex: 12,
};

const NODE = {
  ID: '00000000-0000-0000-0000-000000000001',
  Node: NODE_NAME,
  Address: NODE_ADDRESS,
  Datacenter: DATACENTER,
  TaggedAddresses: { lan: NODE_ADDRESS, wan: NODE_ADDRESS },
  Meta: {},
  CreateIndex: 10,
  ModifyIndex: 11,
};

/** The check that Consul makes of the node itself. */
const NODE_CHECK: CheckRecord = {
  Node: NODE_NAME,
  CheckID: 'serfHealth',
  Name: 'Serf Health Status',
  Status: 'passing',
  Notes: '',
  Output: 'Agent alive and reachable',
  ServiceID: '',
  ServiceName: '',
  ServiceTags: [],
  Type: '',
  Interval: '',
  Timeout: '',
  Definition: {},
  CreateIndex: 10,
  ModifyIndex: 10,
};

/** The catalog of the cluster, with and without health. */
export const CATALOG_API: Routes = {
  'GET /v1/health/service/:name': (call) =>
    call.blocking(() => {
      const { store, query } = call;
      const name = param(call, 'name');
      const only = query.has('passing') && !['0', 'false'].includes(query.get('passing') ?? '');
      const entries = visible(call, name)
        .map((service) => ({
          Node: NODE,
          Service: asHealthSees(service),
          Checks: [NODE_CHECK, ...store.checksOf(service.ID)],
        }))
        .filter(({ Checks }) => !only || Checks.every(({ Status }) => Status === 'passing'));
      return indexed(call, name, entries);
    }),
  'GET /v1/health/checks/:name': (call) =>
    call.blocking(() => {
      const name = param(call, 'name');
      const mine = call.store.checks().filter(({ ServiceName }) => ServiceName === name);
      return indexed(call, name, call.rights.maySee(name) ? mine : []);
    }),
  'GET /v1/health/state/:state': (call) =>
    call.blocking(() => {
      const state = param(call, 'state');
      if (state !== 'any' && !isStatus(state)) bad(`Invalid state`);
      const all = [NODE_CHECK, ...call.store.checks()].filter(({ Status }) => state === 'any' || Status === state);
      return { index: call.store.indexes.ofCatalog, body: all };
    }),
  'GET /v1/catalog/service/:name': (call) =>
    call.blocking(() => {
      const name = param(call, 'name');
      return indexed(call, name, visible(call, name).map(asCatalogSees));
    }),
  'GET /v1/catalog/services': (call) =>
    call.blocking(() => {
      const tags = new Map<string, Set<string>>();
      let filtered = false;
      for (const { Service, Tags } of [CONSUL, ...call.store.services()]) {
        if (!call.rights.may('serviceRead', Service)) filtered = true;
        else tags.set(Service, new Set([...(tags.get(Service) ?? []), ...Tags]));
      }
      const body = Object.fromEntries([...tags].map(([name, set]) => [name, [...set].sort()]));
      return { index: call.store.indexes.ofCatalog, body, filtered };
    }),
  'GET /v1/catalog/nodes': (call) => call.blocking(() => ({ index: call.store.indexes.ofCatalog, body: [NODE] })),
  'GET /v1/catalog/datacenters': () => ({ body: [DATACENTER] }),
};

function instances(store: AgentStore, name: string): readonly ServiceRecord[] {
  return name === CONSUL.Service ? [CONSUL] : store.services(name);
}

/** Instances with all tags of the query that the token may see. */
function visible({ store, query, rights }: Call, name: string): readonly ServiceRecord[] {
  if (!rights.maySee(name)) return [];
  const tags = query.getAll('tag');
  return instances(store, name).filter(({ Tags }) => tags.every((tag) => Tags.includes(tag)));
}

function indexed({ store, rights }: Call, name: string, body: readonly object[]): Indexed {
  const filtered = !rights.maySee(name) && instances(store, name).length > 0;
  return { index: store.indexes.ofService(name), body, filtered };
}

/** What is empty is null, or left out. */
function asHealthSees({ Port, Meta, TaggedAddresses, ...service }: ServiceRecord): object {
  return {
    ...service,
    ...(Port === 0 ? {} : { Port }),
    Meta: Object.keys(Meta).length === 0 ? null : Meta,
    ...(Object.keys(TaggedAddresses).length === 0 ? {} : { TaggedAddresses }),
  };
}

function asCatalogSees(service: ServiceRecord): object {
  const { ID, Service, Tags, Address, Port, Meta, Weights, EnableTagOverride, TaggedAddresses } = service;
  return {
    ID: NODE.ID,
    Node: NODE.Node,
    Address: NODE.Address,
    Datacenter: NODE.Datacenter,
    TaggedAddresses: NODE.TaggedAddresses,
    NodeMeta: NODE.Meta,
    ServiceID: ID,
    ServiceName: Service,
    ServiceTags: Tags,
    ServiceAddress: Address,
    ServicePort: Port,
    ServiceMeta: Meta,
    ServiceWeights: Weights,
    ServiceEnableTagOverride: EnableTagOverride,
    ServiceTaggedAddresses: TaggedAddresses,
    CreateIndex: service.CreateIndex,
    ModifyIndex: service.ModifyIndex,
  };
}
