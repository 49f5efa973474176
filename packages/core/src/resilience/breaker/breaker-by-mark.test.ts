import { expect } from 'chai';
import { markedBulkheadSchema } from '../../config/sections/marked-bulkhead.js';
import { markedCircuitBreakerSchema } from '../../config/sections/marked-circuit-breaker.js';
import { meshDocument } from '../../testing/policy-context.js';
import { markedBreakerRule, markedBulkheadRule } from './breaker-by-mark.js';

async function breaker(text: string) {
  const lines = text.split('\n').map((line) => `      ${line}`);
  const yaml = `servicecomb:\n  circuitBreaker:\n    mine: |\n${lines.join('\n')}\n`;
  const document = await meshDocument({ 'circuit_breaker.yaml': yaml });
  const values = document.section('servicecomb.circuitBreaker', markedCircuitBreakerSchema).get('mine');
  if (values === undefined) throw new Error('there is no such policy');
  return markedBreakerRule('mine', values, 30_000);
}

describe('policies by mark as java-chassis writes them', () => {
  it('have its defaults', async () => {
    const { mark, breaker: rule } = await breaker('match: theirs');
    expect(mark).to.equal('theirs');
    expect(rule?.settings).to.include({
      minCalls: 100,
      failurePercentage: 50,
      slowMs: 60_000,
      slowPercentage: 100,
      sleepMs: 60_000,
      probes: 10,
      successes: 6,
    });
    expect(rule?.settings.window).to.deep.equal({ kind: 'count', size: 100 });
  });

  it('are for the mark of their own name unless they name one', async () => {
    expect(await breaker('failureRateThreshold: 10')).to.include({ mark: 'mine', key: 'circuitBreaker.mine' });
  });

  it('do not count over more calls than there should be memory for', async () => {
    const said = async (size: string): Promise<string> =>
      await breaker(`slidingWindowSize: ${size}`).then(
        () => '',
        (error: unknown) => (error as Error).message,
      );
    expect(await said('1000000000')).to.contain('slidingWindowSize is more than 100000 calls');
    expect(await said('100000')).to.equal('');
  });

  it('may count over a time, with or without a unit', async () => {
    const windowOf = async (size: string) =>
      (await breaker(`slidingWindowType: time\nslidingWindowSize: ${size}`)).breaker?.settings.window;
    expect(await windowOf('20s')).to.deep.equal({ kind: 'time', lengthMs: 20_000, buckets: 20 });
    expect(await windowOf('5')).to.deep.equal({ kind: 'time', lengthMs: 5_000, buckets: 5 });
    expect(await windowOf('10m')).to.deep.equal({ kind: 'time', lengthMs: 600_000, buckets: 60 });
    expect(await windowOf('10ms')).to.deep.equal({ kind: 'time', lengthMs: 1_000, buckets: 1 });
  });

  it('can open with a window of fewer calls than the minimum', async () => {
    expect((await breaker('slidingWindowSize: 10')).breaker?.settings.minCalls).to.equal(10);
  });

  it('close when fewer probes fail than the threshold says', async () => {
    const successes = async (threshold: number) =>
      (await breaker(`failureRateThreshold: ${threshold}`)).breaker?.settings.successes;
    expect(await Promise.all([100, 50, 25, 10, 1].map(successes))).to.deep.equal([1, 6, 8, 10, 10]);
  });

  it('limit calls, and let as many wait as may be under way', async () => {
    const yaml =
      'servicecomb:\n  bulkhead:\n    a: |\n      maxConcurrentCalls: 5\n      maxWaitDuration: 200ms\n    b: |\n      match: x\n';
    const document = await meshDocument({ 'circuit_breaker.yaml': yaml });
    const rules = Array.from(document.section('servicecomb.bulkhead', markedBulkheadSchema), ([name, values]) =>
      markedBulkheadRule(name, values),
    );
    expect(rules[0]?.bulkhead).to.include({ maxConcurrent: 5, maxQueue: 5, queueTimeoutMs: 200 });
    expect(rules[1]?.bulkhead).to.include({ maxConcurrent: 1000, maxQueue: 0 });
    expect(rules[1]?.mark).to.equal('x');
  });
});
