import { expect } from 'chai';
import { Explanation } from '../../explain/explanation.js';
import type { InstalledPlugins } from '../../plugin/installed-plugins.js';
import { FakeCall } from '../../testing/fake-call.js';
import { policyContext } from '../../testing/policy-context.js';
import { consumerRateLimit } from './rate-limit-policy.js';
import type { SharedGrant, SharedLimiter } from './shared-limiter.js';

/** A store that answers every question alike; undefined for one that cannot be reached. */
function storeOf(grant: SharedGrant | undefined): InstalledPlugins {
  const limiter: SharedLimiter = {
    take: async () => {
      if (grant === undefined) throw new Error('connection refused');
      return grant;
    },
    close: async () => undefined,
  };
  return { find: () => limiter as never, names: () => ['redis'] };
}

/** What is explained about a call, and what happens to it, after as many calls as `earlier` says. */
async function explained(
  grant: SharedGrant | undefined,
  { limit = 10, onFailure = 'local', earlier = 1 },
): Promise<{ said: string | undefined; detail: string | undefined; isRejected: boolean }> {
  const policy = consumerRateLimit(
    await policyContext({
      plugins: storeOf(grant),
      files: {
        'rate_limiting.yaml': `cse: {flowcontrol: {Consumer: {qps: {limit: {world: ${limit}}, burst: {world: 1}, shared: {world: redis}}}}}`,
        'mesher.yaml': `mesher: {rateLimit: {shared: {leaseFor: 0, onFailure: ${onFailure}}}}`,
      },
    }),
  );
  const call = (): FakeCall => new FakeCall({ destination: { service: 'world' } });
  for (let i = 0; i < earlier; i++) await policy.before?.(call());
  const into = new Explanation();
  policy.explain?.(call(), into);
  const [step] = into.steps;
  const isRejected = (await policy.before?.(call())) !== undefined;
  expect(into.stopped).to.equal(isRejected);
  return { said: step?.decision.split(' ')[0], detail: step?.details[1], isRejected };
}

describe('the explanation of a limit that several sidecars share', () => {
  const DOWN = (onFailure: string): string =>
    `redis does not answer: '${onFailure}' decides (mesher.rateLimit.shared.onFailure)`;

  it('passes calls about which the store would be asked', async () => {
    const { said, detail } = await explained({ granted: 1, remaining: 0, retryAfterMs: 0 }, { earlier: 0 });
    expect([said, detail]).to.deep.equal(['passes', 'counted by redis; 0 fetched ahead']);
  });

  it('rejects calls for as long as the store has said that the limit is used up', async () => {
    const { said, isRejected } = await explained({ granted: 0, remaining: 0, retryAfterMs: 100 }, {});
    expect([said, isRejected]).to.deep.equal(['rejects', true]);
  });

  it('rejects all calls under a limit that lets none through', async () => {
    const { said, isRejected } = await explained(undefined, { limit: 0, earlier: 0 });
    expect([said, isRejected]).to.deep.equal(['rejects', true]);
  });

  for (const [onFailure, said] of [
    ['local', 'rejects'],
    ['failOpen', 'passes'],
    ['failClosed', 'rejects'],
  ] as const) {
    it(`says what '${onFailure}' makes of calls while the store does not answer`, async () => {
      const found = await explained(undefined, { onFailure });
      expect([found.said, found.detail]).to.deep.equal([said, DOWN(onFailure)]);
    });
  }
});
