import { expect } from 'chai';
import { loadFiles, NAMED } from '../../testing/load-files.js';
import { executorOf } from '../../testing/retry-rig.js';
import { CHASSIS_SECTIONS } from '../../composition/chassis-sections.js';
import { meshDocument } from '../../testing/policy-context.js';
import { executorSettings, type ExecutorSettings } from './executor-settings.js';
import { ServiceAttempts } from '../retry/service-attempts.js';
import { compileRetryPolicy, inheritRetrySettings, type AttemptSettings } from '../retry/retry-policy.js';

function of(settings: ExecutorSettings, service: string): AttemptSettings {
  return inheritRetrySettings(settings.retriesOf(service), settings.retries);
}

async function said(yaml: string): Promise<readonly string[]> {
  const files = { ...NAMED, 'chassis.yaml': yaml };
  const { errors, notices, said: text } = await loadFiles(files, { sections: CHASSIS_SECTIONS });
  return [...text(errors), ...text(notices)];
}

describe('the settings of retries', () => {
  it('of a service are its own key by key, and the global ones for what it does not set', async () => {
    const settings = await executorOf(`
loadbalance:
  retryEnabled: true
  retryOnSame: 1
  retryOnNext: 2
  retryOn: [503, reset]
  backoff: {kind: constant, minMs: 200}
  retryBudget: {percent: 40}
  hedging: {delayMs: 30}
  connectRest: {min: 1s}
  world:
    retryOnNext: 0
    retryOn: 5xx
    backoff: {minMs: 10}
    retryBudget: {minPerSecond: 1}
    hedging: {enabled: true}
    connectRest: {max: 3s}
`);
    const world = of(settings, 'world');
    expect({ ...world, backoff: { ...world.backoff.rule } }).to.deep.equal({
      retryEnabled: true,
      retryOnSame: 1,
      retryOnNext: 0,
      retryOn: ['5xx'],
      retryMethods: 'idempotent',
      perTryTimeoutMs: 0,
      idempotentGrpcMethods: [],
      safeAttempts: 3,
      backoff: { kind: 'constant', minMs: 10, maxMs: 100, maxRetryAfterMs: 1_000 },
      retryBudget: { percent: 40, minPerSecond: 1 },
      connectRest: { min: 1_000, max: 3_000 },
      failureStatuses: [],
      hedging: { delayMs: 30, maxHedges: 1 },
    });
    const other = of(settings, 'other');
    expect([other.retryOnNext, other.retryOn, other.hedging, other.backoff.rule.minMs]).to.deep.equal([
      2,
      ['503', 'reset'],
      undefined,
      200,
    ]);
  });

  it('may switch off for a service what is on for all', async () => {
    const settings = await executorOf(
      'loadbalance: {retryEnabled: true, retryOnNext: 2, world: {retryEnabled: false}}',
    );
    expect(['world', 'other'].map((name) => compileRetryPolicy(of(settings, name)).isEnabled)).to.deep.equal([
      false,
      true,
    ]);
  });

  it('are read in the spelling of the samples, with a notice', async () => {
    const yaml = 'cse.loadbalance.backoff: {kind: Jittered, MinMs: 200, MaxMs: 400}\n';
    const { rule } = of(executorSettings(await meshDocument({ 'chassis.yaml': yaml })), 'world').backoff;
    expect([rule.kind, rule.minMs, rule.maxMs]).to.deep.equal(['jittered', 200, 400]);
    expect((await said(yaml)).join('\n')).to.match(/MinMs.*backoff\.minMs/);
  });

  it('take what servicecomb.transport.failure calls a failure for one that is worth another attempt', async () => {
    const yaml = 'servicecomb.transport.failure.rest: http_429,HTTP_500,http_200\ncse.loadbalance.retryEnabled: true\n';
    const settings = executorSettings(await meshDocument({ 'chassis.yaml': yaml }));
    const { conditions } = new ServiceAttempts('world', settings, undefined).retry;
    expect([200, 404, 429, 500, 501, 503].filter((status) => conditions.hasStatus(status))).to.deep.equal([
      429, 500, 503,
    ]);
  });

  it('are refused with the known names for a kind or a condition that does not exist, and for bounds the wrong way round', async () => {
    const lines = await said(
      'cse.loadbalance: {backoff: {kind: fibonacci}, retryOn: [gateway-eror], world: {backoff: {minMs: 9, maxMs: 3}}}\n',
    );
    expect(lines.some((line) => line.includes("'exponential', 'constant', 'zero', 'jittered'"))).to.equal(true);
    expect(
      lines.some((line) => line.includes('connect-failure, refused-stream, reset, timeout, gateway-error')),
    ).to.equal(true);
    expect(lines.some((line) => line.includes('maxMs is less than minMs'))).to.equal(true);
  });

  it('hold what mesher.attempts said, which tells where it is now', async () => {
    const yaml = 'mesher.attempts: {maxAttempts: 5, minRest: 1s, maxRest: 20s}\n';
    const settings = of(executorSettings(await meshDocument({ 'chassis.yaml': yaml })), 'world');
    expect([settings.safeAttempts, settings.connectRest]).to.deep.equal([5, { min: 1_000, max: 20_000 }]);
    expect((await said(yaml)).filter((line) => line.includes('cse.loadbalance'))).to.have.lengthOf(3);
  });
});

describe('retries by mark', () => {
  it('are those of java-chassis: maxAttempts does not count the first one, and the policy may stand as a text', async () => {
    const yaml = `
servicecomb:
  retry:
    gold: |
      maxAttempts: 2
      retryOnSame: 1
      retryOnResponseStatus: [500, 503]
      waitDuration: 50
    silver:
      match: cheap
      retryStrategy: RandomBackoff
`;
    const { retriesByMark } = executorSettings(await meshDocument({ 'chassis.yaml': yaml }));
    expect(Object.fromEntries(retriesByMark)).to.deep.equal({
      gold: {
        maxAttempts: 3,
        retryOnSame: 1,
        retryOn: ['connect-failure', 'reset', '500', '503'],
        backoff: { kind: 'constant', minMs: 50, maxMs: 50 },
      },
      cheap: {
        maxAttempts: 4,
        retryOnSame: 0,
        retryOn: ['connect-failure', 'reset', '502', '503'],
        backoff: { kind: 'exponential', minMs: 1_000, maxMs: 10_000 },
      },
    });
  });
});
