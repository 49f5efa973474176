import { expect } from 'chai';
import type { Policy } from '../../chain/policy.js';
import { DirectAnswer, type Rejection } from '../../errors.js';
import { Explanation } from '../../explain/explanation.js';
import { FakeCall, type FakeCallFacts } from '../../testing/fake-call.js';
import { settle } from '../../testing/fake-ports.js';
import { meshDocument, policyContext, type TestPolicyContext } from '../../testing/policy-context.js';
import { faultInjection } from './fault-injection.js';

interface Rig {
  readonly context: TestPolicyContext;
  readonly policy: Policy;
}

function files(faults: string, more: Record<string, string> = {}): Record<string, string> {
  return { 'fault.yaml': `cse:\n  governance:\n    Consumer:\n${faults.trim().replace(/^/gm, '      ')}`, ...more };
}

async function rig(faults: string, more: Record<string, string> = {}): Promise<Rig> {
  const context = await policyContext({ files: files(faults, more) });
  return { context, policy: faultInjection(context) };
}

function fakeCall(facts: FakeCallFacts = {}): FakeCall {
  return new FakeCall({ destination: { service: 'world' }, ...facts });
}

/** What a call gets that is aborted without a delay; 0 when it goes on. */
function status(policy: Policy, facts: FakeCallFacts = {}): number {
  const answer = policy.before?.(fakeCall(facts)) as Rejection | undefined;
  return answer?.status ?? 0;
}

const rest = (what: string): string => `policy: {fault: {protocols: {rest: {${what}}}}}`;

