import { expect } from 'chai';
import { loadFiles, NAMED } from '../../testing/load-files.js';

const ROUTE = '[{ route: [{ weight: 1 }] }]';
const MATCHES = '{ matches: [{ method: GET }] }';
const LIMIT = '{ qps: { limit: { world: 1 } } }';
const POLICY = '{"policyType": "RATE", "ruleItems": [{"groupCondition": "version=1", "policyCondition": "5"}]}';

/** Groups whose names are free: the key, what stands below the name, and the value that comes of it. */
const GROUPS: readonly (readonly [group: string, below: string, value: string, text?: 'may be a text'])[] = [
  ['servicecomb.routeRule', ROUTE, '[0].route[0].weight', 'may be a text'],
  ['cse.routeRule', ROUTE, '[0].route[0].weight', 'may be a text'],
  ['servicecomb.darklaunch.policy', POLICY, '.ruleItems[0].policyCondition', 'may be a text'],
  ['servicecomb.match', MATCHES, '.matches[0].method', 'may be a text'],
  ['servicecomb.matchGroup', MATCHES, '.matches[0].method', 'may be a text'],
  ['servicecomb.match', '{ method: GET }', '.matches[0].method', 'may be a text'],
  ['servicecomb.sourceTemplate', '{ source: web }', '.source', 'may be a text'],
  ['egressRule', '[{ hosts: [www.example.com] }]', '[0].hosts[0]', 'may be a text'],
  ['servicecomb.rateLimiting', '{ rate: 5 }', '.rate', 'may be a text'],
  ['servicecomb.retry', '{ maxAttempts: 5 }', '.maxAttempts', 'may be a text'],
  ['servicecomb.circuitBreaker', '{ forceOpen: true }', '.forceOpen', 'may be a text'],
  ['servicecomb.bulkhead', '{ maxConcurrentCalls: 5 }', '.maxConcurrentCalls', 'may be a text'],
  ['servicecomb.faultInjection', '{ percentage: 5, delayTime: 1 }', '.percentage', 'may be a text'],
  ['cse.loadbalance', '{ strategy: { name: Random } }', '.strategy.name'],
  ['cse.circuitBreaker.Consumer', '{ enabled: true }', '.enabled'],
  ['cse.isolation.Provider', '{ maxConcurrentRequests: 1 }', '.maxConcurrentRequests'],
  ['cse.fallback.Consumer', '{ force: true }', '.force'],
  ['cse.fallbackpolicy.Consumer', '{ policy: returnnull }', '.policy'],
  ['cse.flowcontrol', `{ Consumer: ${LIMIT} }`, '.Consumer.qps.limit.world'],
  ['cse.flowcontrol.Consumer.qps.limit', '5', ''],
  [
    'cse.governance.Consumer',
    '{ policy: { fault: { protocols: { rest: { abort: { percent: 1, httpStatus: 503 } } } } } }',
    '.policy.fault',
  ],
];

const NAMES = ['svc', 'orders.v1', 'my.shop.svc', 'www.example.com', 'a.b.c.d', 'jobs.batch.v1'];

/** What an old key is now. */
function presentKey(group: string): string {
  return group.replace(/^cse\.routeRule/, 'servicecomb.routeRule').replace('matchGroup', 'match');
}

describe('free names', () => {
  for (const [group, below, value, text] of GROUPS) {
    it(`may have dots below ${group}: ${below}`, async () => {
      const forms = text === undefined ? [below] : [below, `'${below}'`, `|\n  ${below}`];
      for (const name of NAMES) {
        for (const key of [`${group}.${name}`, `"${group}.${name}"`]) {
          for (const form of forms) {
            const yaml = `${key}: ${form}\n`;
            const { errors, notices, effective } = await loadFiles({ ...NAMED, 'mesher.yaml': yaml });
            const said = [...errors, ...notices.filter(({ kind }) => kind === 'unknown-key')];
            expect(said, yaml).to.deep.equal([]);
            const wanted = `${presentKey(group)}.${name}${value}`;
            const written = effective.filter(({ origin }) => origin.layer === 'file').map((entry) => entry.key);
            expect(
              written.some((one) => one.startsWith(wanted)),
              `${yaml}${written.join('\n')}`,
            ).to.equal(true);
          }
        }
      }
    });
  }
});
