import { expect } from 'chai';
import type { Policy } from '../../chain/policy.js';
import { Rejection } from '../../errors.js';
import { Explanation } from '../../explain/explanation.js';
import { FakeCall, type FakeCallFacts } from '../../testing/fake-call.js';
import { meshDocument, policyContext, type TestPolicyContext } from '../../testing/policy-context.js';
import { consumerRateLimit, providerRateLimit } from './rate-limit-policy.js';

interface Rig {
  readonly context: TestPolicyContext;
  readonly policy: Policy;
  readonly take: (facts?: FakeCallFacts) => Rejection | undefined;
  readonly swap: (qps: string) => Promise<void>;
}

function flowcontrol(text: string): Record<string, string> {
  return { 'rate_limiting.yaml': `cse:\n  flowcontrol:\n${text.replace(/^/gm, '    ')}` };
}

async function rig(direction: 'outbound' | 'inbound', text: string, extra: Record<string, string> = {}): Promise<Rig> {
  const context = await policyContext({ direction, files: { ...flowcontrol(text), ...extra } });
  const policy = (direction === 'outbound' ? consumerRateLimit : providerRateLimit)(context);
  const take = (facts: FakeCallFacts = {}): Rejection | undefined => {
    const destination = direction === 'outbound' ? { service: 'world' } : { service: 'orders' };
    const call = new FakeCall({ direction, destination, startedAt: context.time.now(), ...facts });
    return policy.before?.(call) as Rejection | undefined;
  };
  const swap = async (next: string): Promise<void> => {
    context.configuration.swap(await meshDocument({ ...flowcontrol(next), ...extra }));
  };
  return { context, policy, take, swap };
}

/** How many of `count` calls pass at one moment. */
function passing(take: Rig['take'], count: number, facts: FakeCallFacts = {}): number {
  let passed = 0;
  for (let i = 0; i < count; i++) if (take(facts) === undefined) passed++;
  return passed;
}

const from = (service: string): FakeCallFacts => ({ source: { service, by: 'header' } });
const to = (service: string, path = '/'): FakeCallFacts => ({ destination: { service }, path });

