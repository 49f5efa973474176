import { EMPTY, consumerOf, jsonOf, param, queryOf, revised, type Call } from '../http/call.js';
import type { Routes } from '../http/route-table.js';
import { checkText, invalid, isObject, listAt, objectAt, RULES, textAt, textsAt } from '../store/field-rules.js';
import { readInstance, readStatus } from '../store/read-records.js';
import { RegistryError } from '../store/registry-error.js';

const INSTANCES = '/v4/:project/registry/microservices/:serviceId/instances';
const INSTANCE = `${INSTANCES}/:instanceId`;

/** Instances of a service version and their leases. */
export const INSTANCES_API: Routes = {
  [`POST ${INSTANCES}`]: (call) => {
    const instance = readInstance(objectAt(jsonOf(call), 'instance') ?? invalid("field 'instance' is missing"));
    return { body: { instanceId: call.tenant.registerInstance(param(call, 'serviceId'), instance) } };
  },

  [`GET ${INSTANCES}`]: (call) => {
    checkConsumer(call);
    const service = call.tenant.services.get(param(call, 'serviceId'));
    const instances = call.tenant.instances.list(service.serviceId);
    return revised(call, call.tenant.revisionOf(service), () => (instances.length === 0 ? {} : { instances }));
  },

  [`GET ${INSTANCE}`]: (call) => {
    checkConsumer(call);
    const service = call.tenant.services.get(param(call, 'serviceId'));
    const instance = call.tenant.instances.find(service.serviceId, param(call, 'instanceId'));
    if (instance === undefined) throw new RegistryError(400017, 'provider instance does not exist');
    return revised(call, call.tenant.revisionOf(service), () => ({ instance }));
  },

  [`DELETE ${INSTANCE}`]: (call) => {
    if (!call.tenant.instances.remove(...ids(call))) noInstance();
    return EMPTY;
  },

  [`PUT ${INSTANCE}/heartbeat`]: (call) => {
    if (!call.tenant.instances.renew(...ids(call))) noInstance();
    return EMPTY;
  },

  [`PUT ${INSTANCE}/status`]: (call) => {
    call.tenant.instances.setStatus(...ids(call), readStatus(queryOf(call, 'value')));
    return EMPTY;
  },

  [`PUT ${INSTANCE}/properties`]: (call) => {
    call.tenant.instances.setProperties(...ids(call), textsAt(jsonOf(call), 'properties') ?? {});
    return EMPTY;
  },

  'PUT /v4/:project/registry/heartbeats': (call) => {
    const asked = listAt(jsonOf(call), 'instances') ?? [];
    if (asked.length === 0) invalid('Request format invalid.');
    const seen = new Set<string>();
    const instances = asked.flatMap((one) => {
      if (!isObject(one)) invalid('Unmarshal error');
      const serviceId = textAt(one, 'serviceId') ?? '';
      const instanceId = textAt(one, 'instanceId') ?? '';
      if (seen.has(`${serviceId}/${instanceId}`)) return [];
      seen.add(`${serviceId}/${instanceId}`);
      const renewed = call.tenant.instances.renew(serviceId, instanceId);
      return [{ serviceId, instanceId, ...(renewed ? {} : { errMessage: 'leaseId not exist, instance not exist.' }) }];
    });
    return { body: { instances } };
  },
};

/** @throws RegistryError 400012 when `X-ConsumerId` names nobody */
function checkConsumer(call: Call): void {
  const { consumerId } = consumerOf(call);
  if (consumerId !== undefined && call.tenant.services.find(consumerId) === undefined) {
    throw new RegistryError(400012, `Consumer[${consumerId}] does not exist.`);
  }
}

function ids(call: Call): [serviceId: string, instanceId: string] {
  return [
    checkText('serviceId', param(call, 'serviceId'), RULES.serviceId),
    checkText('instanceId', param(call, 'instanceId'), RULES.instanceId),
  ];
}

function noInstance(): never {
  throw new RegistryError(400017, 'instance not exist.');
}
