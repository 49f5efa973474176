import { s } from '../schema/combinators.js';

/** Requests per second; the name may be `{service}`, `{service}.{schema}` or `{service}.{schema}.{operation}`. */
function flowcontrolSide() {
  return s.object({
    qps: s.object({
      enabled: s.boolean({ doc: 'Whether the limits apply.' }),
      global: s.object({ limit: s.integer({ doc: 'Requests per second for everybody without a limit of its own.' }) }),
      limit: s.map(s.integer({ doc: 'Requests per second.' }), { keyName: 'service' }),
    }),
  });
}

export const flowcontrolSchema = s.openObject(
  { Consumer: flowcontrolSide(), Provider: flowcontrolSide() },
  {
    as: 'sources',
    keyName: 'source',
    each: s.object({ Consumer: flowcontrolSide(), Provider: flowcontrolSide() }),
  },
  { doc: 'How many requests per second are let through.', notYet: 'limits will act on it', section: 'cse.flowcontrol' },
);