describe('ratelimiter-consumer', () => {
  it('has nothing to do without limits, and says so', async () => {
    const { policy } = await rig('outbound', 'Consumer: {qps: {enabled: true}}');
    expect(policy.isActive).to.equal(false);
  });

  it('lets go-chassis’s burst through, a fifth of the limit, and then the rate', async () => {
    const { take, context } = await rig('outbound', 'Consumer: {qps: {limit: {world: 100}}}');
    expect(passing(take, 50)).to.equal(20);
    context.time.advance(50);
    expect(passing(take, 50)).to.equal(5);
    expect(passing(take, 50, to('other'))).to.equal(50);
  });

  it('takes a burst that is configured', async () => {
    const { take } = await rig('outbound', 'Consumer: {qps: {limit: {world: 100}, burst: {world: 3}}}');
    expect(passing(take, 50)).to.equal(3);
  });

  it('lets nothing through at 0, and counts nothing at the number that stands for no limit', async () => {
    const none = await rig('outbound', 'Consumer: {qps: {limit: {world: 0}}}');
    expect(none.take()?.retryAfterSeconds).to.equal(undefined);
    expect(none.take()?.code).to.equal('MESH_ERR_RATE_LIMITED');
    const all = await rig('outbound', 'Consumer: {qps: {limit: {world: 2147483647}, global: {limit: 1, burst: 1}}}');
    expect(passing(all.take, 100)).to.equal(100);
  });

  it('has no effect when it is switched off, also for one source only', async () => {
    const off = await rig('outbound', 'Consumer: {qps: {enabled: false, limit: {world: 0}}}');
    expect(off.policy.isActive).to.equal(false);
    const { take } = await rig(
      'outbound',
      'Consumer: {qps: {limit: {world: 0}}}\nbatch: {Consumer: {qps: {enabled: false}}}',
    );
    expect(passing(take, 3)).to.equal(0);
    expect(passing(take, 3, from('batch'))).to.equal(3);
  });

  describe('takes the most specific limit that fits, instead of all others', () => {
    const limits = `
Consumer:
  qps:
    global: {limit: 10, burst: 1}
    limit:
      world: 10
      world.rest: 20
      world.rest./v1/items/{id}: 30
      world./v1/**: 40
      world.pkg.Greeter: 50
      world.pkg.Greeter.Hello: 60
      world.v1: 70
      a.b.c: 80
      open: 10
    burst: {world: 2, world.rest: 3, "world.rest./v1/items/{id}": 4, "world./v1/**": 5, world.pkg.Greeter: 6, world.pkg.Greeter.Hello: 7, world.v1: 8, a.b.c: 9}
    rules:
      - {service: world, method: "POST,PUT", path: /v1/items, limit: 10, burst: 10}
      - {path: /search/**, limit: 10, burst: 11}
`;
    const cases: readonly [what: string, facts: FakeCallFacts, burst: number][] = [
      ['a rule by method and path', { method: 'POST', path: '/v1/items?x=1' }, 10],
      ['a rule for any service', to('world', '/search/now'), 11],
      ['a rule for any service, of one without limits', to('other', '/search/now'), 11],
      ['a path template before a shorter one', { path: '/v1/items/7' }, 4],
      ['a path prefix', { path: '/v1/items' }, 5],
      ['the schema of HTTP calls', { path: '/v2' }, 3],
      ['a gRPC method', { protocol: 'grpc', path: '/pkg.Greeter/Hello' }, 7],
      ['a gRPC service', { protocol: 'grpc', path: '/pkg.Greeter/Bye' }, 6],
      ['the service, for another gRPC service', { protocol: 'grpc', path: '/pkg.Other/Bye' }, 2],
      ['the service, for a TCP connection', { protocol: 'tcp', path: '', method: '' }, 2],
      ['a service whose name has a dot', to('world.v1'), 8],
      ['a service whose name has two', to('a.b.c'), 9],
      ['go-chassis’s least burst', to('open'), 2],
      ['the limit for everybody else', to('elsewhere'), 1],
    ];
    for (const [what, facts, burst] of cases) {
      it(what, async () => {
        const { take } = await rig('outbound', limits);
        expect(passing(take, 100, facts)).to.equal(burst);
      });
    }
  });

  it('gives a source its own limits, and what it does not set together with everybody', async () => {
    const { take } = await rig(
      'outbound',
      `
Consumer: {qps: {limit: {world: 100, moon: 100}, burst: {world: 5, moon: 5}}}
batch.jobs: {Consumer: {qps: {limit: {world: 10}, burst: {world: 2}}}}
`,
    );
    expect(passing(take, 9, from('batch.jobs'))).to.equal(2);
    expect(passing(take, 9)).to.equal(5);
    expect(passing(take, 3, { ...from('batch.jobs'), ...to('moon') })).to.equal(3);
    expect(passing(take, 9, to('moon'))).to.equal(2);
  });

  it('tells a service that is named global from everybody else', async () => {
    const { take } = await rig(
      'outbound',
      'Consumer: {qps: {limit: {global: 10}, burst: {global: 2}, global: {limit: 10, burst: 5}}}',
    );
    expect(passing(take, 9, to('global'))).to.equal(2);
    expect(passing(take, 9, to('world'))).to.equal(5);
  });

  it('keeps its state when something else changes, and its fill in proportion when the limit itself does', async () => {
    const { take, swap, context } = await rig('outbound', 'Consumer: {qps: {limit: {world: 100}}}');
    expect(passing(take, 15)).to.equal(15);
    await swap('Consumer: {qps: {limit: {world: 100, moon: 5}}}');
    expect(passing(take, 50)).to.equal(5);
    context.time.advance(100);
    await swap('Consumer: {qps: {limit: {world: 200}}}');
    expect(passing(take, 50)).to.equal(20);
    await swap('Consumer: {qps: {enabled: true}}');
    await swap('Consumer: {qps: {limit: {world: 200}}}');
    expect(passing(take, 50)).to.equal(40);
  });

  it('counts calls that waited for something when they come, not when they began', async () => {
    const { context, policy } = await rig('outbound', 'Consumer: {qps: {limit: {world: 100}, burst: {world: 2}}}');
    context.time.advance(10_000);
    let passed = 0;
    for (let i = 0; i < 100; i++) {
      const call = new FakeCall({ destination: { service: 'world' }, startedAt: i * 100 });
      call.waited = true;
      const rejection = policy.before?.(call) as Rejection | undefined;
      if (rejection === undefined) passed++;
    }
    expect(passed).to.equal(2);
  });

  it('rejects with the seconds to wait and the fields of the draft, and counts it', async () => {
    const { policy, context, take } = await rig(
      'outbound',
      'Consumer: {qps: {limit: {world: 0.4}, burst: {world: 1}}}',
    );
    take();
    const call = new FakeCall({ destination: { service: 'world' } });
    const rejection = policy.before?.(call) as Rejection;
    expect(rejection).to.be.instanceOf(Rejection);
    expect([rejection.status, rejection.retryAfterSeconds]).to.deep.equal([429, 3]);
    expect(rejection.message).to.equal("More than 0.4 calls per second under the limit 'world' for world");
    expect(call.responseFields).to.deep.equal([
      ['ratelimit-policy', '"world";q=2;w=5'],
      ['ratelimit', '"world";r=0;t=3'],
    ]);
    expect(context.metrics.counter('rateLimitRejections').samples()).to.deep.equal([
      { labels: { direction: 'outbound', service: 'world', limit: 'world' }, value: 1 },
    ]);
  });

  it('puts the fields on every answer, or on none, as configured', async () => {
    const limit = 'Consumer: {qps: {limit: {world: 100}, burst: {world: 2}}}';
    const fields = async (headers: string): Promise<unknown[]> => {
      const { policy } = await rig('outbound', limit, { 'mesher.yaml': `mesher: {rateLimit: {headers: ${headers}}}` });
      return [0, 0, 0].map(() => {
        const call = new FakeCall({ destination: { service: 'world' } });
        void policy.before?.(call);
        return call.responseFields?.find(([name]) => name === 'ratelimit')?.[1];
      });
    };
    expect(await fields('always')).to.deep.equal(['"world";r=1;t=1', '"world";r=0;t=1', '"world";r=0;t=1']);
    expect(await fields('rejected')).to.deep.equal([undefined, undefined, '"world";r=0;t=1']);
    expect(await fields('off')).to.deep.equal([undefined, undefined, undefined]);
  });

  it('explains which limit counts and what is left, and takes nothing from it', async () => {
    const { policy, take } = await rig('outbound', 'Consumer: {qps: {limit: {world: 100}, burst: {world: 1}}}');
    const explain = (): Explanation => {
      const into = new Explanation();
      policy.explain?.(new FakeCall({ destination: { service: 'world' } }), into);
      return into;
    };
    explain();
    const before = explain();
    expect(before.steps[0]?.decision).to.equal("passes calls to world under the limit 'world' (100/s, burst 1)");
    expect(before.steps[0]?.details).to.deep.equal([
      'limit Consumer/world, the most specific one that fits',
      '1 of 1 left',
    ]);
    expect(before.stopped).to.equal(false);
    expect(take()).to.equal(undefined);
    const after = explain();
    expect(after.steps[0]?.decision).to.match(/^rejects calls to world/);
    expect(after.stopped).to.equal(true);
  });
});

