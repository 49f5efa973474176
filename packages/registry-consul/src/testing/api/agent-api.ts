import { AgentError, bad } from '../http/agent-error.js';
import { flagOf, goBoolean, jsonOf, param, type Call, type Routes } from '../http/call.js';
import { DATACENTER, NODE_ADDRESS, NODE_NAME } from '../store/agent-store.js';
import { readDefinition } from '../store/read-definition.js';
import type { CheckRecord, ServiceRecord, Status } from '../store/records.js';

const DEFAULT_REASON =
  'Maintenance mode is enabled for this service, but no reason was provided. This is a default message.';

/** The agent and what is registered with it. */
export const AGENT_API: Routes = {
  'GET /v1/agent/self': ({ rights }) => {
    rights.needAll('agent:read');
    const Config = {
      Datacenter: DATACENTER,
      PrimaryDatacenter: DATACENTER,
      NodeName: NODE_NAME,
      NodeID: NODE_NAME,
      Server: true,
    };
    return { body: { Config, Member: { Name: NODE_NAME, Addr: NODE_ADDRESS, Tags: { dc: DATACENTER } }, Meta: {} } };
  },
  'GET /v1/agent/members': () => ({
    body: [{ Name: NODE_NAME, Addr: NODE_ADDRESS, Tags: { dc: DATACENTER }, Status: 1 }],
  }),

  'GET /v1/agent/services': ({ store, rights, query }) => ({
    body: Object.fromEntries(
      store
        .services()
        .filter(({ Service }) => rights.may('serviceRead', Service))
        .filter(filterOf(query.get('filter') ?? ''))
        .map((service) => [service.ID, asAgentSees(service)]),
    ),
  }),
  'GET /v1/agent/checks': ({ store, rights }) => ({
    body: Object.fromEntries(
      store
        .checks()
        .filter(({ ServiceName }) => rights.may('serviceRead', ServiceName))
        .map((check) => [check.CheckID, check]),
    ),
  }),
  'GET /v1/agent/service/:id': (call) => {
    const service = call.store.service(param(call, 'id'));
    if (service === undefined) {
      throw new AgentError(
        404,
        `unknown service ID: ${param(call, 'id')}. Ensure that the service ID is passed, not the service name.`,
      );
    }
    return { body: asAgentSees(service) };
  },
  'GET /v1/agent/health/service/id/:id': (call) => {
    const service = call.store.service(param(call, 'id'));
    if (service === undefined) throw new AgentError(404, `ServiceId ${param(call, 'id')} not found`);
    const checks = call.store.checksOf(service.ID);
    const status = aggregated(checks);
    const code = { passing: 200, warning: 429, critical: 503, maintenance: 503 }[status];
    if (call.query.get('format') === 'text') return { status: code, body: status };
    return { status: code, body: { AggregatedStatus: status, Service: asAgentSees(service), Checks: checks } };
  },

  'PUT /v1/agent/service/register': (call) => {
    const definition = readDefinition(jsonOf(call));
    call.rights.need('serviceWrite', definition.service.Service);
    call.store.register(definition, ['', '1', 'true'].includes(call.query.get('replace-existing-checks') ?? 'false'));
    return {};
  },
  'PUT /v1/agent/service/deregister/:id': (call) => {
    needService(call);
    call.store.deregister(param(call, 'id'));
    return {};
  },
  'PUT /v1/agent/service/maintenance/:id': (call) => {
    const { query, store } = call;
    if (!flagOf(call, 'enable')) bad('Missing value for enable');
    const text = query.get('enable') ?? '';
    const isOn = goBoolean(text, `Invalid value for enable: ${JSON.stringify(text)}`);
    const { ID } = needService(call);
    const checkId = `_service_maintenance:${ID}`;
    if (!isOn) store.removeCheck(checkId);
    else if (store.check(checkId) === undefined) {
      const notes = query.get('reason') || DEFAULT_REASON;
      const times = { interval: '', timeout: '', deregisterAfterMs: undefined };
      const kind = { type: 'maintenance' } as const;
      store.addCheck({ checkId, name: 'Service Maintenance Mode', notes, status: 'critical', kind, ...times }, ID);
    }
    return {};
  },
};

/** @throws AgentError 404, 403 */
function needService(call: Call): ServiceRecord {
  const id = param(call, 'id');
  const service = call.store.service(id);
  if (service === undefined) {
    throw new AgentError(
      404,
      `Unknown service ID ${JSON.stringify(id)}. Ensure that the service ID is passed, not the service name.`,
    );
  }
  call.rights.need('serviceWrite', service.Service);
  return service;
}

/** The simplest of Consul's filters, `ID == "web-1"`. @throws AgentError 500 for others, which this agent cannot read */
function filterOf(text: string): (service: ServiceRecord) => boolean {
  if (text === '') return () => true;
  const [, field, value = '""'] = /^(ID|Service) == ("(?:[^"\\\\]|\\\\.)*")$/.exec(text.trim()) ?? [];
  if (field !== 'ID' && field !== 'Service') {
    throw new AgentError(500, `Failed to create boolean expression evaluator: ${text}`);
  }
  const expected: unknown = JSON.parse(value);
  return (service) => service[field] === expected;
}

/** An instance as its agent tells of it; in which write it came is a matter of the catalog. */
function asAgentSees({ CreateIndex: _, ModifyIndex: __, ...service }: ServiceRecord): object {
  return { ...service, Datacenter: DATACENTER };
}

/** The worst of several. */
export function aggregated(checks: readonly CheckRecord[]): Status | 'maintenance' {
  if (checks.some(({ CheckID }) => CheckID.startsWith('_service_maintenance:'))) return 'maintenance';
  for (const status of ['critical', 'warning'] as const) {
    if (checks.some(({ Status }) => Status === status)) return status;
  }
  return 'passing';
}
