import { expect } from 'chai';
import type { Policy, PolicyFactory } from '../../chain/policy.js';
import type { SmallFamily } from '../../telemetry/metric-family.js';
import { FakeCall } from '../../testing/fake-call.js';
import { settle } from '../../testing/fake-ports.js';
import { meshDocument, policyContext, type TestPolicyContext } from '../../testing/policy-context.js';
import { markedRateLimit } from './rate-limit-by-mark.js';
import { consumerRateLimit } from './rate-limit-policy.js';
import type { SharedGrant, SharedLimiter } from './shared-limiter.js';

/** A store that answers each question when the test says so. */
class SlowStore implements SharedLimiter {
  readonly questions: { readonly count: number; answer(): void; refuse(): void }[] = [];

  take(_limit: unknown, count: number): Promise<SharedGrant> {
    return new Promise((resolve, reject) => {
      const answer = (): void => resolve({ granted: count, remaining: 0, retryAfterMs: 0 });
      this.questions.push({ count, answer, refuse: () => reject(new Error('connection refused')) });
    });
  }

  async close(): Promise<void> {
    // nothing is open
  }
}

interface Kind {
  readonly name: string;
  readonly factory: PolicyFactory;
  /** A configuration with a limit that is shared, or not. */
  readonly limits: (shared: boolean) => Readonly<Record<string, string>>;
}

const KINDS: readonly Kind[] = [
  {
    name: 'cse.flowcontrol',
    factory: consumerRateLimit,
    limits: (shared) => ({
      'rate_limiting.yaml': `cse.flowcontrol.Consumer.qps: { limit: { world: 5 }${shared ? ', shared: { world: redis }' : ''} }`,
    }),
  },
  {
    name: 'servicecomb.rateLimiting',
    factory: markedRateLimit,
    limits: (shared) => ({
      'rate_limiting.yaml': `servicecomb.rateLimiting: { none: { rate: 5${shared ? ', shared: redis' : ''} } }`,
    }),
  },
];

interface Rig {
  readonly context: TestPolicyContext;
  readonly policy: Policy;
  readonly store: SlowStore;
  /** True once `policy.start` has resolved. */
  readonly start: () => () => boolean;
  readonly isUp: () => readonly number[];
}

async function rig({ factory, limits }: Kind, shared: boolean): Promise<Rig> {
  const store = new SlowStore();
  const plugins = { find: () => store as never, names: () => ['redis'] };
  const context = await policyContext({ plugins, files: limits(shared) });
  const policy = factory(context);
  const start = (): (() => boolean) => {
    let isStarted = false;
    void policy.start?.().then(() => (isStarted = true));
    return () => isStarted;
  };
  const isUp = (): number[] => {
    const families = context.metrics.families();
    const up = families.find(({ definition }) => definition.name === 'mesher_shared_limiter_up') as SmallFamily;
    return [...up.slices()].flat().map(({ value }) => value);
  };
  return { context, policy, store, start, isUp };
}

for (const kind of KINDS) {
  describe(`the stores of the limits of ${kind.name}`, () => {
    it('are not asked for a policy that has not started', async () => {
      const { context, store, policy } = await rig(kind, true);
      context.configuration.swap(await meshDocument(kind.limits(true)));
      policy.close?.();
      expect([store.questions, context.time.pendingTimers]).to.deep.equal([[], 0]);
    });

    it('get ready with the start, which waits for it; nothing is taken', async () => {
      const { store, start, context } = await rig(kind, true);
      const isStarted = start();
      await settle();
      expect(store.questions.map(({ count }) => count)).to.deep.equal([0]);
      await context.time.advanceAsync(500);
      expect(isStarted()).to.equal(false);
      store.questions[0]?.answer();
      await settle();
      expect([isStarted(), context.time.pendingTimers]).to.deep.equal([true, 0]);
    });

    it('hold a start up for a second at most, and are asked again in the background', async () => {
      const { store, start, context, isUp } = await rig(kind, true);
      const isStarted = start();
      await context.time.advanceAsync(1000);
      expect([isStarted(), isUp()]).to.deep.equal([true, [0]]);
      await context.time.advanceAsync(1000);
      store.questions[1]?.answer();
      await settle();
      expect([isUp(), context.time.pendingTimers]).to.deep.equal([[1], 0]);
    });

    it('do not make a start fail when they are away', async () => {
      const { store, start, isUp } = await rig(kind, true);
      const isStarted = start();
      await settle();
      store.questions[0]?.refuse();
      await settle();
      expect([isStarted(), isUp()]).to.deep.equal([true, [0]]);
    });

    it('get ready when a later configuration names them, not when one is only checked, and once', async () => {
      const { store, start, context, isUp } = await rig(kind, false);
      const isStarted = start();
      await settle();
      const next = await meshDocument(kind.limits(true));
      context.configuration.check(next);
      expect([isStarted(), store.questions.length, isUp()]).to.deep.equal([true, 0, []]);
      context.configuration.swap(next);
      expect([store.questions.length, isUp()]).to.deep.equal([1, [1]]);
      context.configuration.swap(await meshDocument(kind.limits(true)));
      expect(store.questions.length).to.equal(1);
    });

    it('decide about calls as soon as they are ready, also when a call came too early', async () => {
      const { store, start, context, policy, isUp } = await rig(kind, false);
      start();
      context.configuration.swap(await meshDocument(kind.limits(true)));
      const early = policy.before?.(new FakeCall({ destination: { service: 'world' } }));
      await context.time.advanceAsync(100);
      expect([await early, isUp()]).to.deep.equal([undefined, [0]]);
      store.questions[0]?.answer();
      await settle();
      expect(isUp()).to.deep.equal([1]);
    });

    it('are asked no more once no limit names them, nor after the end', async () => {
      for (const end of ['swap', 'close'] as const) {
        const { store, start, context, policy } = await rig(kind, true);
        start();
        await settle();
        store.questions[0]?.refuse();
        await settle();
        expect(context.time.pendingTimers).to.equal(1);
        if (end === 'close') policy.close?.();
        else context.configuration.swap(await meshDocument(kind.limits(false)));
        expect(context.time.pendingTimers, end).to.equal(0);
      }
    });

    it('are not asked any more when the last answer fails after the end', async () => {
      const { store, start, context, policy } = await rig(kind, true);
      start();
      await settle();
      policy.close?.();
      store.questions[0]?.refuse();
      await settle();
      expect([context.time.pendingTimers, context.logger.lines]).to.deep.equal([0, []]);
    });
  });
}