describe('ratelimiter-provider', () => {
  it('limits a calling service by its name, and all others together', async () => {
    const { take } = await rig('inbound', 'Provider: {qps: {global: {limit: 10, burst: 3}, limit: {Server: 100}}}');
    expect(passing(take, 50, from('Server'))).to.equal(20);
    expect(passing(take, 2, from('a'))).to.equal(2);
    expect(passing(take, 5, from('b'))).to.equal(1);
    expect(passing(take, 5)).to.equal(0);
  });

  it('gives each calling service a bucket of its own with scope each', async () => {
    const { take } = await rig('inbound', 'Provider: {qps: {global: {limit: 10, burst: 3, scope: each}}}');
    expect(passing(take, 5, from('a'))).to.equal(3);
    expect(passing(take, 5, from('b'))).to.equal(3);
    expect(passing(take, 5, from('a'))).to.equal(0);
  });

  it('limits one API for everybody, and for one caller', async () => {
    const { take } = await rig(
      'inbound',
      `
Provider:
  qps:
    rules:
      - {path: /search, limit: 10, burst: 2}
    limit: {shop./buy: 10}
    burst: {shop./buy: 1}
`,
    );
    expect(passing(take, 5, { path: '/search?q=1' })).to.equal(2);
    expect(passing(take, 5, { ...from('shop'), path: '/buy' })).to.equal(1);
    expect(passing(take, 5, { ...from('other'), path: '/buy' })).to.equal(5);
  });

  it('explains the bucket that a caller would get with scope each, and makes none', async () => {
    const decisions = async (limit: number): Promise<(string | boolean | undefined)[]> => {
      const { policy } = await rig('inbound', `Provider: {qps: {global: {limit: ${limit}, burst: 3, scope: each}}}`);
      const into = new Explanation();
      policy.explain?.(new FakeCall({ direction: 'inbound', ...from('a') }), into);
      return [into.steps[0]?.decision, into.stopped];
    };
    expect(await decisions(10)).to.deep.equal(["passes calls of a under the limit 'global' (10/s, burst 3)", false]);
    expect(await decisions(0)).to.deep.equal(["rejects calls of a under the limit 'global' (0/s, burst 3)", true]);
  });

  it('keeps as many buckets as allowed, however many names callers give themselves, and lets the rest share one', async () => {
    const { take, context, policy } = await rig(
      'inbound',
      'Provider: {qps: {global: {limit: 1, burst: 2, scope: each}}}',
      {
        'mesher.yaml': 'mesher: {rateLimit: {maxKeys: 50}}',
      },
    );
    expect(passing(take, 5, from('shop'))).to.equal(2);
    let passed = 0;
    for (let i = 0; i < 100_000; i++) passed += passing(take, 1, from(`forged-${i}`));
    // 49 with a bucket of their own, and the burst of the shared one.
    expect(passed).to.equal(49 + 2);
    expect(passing(take, 5, from('shop'))).to.equal(0);
    context.time.advance(2000);
    expect(passing(take, 3, from('x'.repeat(129)))).to.equal(2);
    // What has rested long enough makes room again.
    expect(passing(take, 5, from('newcomer'))).to.equal(2);
    expect(policy.isActive).to.equal(true);
  });
});

