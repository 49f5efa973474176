import { expect } from 'chai';
import fc from 'fast-check';
import { schemaDefaults } from '../../config/schema/defaults.js';
import { PolicyMetrics } from '../../telemetry/policy-metrics.js';
import { fakePorts, settle } from '../../testing/fake-ports.js';
import { RecordingLogger } from '../../testing/recording-logger.js';
import { SharedGate, type LimitVerdict } from './rate-limit-gate.js';
import { rateLimitSchema, type SharedLimitOptions } from './rate-limit-options.js';
import { LimitStore } from './rate-limit-store.js';
import type { SharedGrant, SharedLimit, SharedLimiter } from './shared-limiter.js';
import { TokenBucket } from './token-bucket.js';

/** A store in this process that counts like a real one, and can fall silent or fail. */
class ScriptedStore implements SharedLimiter {
  readonly questions: number[] = [];
  mood: 'well' | 'silent' | 'broken' = 'well';
  #bucket: TokenBucket | undefined;

  constructor(private readonly now: () => number) {}

  async take({ rate, burst }: SharedLimit, count: number): Promise<SharedGrant> {
    this.questions.push(count);
    if (this.mood === 'silent') return await new Promise<never>(() => undefined);
    if (this.mood === 'broken') throw new Error('connection refused');
    this.#bucket ??= new TokenBucket(rate, burst, this.now());
    let granted = 0;
    while (granted < count && this.#bucket.take(this.now())) granted++;
    const retryAfterMs = granted < count ? this.#bucket.waitFor(1, this.now()) : 0;
    return { granted, remaining: Math.floor(this.#bucket.level(this.now())), retryAfterMs };
  }

  async close(): Promise<void> {
    // nothing is open
  }
}

function rig(limit: { rate: number; burst: number }, options: Partial<SharedLimitOptions> = {}) {
  const ports = fakePorts();
  const { time } = ports;
  const store = new ScriptedStore(() => time.now());
  const logger = new RecordingLogger();
  const metrics = new PolicyMetrics();
  const settings = { ...schemaDefaults(rateLimitSchema).shared, ...options };
  const limitStore = new LimitStore('redis', store, settings, { ports, logger, metrics });
  const gate = (): SharedGate => {
    const local = new TokenBucket(limit.rate, limit.burst, time.now());
    return new SharedGate({ key: 'k', ...limit }, limitStore, local, ports.clock, metrics);
  };
  return { time, store, logger, metrics, limitStore, gate };
}

/** What `count` calls that come at one moment get. */
async function verdicts(gate: SharedGate, count: number, now: number): Promise<Record<LimitVerdict, number>> {
  const all = await Promise.all(Array.from({ length: count }, async () => await gate.take(now)));
  const count_ = (wanted: LimitVerdict): number => all.filter((one) => one === wanted).length;
  return { pass: count_('pass'), reject: count_('reject'), closed: count_('closed') };
}

describe('SharedGate', () => {
  it('lets calls that come together ask together', async () => {
    const { gate, store, time } = rig({ rate: 10, burst: 100 }, { leaseFor: 0 });
    const one = gate();
    const first = one.take(time.now());
    const others = Array.from({ length: 30 }, () => one.take(time.now()));
    expect(await Promise.all([first, ...others])).to.deep.equal(Array(31).fill('pass'));
    expect(store.questions).to.deep.equal([1, 30]);
  });

  it('lets two sidecars through exactly the limit between them, without fetching ahead', async () => {
    const { gate, time } = rig({ rate: 10, burst: 50 }, { leaseFor: 0 });
    const [a, b] = [gate(), gate()];
    const both = await Promise.all([verdicts(a, 40, time.now()), verdicts(b, 40, time.now())]);
    expect(both[0].pass + both[1].pass).to.equal(50);
    time.advance(1000);
    const later = await Promise.all([verdicts(a, 40, time.now()), verdicts(b, 40, time.now())]);
    expect(later[0].pass + later[1].pass).to.equal(10);
  });

  it('knows how long the limit stays used up, and does not ask until then', async () => {
    const { gate, store, time } = rig({ rate: 10, burst: 5 }, { leaseFor: 0 });
    const one = gate();
    expect(await verdicts(one, 20, 0)).to.deep.equal({ pass: 5, reject: 15, closed: 0 });
    const asked = store.questions.length;
    expect(one.waitFor(0)).to.equal(100);
    time.advance(99);
    expect(one.take(99)).to.equal('reject');
    expect(store.questions.length).to.equal(asked);
    time.advance(1);
    expect(await one.take(100)).to.equal('pass');
  });

  it('fetches ahead what it lately used, so that most calls need not ask, and never lets more than the limit through', async () => {
    const { gate, store, time } = rig({ rate: 1000, burst: 200 });
    const one = gate();
    let passed = 0;
    for (let ms = 0; ms < 5000; ms++) {
      time.advance(1);
      if ((await one.take(time.now())) === 'pass') passed++;
    }
    expect(passed).to.equal(5000);
    // One question per call without it; 50 if the pace were known from the start.
    expect(store.questions.length).to.be.below(150);
    expect(Math.max(...store.questions)).to.be.at.most(101);
    expect(store.questions.reduce((sum, count) => sum + count)).to.be.at.most(200 + 1000 * 5);
  });

  it('gives up what it fetched ahead and did not use in time', async () => {
    const { gate, store, time } = rig({ rate: 100, burst: 100 }, { leaseFor: 100 });
    const one = gate();
    await verdicts(one, 8, time.now());
    await verdicts(one, 3, time.now());
    expect(one.leased(time.now())).to.be.above(0);
    time.advance(100);
    expect(one.leased(time.now())).to.equal(0);
    const asked = store.questions.length;
    expect(await one.take(time.now())).to.equal('pass');
    expect(store.questions.length).to.equal(asked + 1);
  });

  it('lets no stretch of time have more than the limit, and what was fetched ahead of it, however calls spread over sidecars', async () => {
    const step = fc.record({
      gate: fc.nat({ max: 2 }),
      wait: fc.nat({ max: 60 }),
      calls: fc.integer({ min: 1, max: 12 }),
    });
    const leaseFor = 100;
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 5, max: 400 }),
        fc.integer({ min: 1, max: 60 }),
        fc.array(step, { minLength: 5, maxLength: 80 }),
        async (rate, burst, steps) => {
          const scene = rig({ rate, burst }, { leaseFor });
          const gates = [scene.gate(), scene.gate(), scene.gate()];
          const passed: number[] = [];
          for (const { gate, wait, calls } of steps) {
            scene.time.advance(wait);
            const now = scene.time.now();
            const { pass } = await verdicts(gates[gate] as SharedGate, calls, now);
            for (let i = 0; i < pass; i++) passed.push(now);
          }
          for (let first = 0; first < passed.length; first++) {
            for (let last = first; last < passed.length; last++) {
              const ms = (passed[last] as number) - (passed[first] as number) + leaseFor;
              if (last - first + 1 > burst + (rate * ms) / 1000 + 1e-6) return false;
            }
          }
          return passed.length > 0;
        },
      ),
      { numRuns: 60 },
    );
  });

