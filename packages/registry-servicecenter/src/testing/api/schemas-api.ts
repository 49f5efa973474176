import { EMPTY, jsonOf, param, queryOf } from '../http/call.js';
import type { Routes } from '../http/route-table.js';
import { invalid, isObject, listAt } from '../store/field-rules.js';
import { readSchema } from '../store/read-records.js';

const SCHEMAS = '/v4/:project/registry/microservices/:serviceId/schemas';
const SCHEMA = `${SCHEMAS}/:schemaId`;

/** Contracts of service versions. */
export const SCHEMAS_API: Routes = {
  [`GET ${SCHEMAS}`]: (call) => {
    const withSchema = queryOf(call, 'withSchema');
    if (!['', '0', '1'].includes(withSchema)) invalid('parameter withSchema must be 1 or 0');
    const { services } = call.tenant;
    const { schemas: named = [] } = services.get(param(call, 'serviceId'));
    const stored = new Map(services.extras(param(call, 'serviceId')).schemas.map((one) => [one.schemaId, one]));
    const schemas = named.map((schemaId) => {
      const { summary, schema } = stored.get(schemaId) ?? {};
      return {
        schemaId,
        ...(summary ? { summary } : {}),
        ...(withSchema === '1' && schema !== undefined ? { schema } : {}),
      };
    });
    return { body: schemas.length === 0 ? {} : { schemas } };
  },

  [`POST ${SCHEMAS}`]: (call) => {
    const schemas = (listAt(jsonOf(call), 'schemas') ?? []).map((one) =>
      readSchema(isObject(one) ? one : invalid('schemas')),
    );
    call.tenant.services.replaceSchemas(param(call, 'serviceId'), schemas, call.tenant.now());
    call.tenant.touch(param(call, 'serviceId'));
    return EMPTY;
  },

  [`GET ${SCHEMA}`]: (call) => {
    const { schema, summary } = call.tenant.services.schema(param(call, 'serviceId'), param(call, 'schemaId'));
    return { body: { schema }, headers: { 'x-schema-summary': summary } };
  },

  [`PUT ${SCHEMA}`]: (call) => {
    const schema = readSchema({ ...jsonOf(call), schemaId: param(call, 'schemaId') });
    call.tenant.services.putSchemas(param(call, 'serviceId'), [schema], call.tenant.now());
    call.tenant.touch(param(call, 'serviceId'));
    return EMPTY;
  },

  [`DELETE ${SCHEMA}`]: (call) => {
    call.tenant.services.removeSchema(param(call, 'serviceId'), param(call, 'schemaId'));
    call.tenant.touch(param(call, 'serviceId'));
    return EMPTY;
  },
};