describe('cse.flowcontrol', () => {
  const said = async (text: string): Promise<string> => {
    try {
      await meshDocument(flowcontrol(text));
      return '';
    } catch (error) {
      return (error as Error).message;
    }
  };

  it('refuses what could never have an effect', async () => {
    expect(await said('Consumer: {qps: {burst: {world: 3}}}')).to.contain("names 'world', for which there is no limit");
    expect(await said('Consumer: {qps: {global: {burst: 3}}}')).to.contain("'global' has a burst or is shared");
    expect(await said('Consumer: {qps: {rules: [{limit: 3}]}}')).to.contain(
      "a rule for everything is what 'global' is for",
    );
    expect(await said('Consumer: {qps: {rules: [{path: "/a?b", limit: 3}]}}')).to.contain('is no path');
    expect(await said('Consumer: {qps: {limit: {/a: 3}}}')).to.contain("'/a' names no service");
    expect(await said('Consumer: {qps: {limit: {"world./a/**/b": 3}}}')).to.contain("'**' may only be the last part");
  });

  it('stops a start that names a shared limiter which nobody offers', async () => {
    const context = await policyContext({
      files: flowcontrol('Consumer: {qps: {limit: {world: 5}, shared: {world: redis}}}'),
    });
    expect(() => consumerRateLimit(context)).to.throw(/there is no shared-limiter 'redis'/);
  });

  it('keeps the limits that are in effect when a later configuration names a shared limiter which nobody offers', async () => {
    const { take, context } = await rig('outbound', 'Consumer: {qps: {limit: {world: 10}, burst: {world: 3}}}');
    expect(passing(take, 1)).to.equal(1);
    for (const qps of [
      '{limit: {world: 5}, shared: {world: redis}}',
      '{global: {limit: 5, shared: redis, scope: each}}',
      '{rules: [{path: /a, limit: 5, shared: redis}]}',
    ]) {
      const next = await meshDocument(flowcontrol(`Consumer: {qps: ${qps}}`));
      expect(() => context.configuration.check(next), qps).to.throw(/there is no shared-limiter 'redis'/);
    }
    context.configuration.check(await meshDocument(flowcontrol('Consumer: {qps: {limit: {world: 5}}}')));
    expect(passing(take, 5)).to.equal(2);
  });
});
