import { EMPTY, flagOf, jsonOf, param, queryOf } from '../http/call.js';
import type { Routes } from '../http/route-table.js';
import { RULES, checkText, invalid, isObject, listAt, objectAt, textListAt, textsAt } from '../store/field-rules.js';
import { readInstance, readService } from '../store/read-records.js';
import { RegistryError } from '../store/registry-error.js';

const SERVICES = '/v4/:project/registry/microservices';
const SERVICE = `${SERVICES}/:serviceId`;

/** Services, their properties and tags. */
export const SERVICES_API: Routes = {
  [`POST ${SERVICES}`]: (call) => {
    const json = jsonOf(call);
    const service = readService(objectAt(json, 'service') ?? invalid("field 'service' is missing"));
    const tags = textsAt(json, 'tags');
    const instances = listAt(json, 'instances')?.map((one) => readInstance(isObject(one) ? one : invalid('instances')));
    const serviceId = call.tenant.registerService(service);
    if (tags !== undefined) call.tenant.services.setTags(serviceId, tags);
    for (const instance of instances ?? []) call.tenant.registerInstance(serviceId, instance);
    return { body: { serviceId } };
  },

  [`GET ${SERVICES}`]: ({ tenant }) => ({ body: { services: tenant.services.list() } }),

  [`DELETE ${SERVICES}`]: (call) => {
    const json = jsonOf(call);
    const ids = textListAt(json, 'serviceIds', { min: 1, max: 64 }) ?? invalid("field 'serviceIds' is missing");
    const services = ids.map((serviceId) => {
      try {
        call.tenant.removeService(serviceId, json['force'] === true);
        return { serviceId };
      } catch (error) {
        if (!(error instanceof RegistryError)) throw error;
        return { serviceId, errMessage: error.message };
      }
    });
    return { body: { services } };
  },

  [`GET ${SERVICE}`]: (call) => ({ body: { service: call.tenant.services.get(param(call, 'serviceId')) } }),

  [`DELETE ${SERVICE}`]: (call) => {
    const force = queryOf(call, 'force');
    if (!['', '0', '1', 'true', 'false'].includes(force)) invalid('parameter force must be false or true');
    call.tenant.removeService(param(call, 'serviceId'), flagOf(call, 'force'));
    return EMPTY;
  },

  [`PUT ${SERVICE}/properties`]: (call) => {
    const { tenant } = call;
    tenant.services.setProperties(param(call, 'serviceId'), textsAt(jsonOf(call), 'properties') ?? {}, tenant.now());
    tenant.touch(param(call, 'serviceId'));
    return EMPTY;
  },

  'GET /v4/:project/registry/existence': (call) => {
    const { services } = call.tenant;
    if (queryOf(call, 'type') === 'schema') {
      const serviceId = checkText('serviceId', queryOf(call, 'serviceId'), { ...RULES.serviceId, min: 1 });
      const { schemaId, summary } = services.schema(serviceId, queryOf(call, 'schemaId'));
      return { body: { serviceId, schemaId }, headers: { 'x-schema-summary': summary } };
    }
    if (queryOf(call, 'type') !== 'microservice') invalid('Only micro-service and schema can be used as type.');
    const serviceName = checkText('serviceName', queryOf(call, 'serviceName'), RULES.nameOrAlias);
    const version = checkText('version', queryOf(call, 'version'), RULES.version);
    const appId = checkText('appId', queryOf(call, 'appId'), RULES.app);
    const environment = checkText('env', queryOf(call, 'env'), RULES.environment);
    const versions = services.versionsOf({ serviceName, appId, environment, alias: serviceName });
    const flag = [environment, appId, serviceName, version].join('/');
    if (versions.length === 0) throw new RegistryError(400012, `${flag} does not exist.`);
    const found = versions.find((service) => service.version === version);
    if (found === undefined) throw new RegistryError(400026, `${flag} version mismatch.`);
    return { body: { serviceId: found.serviceId } };
  },

  [`POST ${SERVICE}/tags`]: (call) => {
    call.tenant.services.setTags(param(call, 'serviceId'), textsAt(jsonOf(call), 'tags') ?? {});
    call.tenant.touch(param(call, 'serviceId'));
    return EMPTY;
  },

  [`GET ${SERVICE}/tags`]: (call) => {
    const { tags } = call.tenant.services.extras(param(call, 'serviceId'));
    return { body: Object.keys(tags).length === 0 ? {} : { tags } };
  },

  [`PUT ${SERVICE}/tags/:key`]: (call) => {
    call.tenant.services.setTag(param(call, 'serviceId'), param(call, 'key'), queryOf(call, 'value'));
    call.tenant.touch(param(call, 'serviceId'));
    return EMPTY;
  },

  [`DELETE ${SERVICE}/tags/:key`]: (call) => {
    call.tenant.services.removeTags(param(call, 'serviceId'), param(call, 'key').split(','));
    call.tenant.touch(param(call, 'serviceId'));
    return EMPTY;
  },
};