describe('fault-inject', () => {
  it('has nothing to do without faults', async () => {
    expect((await rig('world: {policy: {fault: {}}}')).policy.isActive).to.equal(false);
    expect((await rig(`_global: {${rest('abort: {httpStatus: 500, percent: 0}')}}`)).policy.isActive).to.equal(false);
  });

  it('answers aborted calls with the status and body of go-chassis, and says so in a field and a number', async () => {
    const { policy, context } = await rig(`_global: {${rest('abort: {httpStatus: 421, percent: 100}')}}`);
    const call = fakeCall();
    const answer = policy.before?.(call) as DirectAnswer;
    expect(answer).to.be.instanceOf(DirectAnswer);
    expect([answer.code, answer.status, answer.body]).to.deep.equal([
      'MESH_ERR_FAULT_INJECTED',
      421,
      'injecting abort',
    ]);
    expect(call.responseFields).to.deep.equal([['x-mesher-fault', 'abort']]);
    expect(context.metrics.counter('faultsInjected').samples()).to.deep.equal([
      { labels: { service: 'world', kind: 'abort' }, value: 1 },
    ]);
  });

  it('holds delayed calls back for that long and then lets them go on', async () => {
    const { policy, context } = await rig(`world: {${rest('delay: {fixedDelay: 250, percent: 100}')}}`);
    const call = fakeCall();
    let answer: unknown = 'none yet';
    void Promise.resolve(policy.before?.(call)).then((later) => (answer = later));
    await context.time.advanceAsync(249);
    expect(answer).to.equal('none yet');
    await context.time.advanceAsync(1);
    expect(answer).to.equal(undefined);
    expect(call.responseFields).to.deep.equal([['x-mesher-fault', 'delay']]);
    expect(context.time.pendingTimers).to.equal(0);
  });

  it('delays first and aborts then, and takes delays with a unit', async () => {
    const { policy, context } = await rig(
      `world: {${rest('delay: {fixedDelay: 1.5s, percent: 100}, abort: {httpStatus: 500, percent: 100}')}}`,
    );
    const call = fakeCall();
    const answer = policy.before?.(call) as Promise<Rejection>;
    await context.time.advanceAsync(1500);
    expect((await answer).status).to.equal(500);
    expect(call.responseFields).to.deep.equal([['x-mesher-fault', 'delay, abort']]);
  });

  it('hits the configured share of calls', async () => {
    for (const percent of [0.5, 10, 30, 99]) {
      const { policy } = await rig(`_global: {${rest(`abort: {httpStatus: 500, percent: ${percent}}`)}}`);
      const calls = 20_000;
      let hits = 0;
      for (let i = 0; i < calls; i++) if (status(policy) === 500) hits++;
      // Five standard deviations: with this seed it is always the same number.
      const deviation = Math.sqrt(calls * (percent / 100) * (1 - percent / 100));
      expect(hits).to.be.closeTo((calls * percent) / 100, 5 * deviation);
    }
  });

  describe('takes each of the four values from the innermost level that sets it', () => {
    const faults = `
_global: {policy: {fault: {protocols: {rest: {abort: {httpStatus: 500, percent: 100}}, grpc: {abort: {percent: 100}}}}}}
world:
  policy: {fault: {protocols: {rest: {abort: {httpStatus: 501, percent: 0}}}}}
  schemas:
    rest:
      policy: {fault: {protocols: {rest: {abort: {httpStatus: 502}}}}}
      operations:
        /v1/items/{id}: {policy: {fault: {protocols: {http: {abort: {httpStatus: 503}}}}}}
        /v1/**: {policy: {fault: {protocols: {rest: {abort: {httpStatus: 504}}}}}}
    pkg.Greeter:
      policy: {fault: {protocols: {grpc: {abort: {httpStatus: 505}}}}}
      operations:
        Hello: {policy: {fault: {protocols: {grpc: {abort: {httpStatus: 506}}}}}}
moon.base: {policy: {fault: {protocols: {rest: {abort: {httpStatus: 507}}}}}}
`;
    const cases: readonly [what: string, facts: FakeCallFacts, status: number][] = [
      ['of everybody', { destination: { service: 'other' } }, 500],
      ['of the schema', { path: '/v2' }, 502],
      ['of the operation, by path template', { path: '/v1/items/7?x=1' }, 503],
      ['of the operation, by path prefix', { path: '/v1/items' }, 504],
      ['of a gRPC service', { protocol: 'grpc', path: '/pkg.Greeter/Bye' }, 505],
      ['of a gRPC method', { protocol: 'grpc', path: '/pkg.Greeter/Hello' }, 506],
      ['of a service whose name has a dot', { destination: { service: 'moon.base' } }, 507],
      [
        'of everybody, for gRPC without a status',
        { destination: { service: 'other' }, protocol: 'grpc', path: '/a/b' },
        503,
      ],
      ['none for a TCP connection', { protocol: 'tcp', path: '' }, 0],
    ];
    for (const [what, facts, expected] of cases) {
      it(what, async () => {
        const { policy } = await rig(faults);
        expect(status(policy, facts)).to.equal(expected);
      });
    }
  });

  it('is for some calls only when a level names header fields or cookies', async () => {
    const { policy } = await rig(`
_global: {policy: {fault: {protocols: {rest: {abort: {httpStatus: 500}}}}}}
world:
  policy:
    fault:
      match: {headers: {X-Tester: {exact: "yes"}}, cookie: {group: {prefix: b}}}
      protocols: {rest: {abort: {percent: 100}}}
`);
    const tester = { 'x-tester': 'yes', cookie: 'a=1; group="beta" ;c=2' };
    expect(status(policy, { headers: tester })).to.equal(500);
    expect(status(policy, { headers: { ...tester, cookie: 'xgroup=beta; group=alpha' } })).to.equal(0);
    // Several Cookie fields are joined by a comma.
    expect(status(policy, { headers: { ...tester, cookie: 'a=1, group=beta' } })).to.equal(500);
    expect(status(policy, { headers: { cookie: tester.cookie } })).to.equal(0);
    expect(status(policy)).to.equal(0);
  });

  it('holds no more calls back than allowed', async () => {
    const { policy, context } = await rig(`world: {${rest('delay: {fixedDelay: 100, percent: 100}')}}`, {
      'mesher.yaml': 'mesher: {faultInjection: {maxDelayed: 2}}',
    });
    const before = (): unknown => policy.before?.(fakeCall());
    const held = [before(), before()];
    expect(before()).to.equal(undefined);
    await context.time.advanceAsync(100);
    await Promise.all(held);
    expect(before()).to.be.instanceOf(Promise);
    expect(
      context.metrics
        .counter('faultsInjected')
        .samples()
        .map(({ labels, value }) => [labels['kind'], value]),
    ).to.deep.equal([
      ['delay', 3],
      ['delay-skipped', 1],
    ]);
  });

  it('gives the place of a call that is over to another one at once, and keeps no timer for it', async () => {
    const { policy, context } = await rig(`world: {${rest('delay: {fixedDelay: 60000, percent: 100}')}}`, {
      'mesher.yaml': 'mesher: {faultInjection: {maxDelayed: 1}}',
    });
    const left = fakeCall();
    const held = policy.before?.(left);
    expect(policy.before?.(fakeCall())).to.equal(undefined);
    left.ended = true;
    left.wake?.();
    expect(context.time.pendingTimers).to.equal(0);
    await held;
    expect(policy.before?.(fakeCall())).to.be.instanceOf(Promise);
  });

  it('follows a change of the configuration', async () => {
    const { policy, context } = await rig('world: {}');
    expect(policy.isActive).to.equal(false);
    context.configuration.swap(await meshDocument(files(`world: {${rest('abort: {httpStatus: 500, percent: 100}')}}`)));
    expect(policy.isActive).to.equal(true);
    expect(status(policy)).to.equal(500);
  });

  it('takes the file that mesher ships, with its other prefix', async () => {
    const context = await policyContext({
      files: {
        'fault.yaml': `
servicecomb:
  governance:
    Consumer:
      _global:
        policy:
          fault:
            protocols:
              rest: {delay: {fixedDelay: 5, percent: 10}, abort: {httpStatus: 421, percent: 100}}
              highway: {delay: {fixedDelay: 2, percent: 100}, abort: {percent: 30}}
      ms1:
        policy: {fault: }
        schemas: {sid1: {policy: {fault: }, operations: {policy: {fault: }}}}
`,
      },
    });
    expect(faultInjection(context).isActive).to.equal(true);
  });

  it('explains which level set what, and stops where every call is aborted', async () => {
    const { policy } = await rig(`
_global: {policy: {fault: {protocols: {rest: {abort: {httpStatus: 500}}}}}}
world: {policy: {fault: {protocols: {rest: {abort: {percent: 100}, delay: {fixedDelay: 7, percent: 5}}}}}}
`);
    const into = new Explanation();
    policy.explain?.(fakeCall(), into);
    expect(into.steps[0]?.decision).to.equal('delays 5 % of the calls by 7 ms; aborts 100 % of the calls with 500');
    expect(into.steps[0]?.details).to.include.members([
      'abortPercent is set by world',
      'abortStatus is set by _global',
    ]);
    expect(into.stopped).to.equal(true);
  });

  describe('by mark', () => {
    const marked = async (policies: string) => {
      const context = await policyContext({
        files: { 'chassis.yaml': `servicecomb:\n  faultInjection:\n${policies}` },
      });
      const policy = faultInjection(context);
      return async (marks: readonly string[]) => {
        const call = fakeCall();
        call.marks = marks;
        const answer = policy.before?.(call);
        await context.time.advanceAsync(50);
        await settle();
        return { answer: (await answer) as DirectAnswer | undefined, said: call.responseFields?.[0]?.[1] };
      };
    };

    it('aborts calls that carry the mark, as java-chassis writes it', async () => {
      const take = await marked('    login: |\n      type: abort\n      percentage: 100\n      errorCode: 418\n');
      expect((await take(['other', 'login'])).answer?.status).to.equal(418);
      for (const marks of [['other'], []]) expect((await take(marks)).answer).to.equal(undefined);
    });

    it('knows null answers, calls without a mark, delays and policies that are switched off', async () => {
      const take = await marked(
        `    a: {match: vip, type: abort, percentage: 100, fallbackType: ReturnNull}
    b: {match: none, type: delay, percentage: 100, delayTime: 50ms}
    c: {match: slow, type: abort, percentage: 100, forceClosed: true}
`,
      );
      expect((await take(['vip'])).answer).to.include({ status: 200, body: '' });
      expect(await take([])).to.deep.equal({ answer: undefined, said: 'delay' });
      for (const marks of [['slow'], ['other']]) {
        expect(await take(marks)).to.deep.equal({ answer: undefined, said: undefined });
      }
    });
  });

  it('refuses rules that could not be carried out, with the key they stand at', async () => {
    const said = async (faults: string): Promise<string> => {
      try {
        await meshDocument(files(faults));
        return '';
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(await said(`world: {${rest('abort: {percent: 5}')}}`)).to.contain(
      'cse.governance.Consumer.world: abort.percent for rest is set, but no abort.httpStatus',
    );
    expect(await said(`world: {${rest('delay: {percent: 5}')}}`)).to.contain('no delay.fixedDelay');
    expect(await said(`world: {${rest('delay: {percent: 5, fixedDelay: 0.5ms}')}}`)).to.contain('shorter than 1 ms');
    expect(await said(`world: {${rest('abort: {percent: 5, httpStatus: 101}')}}`)).to.contain('cannot end a call');
    expect(
      await said(`world: {schemas: {rest: {operations: {/a/**/b: {${rest('abort: {httpStatus: 500}')}}}}}}`),
    ).to.contain("'**' may only be the last part");
    expect(await said(`world: {${rest('abort: {percent: 101, httpStatus: 500}')}}`)).to.contain('100');
    expect(
      await said(`world: {schemas: {rest: {${rest('abort: {percent: 5}')}}}, ${rest('abort: {httpStatus: 500}')}}`),
    ).to.equal('');
  });
});