  for (const [onFailure, expected] of [
    ['local', { pass: 3, reject: 7, closed: 0 }],
    ['failOpen', { pass: 10, reject: 0, closed: 0 }],
    ['failClosed', { pass: 0, reject: 0, closed: 10 }],
  ] as const) {
    it(`decides by '${onFailure}' while the store does not answer, and lets a call wait for it once`, async () => {
      const { gate, store, time, limitStore, logger } = rig({ rate: 1, burst: 3 }, { onFailure, timeout: 50 });
      store.mood = 'silent';
      const one = gate();
      const first = verdicts(one, 10, time.now());
      await settle();
      time.advance(50);
      expect(await first).to.deep.equal(expected);
      expect(limitStore.isUp).to.equal(false);
      expect(store.questions.length).to.equal(1);
      const next = one.take(time.now());
      expect(next).to.be.a('string');
      expect(logger.lines.filter(({ level }) => level === 'warn').length).to.equal(1);
      expect(time.pendingTimers, 'that of the next try').to.equal(1);
      limitStore.close();
      expect(time.pendingTimers).to.equal(0);
    });
  }

  it('tries a store that was down after a rest, without a call and without taking anything, and says when it is back', async () => {
    const { gate, store, time, limitStore, logger, metrics } = rig({ rate: 10, burst: 5 }, { onFailure: 'failOpen' });
    store.mood = 'broken';
    const one = gate();
    expect(await one.take(time.now())).to.equal('pass');
    expect(one.take(time.now())).to.equal('pass');
    expect(store.questions).to.deep.equal([1]);
    await time.advanceAsync(1000);
    expect([store.questions, limitStore.isUp]).to.deep.equal([[1, 0], false]);
    store.mood = 'well';
    await time.advanceAsync(1000);
    expect([store.questions, limitStore.isUp, time.pendingTimers]).to.deep.equal([[1, 0, 0], true, 0]);
    expect(logger.lines.at(-1)?.message).to.contain('answers again');
    expect(one.take(time.now())).to.be.instanceOf(Promise);
    expect(metrics.counter('sharedLimiterRequests').samples()).to.deep.equal([
      { labels: { limiter: 'redis', result: 'failed' }, value: 2 },
      { labels: { limiter: 'redis', result: 'answered' }, value: 1 },
    ]);
    expect(metrics.counter('sharedLimiterWithout').samples()[0]?.value).to.equal(2);
  });

  it('holds no more calls than allowed while the store thinks', () => {
    const { gate, store } = rig({ rate: 10, burst: 5 }, { maxWaiting: 3, onFailure: 'failClosed' });
    store.mood = 'silent';
    const one = gate();
    const taken = Array.from({ length: 5 }, () => one.take(0));
    expect(taken.map((verdict) => (verdict instanceof Promise ? 'waits' : verdict))).to.deep.equal([
      'waits',
      'waits',
      'waits',
      'closed',
      'closed',
    ]);
  });

  it('forgets what the store said about a limit that has changed', async () => {
    const { gate } = rig({ rate: 1, burst: 1 }, { leaseFor: 0 });
    const one = gate();
    await verdicts(one, 5, 0);
    expect(one.take(0)).to.equal('reject');
    one.adjust({ key: 'k', rate: 100, burst: 100 });
    expect(one.take(0)).to.be.instanceOf(Promise);
  });

  it('forgets it also when the limit changes while the store answers', async () => {
    const { gate } = rig({ rate: 0.001, burst: 1 }, { leaseFor: 0 });
    const one = gate();
    expect(await one.take(0)).to.equal('pass');
    const last = one.take(0);
    one.adjust({ key: 'k', rate: 100, burst: 100 });
    expect(await last).to.equal('reject');
    expect(one.take(0)).to.be.instanceOf(Promise);
  });
});
