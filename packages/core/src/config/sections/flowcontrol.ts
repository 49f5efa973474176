import { whatIsWrongWithPath } from '../../resilience/rate-limit/operation-path.js';
import { s } from '../schema/combinators.js';
import type { Infer } from '../schema/schema.js';

const SHARED = 'Name of a shared-limiter plugin (redis): all sidecars of this service count together.';
const BURST =
  'Calls that may come at once after a pause; a fifth of the limit when left out, or 10 when that is less than 1.';

const ruleSchema = s.object(
  {
    name: s.string({ doc: 'Name in metrics and answers; made of method and path when left out.' }),
    service: s.string({ doc: 'Consumer: the called service; Provider: the calling one. Any when left out.' }),
    method: s.list(s.string(), { commaSeparated: true, doc: 'Methods, in capitals; any when left out.' }),
    path: s.string({ doc: 'Path template: /orders/{id}, or /orders/** with everything below. Any when left out.' }),
    limit: s.number({ required: true, doc: 'Requests per second; 0 lets none through.' }),
    burst: s.number({ min: 1, doc: BURST }),
    shared: s.string({ doc: SHARED }),
  },
  {
    check: ({ path, method, service }) => {
      if (path !== undefined) return whatIsWrongWithPath(path);
      return method === undefined && service === undefined
        ? "a rule for everything is what 'global' is for; name a path, a method or a service"
        : undefined;
    },
  },
);

/** Names with a path (`orders./v1/items/{id}`) end in a template. */
function checkName(name: string): string | undefined {
  if (name.startsWith('/')) return `'${name}' names no service; limits by path alone are what 'qps.rules' is for`;
  const path = name.indexOf('./');
  return path < 0 ? undefined : whatIsWrongWithPath(name.slice(path + 1));
}

const NAMES = 'the name is {service}, {service}.{schema}, {service}.{schema}.{operation} or {service}./path/{template}';

function qpsSchema(whole: boolean) {
  return s.object(
    {
      enabled: s.boolean({ doc: 'Whether the limits apply (true when left out).' }),
      global: s.object({
        limit: s.number({ doc: 'Requests per second for everybody without a limit of their own.' }),
        burst: s.number({ min: 1, doc: BURST }),
        shared: s.string({ doc: SHARED }),
        scope: s.oneOf(['all', 'each'], {
          doc: 'all (when left out): everybody draws from one bucket; each: every service has a bucket of its own of that size (Consumer: every called service, Provider: every calling one).',
        }),
      }),
      limit: s.map(s.number({ doc: `Requests per second; ${NAMES}.` }), { keyName: 'service', checkKey: checkName }),
      burst: s.map(s.number({ min: 1, doc: `${BURST} The name is that of a limit.` }), { keyName: 'service' }),
      shared: s.map(s.string({ doc: `${SHARED} The name before it is that of a limit.` }), { keyName: 'service' }),
      rules: s.list(ruleSchema, { doc: 'Limits by method and path; the first that fits is taken, before all others.' }),
    },
    {
      check: ({ global, limit, burst, shared }) => {
        const lost = [...burst.keys(), ...shared.keys()].find((name) => !limit.has(name));
        if (whole && lost !== undefined) return `burst or shared names '${lost}', for which there is no limit`;
        return whole && global.limit === undefined && (global.burst !== undefined || global.shared !== undefined)
          ? "'global' has a burst or is shared, but has no limit"
          : undefined;
      },
    },
  );
}

const wholeQps = qpsSchema(true);
const partOfQps = qpsSchema(false);

/** `cse.flowcontrol`: rate limits. A block of a source inherits every key that it does not set. */
export const flowcontrolSchema = s.openObject(
  { Consumer: s.object({ qps: wholeQps }), Provider: s.object({ qps: wholeQps }) },
  {
    as: 'sources',
    keyName: 'source',
    each: s.object({
      Consumer: s.object({ qps: partOfQps }),
      Provider: s.object(
        { qps: partOfQps },
        { obsolete: 'limits of a calling service stand in cse.flowcontrol.Provider.qps.limit.{source}' },
      ),
    }),
  },
  { doc: 'How many requests per second are let through.' },
);

/** Limits of one side, or what the block of a source says about it. */
export type QpsConfig = Infer<typeof wholeQps>;
export type FlowcontrolConfig = Infer<typeof flowcontrolSchema>;
