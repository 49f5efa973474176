import { s } from '../schema/combinators.js';
import type { Fields } from '../schema/object.js';
import type { Notes } from '../schema/schema.js';

const LATER = 'load balancing, breakers, limits and faults will act on it';

/** Properties at the level of the side, and again per service below it. */
function bySide<F extends Fields>(fields: () => F) {
  const side = () => s.openObject(fields(), { as: 'services', keyName: 'service', each: s.object(fields()) });
  return { Consumer: side(), Provider: side() };
}

function notYet(section: string, doc: string): Notes {
  return { doc, notYet: LATER, section };
}

function loadbalanceFields() {
  return {
    strategy: s.object({
      name: s.string({ doc: 'RoundRobin, Random, SessionStickiness, WeightedResponse, or one from a plugin.' }),
    }),
    retryEnabled: s.boolean({ doc: 'Tries a failed call again.' }),
    retryOnSame: s.integer({ min: 0, doc: 'Further attempts on the same instance.' }),
    retryOnNext: s.integer({ min: 0, doc: 'Further instances to try.' }),
    backoff: s.object({
      kind: s.oneOf(['exponential', 'constant', 'zero', 'jittered'], { doc: 'How the waits between attempts grow.' }),
      minMs: s.integer({ min: 0, doc: 'Shortest wait in milliseconds.' }),
      maxMs: s.integer({ min: 0, doc: 'Longest wait in milliseconds.' }),
    }),
    SessionStickinessRule: s.object({
      sessionTimeoutInSeconds: s.integer({ min: 0, doc: 'How long a session stays with its instance.' }),
      successiveFailedTimes: s.integer({ min: 0, doc: 'Failures after which a session is moved.' }),
    }),
  } satisfies Fields;
}

const loadbalanceSchema = s.openObject(
  {
    ...loadbalanceFields(),
    serverListFilters: s.list(s.string(), { commaSeparated: true, doc: 'Filters of instances, such as zoneaware.' }),
  },
  {
    as: 'services',
    keyName: 'service',
    each: s.object({
      ...loadbalanceFields(),
      serverListFilters: s.list(s.string(), { commaSeparated: true, doc: 'Filters of instances.' }),
    }),
  },
  notYet('cse.loadbalance', 'How an instance is chosen, and when a call is tried again.'),
);

const isolation = bySide(() => ({
  timeoutInMilliseconds: s.integer({ min: 0, doc: 'How long a call may take.' }),
  maxConcurrentRequests: s.integer({ min: 0, doc: 'How many calls may be under way.' }),
  timeout: s.object({ enabled: s.boolean({ doc: 'Whether the timeout applies.' }) }),
}));

const circuitBreaker = bySide(() => ({
  enabled: s.boolean({ doc: 'Whether the breaker can open by itself.' }),
  forceOpen: s.boolean({ doc: 'Lets no call through.' }),
  forceClosed: s.boolean({ doc: 'Lets every call through.' }),
  sleepWindowInMilliseconds: s.integer({ min: 0, doc: 'How long the breaker stays open before a probe.' }),
  requestVolumeThreshold: s.integer({ min: 0, doc: 'Calls in the window below which the breaker does not open.' }),
  errorThresholdPercentage: s.number({ min: 0, max: 100, doc: 'Share of failures at which the breaker opens.' }),
}));

const fallback = bySide(() => ({
  enabled: s.boolean({ doc: 'Whether a fallback answers when a call was not let through.' }),
  force: s.boolean({ doc: 'Always falls back.' }),
  maxConcurrentRequests: s.integer({ min: 0, doc: 'How many fallbacks may run at once.' }),
}));

const fallbackPolicy = bySide(() => ({
  policy: s.string({ doc: 'returnnull, throwexception, or one from a plugin.' }),
}));

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

const flowcontrolSchema = s.openObject(
  { Consumer: flowcontrolSide(), Provider: flowcontrolSide() },
  {
    as: 'sources',
    keyName: 'source',
    each: s.object({ Consumer: flowcontrolSide(), Provider: flowcontrolSide() }),
  },
  notYet('cse.flowcontrol', 'How many requests per second are let through.'),
);

function faultPolicy() {
  return s.object({
    fault: s.object({
      protocols: s.map(
        s.object({
          delay: s.object({
            fixedDelay: s.integer({ min: 0, doc: 'Milliseconds to wait.' }),
            percent: s.number({ min: 0, max: 100, doc: 'Share of calls that wait.' }),
          }),
          abort: s.object({
            httpStatus: s.integer({ min: 100, max: 599, doc: 'Status to answer with.' }),
            percent: s.number({ min: 0, max: 100, doc: 'Share of calls that are answered so.' }),
          }),
        }),
        { keyName: 'protocol' },
      ),
    }),
  });
}

function governanceSide() {
  return s.map(
    s.object({
      policy: faultPolicy(),
      route: s.free({ doc: 'Route rules of the service.' }),
      schemas: s.map(s.object({ policy: faultPolicy(), operations: s.free({ doc: 'Policies by operation.' }) }), {
        keyName: 'schema',
      }),
    }),
    { keyName: 'service' },
  );
}

const governanceSchema = s.object(
  { Consumer: governanceSide(), Provider: governanceSide() },
  notYet('cse.governance', 'Faults to inject, by service; `_global` stands for every service.'),
);

/** `cse.*`: what decides about a call once its service is known. */
export const RESILIENCE_SECTIONS = {
  'cse.loadbalance': loadbalanceSchema,
  'cse.isolation': s.object(isolation, notYet('cse.isolation', 'Timeouts and limits on concurrent calls.')),
  'cse.circuitBreaker': s.object(
    {
      scope: s.oneOf(['service', 'instance', 'api', 'instance-api'], { doc: 'What one breaker stands for.' }),
      ...circuitBreaker,
    },
    notYet('cse.circuitBreaker', 'When calls are no longer let through.'),
  ),
  'cse.fallback': s.object(
    fallback,
    notYet('cse.fallback', 'Whether something else answers in place of a failed call.'),
  ),
  'cse.fallbackpolicy': s.object(
    fallbackPolicy,
    notYet('cse.fallbackpolicy', 'What answers in place of a failed call.'),
  ),
  'cse.flowcontrol': flowcontrolSchema,
  'cse.governance': governanceSchema,
};
