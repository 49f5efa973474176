import { SERVICE } from '../net/request-head.js';
import { BARE, FULL, type MesherVariant } from './mesher-variants.js';

/** Id of the variant without any policy, against which the others are held. */
export const POLICY_BASE = 'policy-none';
/** Id of the variant with all of them. */
export const POLICY_ALL = 'policy-all';

const LOADBALANCE = 'loadbalance,transport';

/** Handler chain with these handlers before the two that are always there. */
function chainOf(handlers: string): readonly string[] {
  const names = handlers === '' ? LOADBALANCE : `${handlers},${LOADBALANCE}`;
  return ['  handler:', '    chain:', '      Consumer:', `        outgoing: ${names}`];
}

/** Rules that no request of the bench fits, before one that all fit: each request is held against all of them. */
const ROUTE_RULES = `servicecomb.routeRule:
  ${SERVICE}:
    - precedence: 3
      match: {headers: {x-user: {exact: nobody}}}
      route: [{tags: {version: 9.9.9}, weight: 100}]
    - precedence: 2
      match: {headers: {x-user: {regex: '^(root|admin)-[0-9]+$'}}}
      route: [{tags: {version: 9.9.9}, weight: 100}]
    - precedence: 1
      route: [{tags: {version: 0.0.1}, weight: 60}, {tags: {version: 0.0.1}, weight: 40}]
`;

const MARKS = `servicecomb.match:
  users: {matches: [{headers: {x-user: {exact: nobody}}}]}
  pages: {matches: [{apiPath: {contains: '/'}, method: [GET]}]}
`;

/** A limit that is never reached. */
const RATE_LIMIT = `cse: {flowcontrol: {Consumer: {qps: {limit: {${SERVICE}: 10000000}}}}}\n`;

const breakers = (scope: string): string =>
  `cse: {circuitBreaker: {scope: ${scope}, Consumer: {enabled: true}}, isolation: {Consumer: {maxConcurrentRequests: 1000}}}\n`;

/** A fault for a caller that never comes. */
const FAULTS = `cse:
  governance:
    Consumer:
      ${SERVICE}:
        policy:
          fault:
            match: {headers: {x-user: {exact: nobody}}}
            protocols: {rest: {abort: {percent: 100, httpStatus: 503}}}
`;

const RETRIES = 'retryEnabled: true, retryOnNext: 2, retryOn: [5xx, reset, timeout], perTryTimeoutMs: 5000';
const HEDGING = 'hedging: {enabled: true, delayMs: 5000}';
const OUTLIERS = 'outlier: {enabled: true}';

/** Text of load_balancing.yaml with these settings. */
const balance = (...settings: readonly string[]): string => `cse.loadbalance: {${settings.join(', ')}}\n`;
const strategy = (name: string): string => `strategy: {name: ${name}}`;

/** A sidecar with one handler, metrics off, and the settings that make it work on each request. */
function only(id: string, words: string, handlers: string, policies: string): MesherVariant {
  return {
    id: `policy-${id}`,
    words,
    chassisLines: chainOf(handlers),
    env: BARE.env,
    files: { 'load_balancing.yaml': policies },
  };
}

/**
 * Each policy by itself, with metrics off, on top of what picks an instance and sends; and all of them together, with metrics. All have
 * two endpoints (two names of the same upstream), so that there is something to choose.
 */
export const POLICY_VARIANTS: readonly MesherVariant[] = [
  { ...BARE, id: POLICY_BASE, words: 'no policy' },
  { ...BARE, id: 'policy-metrics', words: 'metrics', env: {} },
  only('router', 'router: 3 rules, one with an expression', 'router', ROUTE_RULES),
  only('marks', 'traffic-marker: 2 match groups', 'traffic-marker', MARKS),
  only('ratelimit', 'ratelimiter-consumer', 'ratelimiter-consumer', RATE_LIMIT),
  only('breaker', 'bizkeeper-consumer: breaker of the service, bulkhead', 'bizkeeper-consumer', breakers('service')),
  only('breaker-api', 'bizkeeper-consumer: breakers by API, bulkhead', 'bizkeeper-consumer', breakers('api')),
  only('breaker-instance', 'bizkeeper-consumer: breakers by instance', 'bizkeeper-consumer', breakers('instance')),
  only('fault', 'fault-inject: by a header', 'fault-inject', FAULTS),
  only('retry', 'retries on statuses, time per attempt', '', balance(RETRIES)),
  only('hedging', 'hedging', '', balance(HEDGING)),
  only('outlier', 'outlier ejection', '', balance(OUTLIERS)),
  only('least-request', 'LeastRequest', '', balance(strategy('LeastRequest'))),
  only('ewma', 'PeakEWMA', '', balance(strategy('PeakEWMA'))),
  only('weighted', 'WeightedResponse', '', balance(strategy('WeightedResponse'))),
  only('maglev', 'Maglev by a header', '', balance(strategy('Maglev'), 'hash: {header: traceparent}')),
  only('sticky', 'SessionStickiness', '', balance(strategy('SessionStickiness'))),
  {
    ...FULL,
    id: POLICY_ALL,
    words: 'default chain and metrics, all of the above configured (PeakEWMA)',
    files: {
      'router.yaml': ROUTE_RULES + MARKS,
      'rate_limiting.yaml': RATE_LIMIT,
      'circuit_breaker.yaml': breakers('api'),
      'fault.yaml': FAULTS,
      'load_balancing.yaml': balance(RETRIES, HEDGING, OUTLIERS, strategy('PeakEWMA')),
    },
  },
];
