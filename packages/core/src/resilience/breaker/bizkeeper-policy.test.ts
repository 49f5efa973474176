import { expect } from 'chai';
import type { Policy } from '../../chain/policy.js';
import { DirectAnswer, Rejection } from '../../errors.js';
import { Explanation } from '../../explain/explanation.js';
import type { CallProtocol, Outcome } from '../../invocation.js';
import type { InstalledPlugins } from '../../plugin/installed-plugins.js';
import { steadyBalancing } from '../../loadbalance/steady-balancing.js';
import { ServicePlan } from '../../registry/service-plan.js';
import { FakeCall } from '../../testing/fake-call.js';
import { settle } from '../../testing/fake-ports.js';
import { outcome } from '../../testing/handler-rig.js';
import { meshDocument, policyContext, type PolicyContextSettings } from '../../testing/policy-context.js';
import { bizkeeperConsumer, bizkeeperProvider } from './bizkeeper-policy.js';

interface CallFacts {
  readonly service?: string;
  readonly path?: string;
  readonly method?: string;
  readonly protocol?: CallProtocol;
  readonly marks?: readonly string[];
}

/** A policy over configuration given as text, and calls that go through it as handlers lead them. */
async function rig(yaml: string, settings: Omit<PolicyContextSettings, 'files'> = {}) {
  const context = await policyContext({ ...settings, files: { 'circuit_breaker.yaml': yaml } });
  const isInbound = settings.direction === 'inbound';
  const policy: Policy = isInbound ? bizkeeperProvider(context) : bizkeeperConsumer(context);
  const plans = new Map<string, ServicePlan>();
  const planOf = (service: string): ServicePlan => {
    const plan =
      plans.get(service) ?? new ServicePlan(service, context.ports, steadyBalancing(context.ports), () => undefined);
    plans.set(service, plan);
    return plan;
  };

  /** A call that is to be decided about now. */
  function call({ service = 'world', marks, ...facts }: CallFacts = {}): FakeCall {
    const made = new FakeCall({
      ...facts,
      direction: isInbound ? 'inbound' : 'outbound',
      startedAt: context.time.now(),
      destination: { service },
    });
    if (!isInbound) made.plan = planOf(service);
    if (marks !== undefined) made.marks = marks;
    return made;
  }

  /** What the caller gets when the call is refused; undefined when it may pass. */
  function begin(made: FakeCall): Rejection | undefined {
    const decision = policy.before?.(made);
    if (decision instanceof Promise) throw new Error('the call waits');
    if (decision === undefined) return undefined;
    return policy.instead?.(made, decision) ?? decision;
  }

  function end(made: FakeCall, facts: Partial<Outcome> = {}): void {
    made.ended = true;
    policy.after?.(made, outcome(facts));
  }

  /** A whole call; the answer is that of Mesher, or undefined for that of the service. */
  function make(facts: CallFacts = {}, ends: Partial<Outcome> = {}): Rejection | undefined {
    const made = call(facts);
    const refusal = begin(made);
    if (refusal === undefined) end(made, ends);
    return refusal;
  }

  const reconfigure = async (text: string): Promise<void> => {
    const document = await meshDocument({ 'circuit_breaker.yaml': text });
    context.configuration.check(document);
    context.configuration.swap(document);
  };
  return { ...context, policy, call, begin, end, make, reconfigure };
}

const FAILED: Partial<Outcome> = { status: 503 };

const BREAKER =
  'cse:\n  circuitBreaker:\n    scope: service\n    Consumer:\n      enabled: true\n      requestVolumeThreshold: 4\n      sleepWindowJitterPercentage: 0\n';

function times(count: number, what: () => unknown): void {
  for (let i = 0; i < count; i++) what();
}

describe('bizkeeper', () => {
  describe('circuit breaker', () => {
    it('opens on 5xx, says why and until when, lets probes through and closes', async () => {
      const { make, time, events } = await rig(BREAKER);
      times(2, () => make());
      times(2, () => make({}, FAILED));
      const refusal = make();
      expect(refusal).to.include({ code: 'MESH_ERR_BREAKER_OPEN', status: 503, retryAfterSeconds: 15 });
      expect(refusal?.message).to.equal(
        'The circuit breaker of world is open: 2 of 4 calls failed (50 %); the next probe is in 15 s',
      );
      time.advance(14_500);
      expect(make()?.retryAfterSeconds).to.equal(1);
      time.advance(500);
      expect(make()).to.equal(undefined);
      expect(make()).to.equal(undefined);
      expect(events.latest.map(({ kind }) => kind)).to.deep.equal([
        'breaker-opened',
        'breaker-half-open',
        'breaker-closed',
      ]);
    });

    it('never opens unless it is enabled', async () => {
      const { make } = await rig('cse:\n  circuitBreaker:\n    Consumer:\n      requestVolumeThreshold: 1\n');
      times(50, () => make({}, FAILED));
      expect(make()).to.equal(undefined);
    });

    it('counts each call that ended with a listed status, and those alone', async () => {
      const yaml = `${BREAKER}      failureStatuses: 429\nservicecomb:\n  transport:\n    failure:\n      rest: http_404\n`;
      const { make } = await rig(yaml);
      times(10, () => make({}, { status: 500 }));
      expect(make({}, { status: 429 })).to.equal(undefined);
      times(10, () => make({}, { status: 404 }));
      expect(make()?.message).to.contain('10 of 20');
    });

    it('takes what a service does not set from the side', async () => {
      const { make } = await rig(`${BREAKER}      world:\n        errorThresholdPercentage: 100\n`);
      make();
      times(5, () => make({}, FAILED));
      expect(make()).to.equal(undefined);
      times(4, () => make({ service: 'other' }, FAILED));
      expect(make({ service: 'other' })?.code).to.equal('MESH_ERR_BREAKER_OPEN');
    });

    it('keeps what was counted, and open breakers open, when something else changes', async () => {
      const { make, reconfigure } = await rig(BREAKER);
      times(3, () => make({}, FAILED));
      await reconfigure(`${BREAKER}      other:\n        enabled: false\n`);
      make({}, FAILED);
      expect(make()?.message).to.contain('4 of 4');
      await reconfigure(`${BREAKER}      sleepWindowInMilliseconds: 99\n`);
      expect(make()?.retryAfterSeconds).to.equal(15);
    });

    it('can be forced open and closed while it runs, and comes back to the state that it had', async () => {
      const { make, reconfigure } = await rig(BREAKER);
      times(4, () => make({}, FAILED));
      await reconfigure(`${BREAKER}      forceClosed: true\n`);
      expect(make({}, FAILED)).to.equal(undefined);
      await reconfigure(`${BREAKER}      forceClosed: true\n      forceOpen: true\n`);
      const forced = make();
      expect(forced?.message).to.contain('cse.circuitBreaker.Consumer.forceOpen');
      expect(forced?.retryAfterSeconds).to.equal(undefined);
      await reconfigure(BREAKER);
      expect(make()?.message).to.contain('4 of 4');
    });

    it('begins anew when it is switched off and on, or stands for something else', async () => {
      const { make, reconfigure } = await rig(BREAKER);
      times(4, () => make({}, FAILED));
      await reconfigure('cse:\n  circuitBreaker:\n    scope: service\n');
      expect(make()).to.equal(undefined);
      await reconfigure(BREAKER);
      expect(make()).to.equal(undefined);
      times(3, () => make({}, FAILED));
      expect(make()?.code).to.equal('MESH_ERR_BREAKER_OPEN');
      await reconfigure(BREAKER.replace('scope: service', 'scope: api'));
      expect(make()).to.equal(undefined);
    });

    it('has one breaker per API by default', async () => {
      const { make } = await rig(BREAKER.replace('    scope: service\n', ''));
      times(4, (i = 0) => make({ path: `/users/${i}?x=1` }, FAILED));
      expect(make({ path: '/users/99' })?.message).to.contain('world (GET /users/{id})');
      expect(make({ path: '/users/99', method: 'DELETE' })).to.equal(undefined);
      expect(make({ path: '/orders/99' })).to.equal(undefined);
    });

    for (const protocol of ['http', 'tcp'] as const) {
      it(`closes when its probes are answered well, although their ${protocol} streams go on for hours`, async () => {
        const { make, call, begin, end, policy, time } = await rig(BREAKER);
        times(4, () => make({ protocol }, { status: 0, code: 'MESH_ERR_CONNECT' }));
        time.advance(15_000);
        const streams = [call({ protocol }), call({ protocol })];
        for (const stream of streams) {
          expect(begin(stream)).to.equal(undefined);
          expect(stream.watchesBeginning).to.equal(true);
          policy.answerBegan?.(stream, protocol === 'tcp' ? 0 : 200);
        }
        times(20, () => expect(make({ protocol })).to.equal(undefined));
        const later = call({ protocol });
        begin(later);
        expect(later.watchesBeginning).to.equal(false);
        // What becomes of them in the end is no news about the service as it is then.
        for (const stream of streams) end(stream, { status: 0, code: 'MESH_ERR_UPSTREAM_RESET' });
        times(3, () => make({ protocol }, FAILED));
        expect(make({ protocol })).to.equal(undefined);
      });
    }

    it('opens again when its probes are answered with failures, and counts each of them once', async () => {
      const { make, call, begin, end, policy, time } = await rig(BREAKER);
      times(4, () => make({}, FAILED));
      time.advance(15_000);
      const probe = call();
      begin(probe);
      policy.answerBegan?.(probe, 503);
      end(probe, FAILED);
      expect(make({}, FAILED)).to.equal(undefined);
      expect(make()?.code).to.equal('MESH_ERR_BREAKER_OPEN');
    });

    it('gives back the probe of a call that the bulkhead refuses', async () => {
      const yaml = `${BREAKER}      halfOpenProbes: 1\n  isolation:\n    Consumer:\n      maxConcurrentRequests: 1\n`;
      const { make, call, begin, end, time } = await rig(yaml);
      const long = call();
      begin(long);
      end(long, FAILED);
      times(3, () => make({}, FAILED));
      time.advance(15_000);
      const probe = call();
      expect(begin(probe)).to.equal(undefined);
      expect(make()?.code).to.equal('MESH_ERR_BREAKER_OPEN');
      end(probe, { aborted: true });
      expect(make()).to.equal(undefined);
      expect(make()).to.equal(undefined);
    });

    it('does not count what the bulkhead refused, nor callers that left', async () => {
      const yaml = `${BREAKER}  isolation:\n    Consumer:\n      maxConcurrentRequests: 1\n`;
      const { make, call, begin, end } = await rig(yaml);
      const first = call();
      begin(first);
      times(20, () => expect(make()?.code).to.equal('MESH_ERR_BULKHEAD_FULL'));
      end(first, { aborted: true, status: 0 });
      times(20, () => make({}, { aborted: true, status: 0 }));
      times(3, () => make({}, FAILED));
      expect(make()).to.equal(undefined);
    });

    it('guards the local application, too', async () => {
      const { make } = await rig(BREAKER.replace('Consumer', 'Provider'), { direction: 'inbound' });
      times(4, () => make({ service: 'orders' }, { status: 502, code: 'MESH_ERR_CONNECT' }));
      expect(make({ service: 'orders' })?.message).to.contain('orders is open: 4 of 4 calls failed (100 %)');
    });
  });

  describe('a caller that gives its calls too little time', () => {
    const LATE: Partial<Outcome> = { status: 504, code: 'MESH_ERR_TIMEOUT', durationMs: 5 };

    it('cannot take the local application away from the others', async () => {
      const { make, call, begin, end, time } = await rig(BREAKER.replace('Consumer', 'Provider'), {
        direction: 'inbound',
      });
      const hurried = (deadlineIsOurs: boolean): void => {
        const made = call({ service: 'orders' });
        made.deadlineAt = time.now() + 5;
        made.deadlineIsOurs = deadlineIsOurs;
        begin(made);
        end(made, LATE);
      };
      times(20, () => hurried(false));
      expect(make({ service: 'orders' })).to.equal(undefined);
      times(4, () => hurried(true));
      expect(make({ service: 'orders' })?.code).to.equal('MESH_ERR_BREAKER_OPEN');
    });
  });

  describe('bulkhead', () => {
    const BULKHEAD = 'cse:\n  isolation:\n    Consumer:\n      maxConcurrentRequests: 2\n';

    it('is not made with bounds of its adaptive limit that contradict each other', async () => {
      const yaml = 'cse.isolation.Consumer.adaptive: {enabled: true, minLimit: 50, maxLimit: 5}\n';
      const problem = await rig(yaml).catch((error: unknown) => error as Error);
      expect((problem as Error).message).to.contain('maxLimit is less than minLimit');
    });

    it('refuses calls beyond the limit, with the key to raise', async () => {
      const { call, begin, end } = await rig(BULKHEAD);
      const calls = [call(), call(), call()];
      expect(calls.map(begin).map((refusal) => refusal?.code)).to.deep.equal([
        undefined,
        undefined,
        'MESH_ERR_BULKHEAD_FULL',
      ]);
      const refusal = begin(call());
      expect(refusal).to.include({ status: 503, retryAfterSeconds: 1 });
      expect(refusal?.message).to.equal(
        '2 calls of world are under way, which is the limit (cse.isolation.Consumer.maxConcurrentRequests)',
      );
      end(calls[0] as FakeCall);
      expect(begin(call())).to.equal(undefined);
    });

    it('changes its limit while calls are under way', async () => {
      const { call, begin, reconfigure } = await rig(BULKHEAD);
      times(2, () => begin(call()));
      await reconfigure(BULKHEAD.replace('2', '3'));
      expect(begin(call())).to.equal(undefined);
      expect(begin(call())?.code).to.equal('MESH_ERR_BULKHEAD_FULL');
      await reconfigure(BULKHEAD.replace('2', '6000'));
      times(1000, () => expect(begin(call())).to.equal(undefined));
    });

    it('leaves relayed connections alone', async () => {
      const { call, begin } = await rig(BULKHEAD);
      times(10, () => expect(begin(call({ protocol: 'tcp' }))).to.equal(undefined));
      expect(begin(call())).to.equal(undefined);
    });

    it('lets a call wait for its turn', async () => {
      const { call, begin, end, policy } = await rig(`${BULKHEAD}      maxQueue: 1\n`);
      const [first, second, third] = [call(), call(), call()] as [FakeCall, FakeCall, FakeCall];
      begin(first);
      begin(second);
      const waiting = policy.before?.(third);
      expect(begin(call())?.code).to.equal('MESH_ERR_BULKHEAD_FULL');
      end(first);
      expect(await waiting).to.equal(undefined);
      end(second);
      end(third);
      expect([begin(call()), begin(call())]).to.deep.equal([undefined, undefined]);
    });

    it('says that it is full at most once in ten seconds, and how often it refused since', async () => {
      const { call, begin, make, events, time } = await rig(BULKHEAD);
      times(2, () => begin(call()));
      times(50, () => make());
      time.advance(10_000);
      times(50, () => make());
      expect(events.latest.map(({ kind }) => kind)).to.deep.equal(['bulkhead-full', 'bulkhead-full']);
      expect(events.latest[1]?.text).to.equal(
        'A call of world was refused: 2 calls under way, 2 may be; 49 more were refused since the last time',
      );
    });

    it('names the key of the service that has one of its own', async () => {
      const { call, begin, make } = await rig(`${BULKHEAD}      world: { maxConcurrentRequests: 1 }\n`);
      begin(call());
      expect(make()?.message).to.contain('(cse.isolation.Consumer.world.maxConcurrentRequests)');
    });

    it('is not there when any number of calls may be under way and nothing else is configured', async () => {
      const { policy } = await rig('cse:\n  isolation:\n    Consumer:\n      maxConcurrentRequests: 0\n');
      expect(policy.isActive).to.equal(false);
    });
  });

  describe('fallback', () => {
    const OPEN = `${BREAKER}      forceOpen: true\n`;
    const PLUGINS: InstalledPlugins = {
      find: (kind, name) =>
        kind === 'fallback' && name === 'cached'
          ? ({
              answer: (_call: unknown, { code }: Rejection) =>
                new DirectAnswer('MESH_REDIRECT', 203, `instead of ${code}`),
            } as never)
          : undefined,
      names: () => ['cached'],
    };
    const policyYaml = (name: string): string => `  fallbackpolicy:\n    Consumer:\n      policy: ${name}\n`;

    it('answers with the error unless told otherwise', async () => {
      const { make } = await rig(OPEN);
      expect(make()).to.not.be.instanceOf(DirectAnswer);
    });

    it('answers with an empty 200 as returnnull, for HTTP', async () => {
      const { make } = await rig(OPEN + policyYaml('returnnull'));
      expect(make()).to.be.instanceOf(DirectAnswer);
      expect(make()).to.include({ status: 200, body: '', code: 'MESH_ERR_BREAKER_OPEN' });
      expect(make({ protocol: 'grpc' })).to.not.be.instanceOf(DirectAnswer);
    });

    it('is not used when it is disabled', async () => {
      const { make } = await rig(
        `${OPEN}${policyYaml('returnnull')}  fallback:\n    Consumer:\n      enabled: false\n`,
      );
      expect(make()).to.include({ status: 503 });
    });

    it('answers every call when forced', async () => {
      const { make } = await rig(`cse:\n${policyYaml('returnnull')}  fallback:\n    Consumer:\n      force: true\n`);
      expect(make()).to.include({ status: 200, body: '' });
    });

    it('leaves calls that failed to plugins, which do not make a success of them', async () => {
      const failed = new Rejection('MESH_ERR_CONNECT');
      const limited = new Rejection('MESH_ERR_RATE_LIMITED');
      const nothing = await rig(OPEN + policyYaml('returnnull'));
      expect(nothing.policy.instead?.(nothing.call(), failed)).to.equal(failed);
      const custom = await rig(OPEN + policyYaml('cached'), { plugins: PLUGINS });
      expect(custom.policy.instead?.(custom.call(), failed)).to.include({
        code: 'MESH_ERR_CONNECT',
        status: 203,
        body: 'instead of MESH_ERR_CONNECT',
      });
      expect(custom.policy.instead?.(custom.call(), limited)).to.equal(limited);
      expect(custom.make()).to.include({ status: 203 });
    });

    it('passes on the error when a plugin gives back what is no answer', async () => {
      const code = 'MESH_ERR_BREAKER_OPEN';
      const answers: unknown[] = [undefined, null, 'text', {}, Promise.resolve(new Rejection(code))];
      answers.push(new DirectAnswer(code, 200, { price: 1 } as unknown as string));
      for (const answer of answers) {
        const find = (): never => ({ answer: () => answer }) as never;
        const plugins: InstalledPlugins = { ...PLUGINS, find };
        const { make, logger } = await rig(OPEN + policyYaml('cached'), { plugins });
        expect(make()).to.include({ code, status: 503 });
        expect(logger.lines.map(({ level }) => level)).to.include('error');
      }
    });

    it('passes on the error when a plugin throws', async () => {
      const plugins: InstalledPlugins = {
        find: () => ({ answer: () => { throw new Error('no') } }) as never, // prettier-ignore
        names: () => [],
      };
      const { make, logger } = await rig(OPEN + policyYaml('broken'), { plugins });
      expect(make()).to.include({ code: 'MESH_ERR_BREAKER_OPEN', status: 503 });
      expect(logger.lines.some(({ level }) => level === 'error')).to.equal(true);
    });

    it('refuses a name that nobody has, at the start and later, naming the known ones', async () => {
      const start = await rig(OPEN + policyYaml('none')).catch((error: unknown) => error);
      expect(start)
        .to.be.an('error')
        .with.property('message')
        .that.matches(/'none'.*known are returnnull, throwexception/);
      const { reconfigure } = await rig(OPEN, { plugins: PLUGINS });
      const later = await reconfigure(
        `cse:\n  fallbackpolicy:\n    Consumer:\n      world:\n        policy: none\n`,
      ).catch((error: unknown) => error);
      expect(later)
        .to.be.an('error')
        .with.property('message')
        .that.matches(/Consumer\.world\.policy.*cached/);
    });
  });

  describe('policies by mark', () => {
    const BY_MARK =
      'servicecomb:\n  circuitBreaker:\n    slow-users: |\n      minimumNumberOfCalls: 2\n      slidingWindowSize: 4\n      waitDurationInOpenState: 5s\n      permittedNumberOfCallsInHalfOpenState: 1\n  bulkhead:\n    writers: |\n      match: writes\n      maxConcurrentCalls: 1\n      maxWaitDuration: 100\n';

    it('open for the marked calls of a service alone', async () => {
      const { make, time } = await rig(BY_MARK);
      times(2, () => make({ marks: ['slow-users'] }, FAILED));
      expect(make({ marks: ['slow-users'] })?.message).to.contain('world (mark slow-users) is open');
      expect(make()).to.equal(undefined);
      expect(make({ marks: ['slow-users'], service: 'other' })).to.equal(undefined);
      time.advance(5_500);
      expect(make({ marks: ['slow-users'] })).to.equal(undefined);
      expect(make({ marks: ['slow-users'] })).to.equal(undefined);
    });

    it('limit marked calls and let them wait', async () => {
      const { call, begin, end, policy, time } = await rig(BY_MARK);
      const first = call({ marks: ['writes'] });
      expect(begin(first)).to.equal(undefined);
      const waiting = [policy.before?.(call({ marks: ['writes'] }))];
      expect(begin(call())).to.equal(undefined);
      time.advance(100);
      await settle();
      expect(await waiting[0]).to.include({ code: 'MESH_ERR_BULKHEAD_FULL' });
      const second = call({ marks: ['writes'] });
      const turn = policy.before?.(second);
      end(first);
      expect(await turn).to.equal(undefined);
      end(second);
      expect(begin(call({ marks: ['writes'] }))).to.equal(undefined);
    });
  });

  describe('explain', () => {
    it('says what the call would meet, and changes nothing', async () => {
      const { make, call, policy, time } = await rig(BREAKER);
      const first = new Explanation();
      policy.explain?.(call(), first);
      expect(first.steps.map(({ decision }) => decision)).to.deep.equal([
        'closed: nothing was counted yet',
        'passes: no calls under way, 1000 may be',
      ]);
      times(4, () => make({}, FAILED));
      const open = new Explanation();
      policy.explain?.(call(), open);
      expect(open.stopped).to.equal(true);
      expect(open.rejection?.code).to.equal('MESH_ERR_BREAKER_OPEN');
      expect(open.steps[0]).to.deep.include({ stage: 'circuit-breaker' });
      expect(open.steps[0]?.data).to.include({ state: 'open', calls: 4, failures: 4, probesInMs: 15_000 });
      time.advance(15_000);
      const due = new Explanation();
      policy.explain?.(call(), due);
      expect(due.stopped).to.equal(false);
      expect(due.steps[0]?.data).to.include({ state: 'open', probesInMs: 0 });
    });

    it('says what a forced fallback would answer', async () => {
      const yaml =
        'cse:\n  fallback:\n    Consumer:\n      force: true\n  fallbackpolicy:\n    Consumer:\n      policy: returnnull\n';
      const { call, policy } = await rig(yaml);
      const into = new Explanation();
      policy.explain?.(call(), into);
      expect(into.rejection?.status).to.equal(200);
    });
  });

  it('loses no place when a chain names it twice', async () => {
    const yaml = 'cse:\n  isolation:\n    Consumer:\n      maxConcurrentRequests: 1\n';
    const { policy, call, begin, make } = await rig(yaml);
    const made = call();
    expect([begin(made), begin(made)]).to.deep.equal([undefined, undefined]);
    policy.after?.(made, outcome());
    policy.after?.(made, outcome());
    expect(make()).to.equal(undefined);
    expect(make()).to.equal(undefined);
  });

  it('asks a fallback plugin once per call', async () => {
    const asked: string[] = [];
    const plugins: InstalledPlugins = {
      find: () => ({ answer: (_call: unknown, reason: Rejection) => asked.push(reason.code) && reason }) as never,
      names: () => ['mine'],
    };
    const yaml = `${BREAKER}      forceOpen: true\n  fallbackpolicy:\n    Consumer:\n      policy: mine\n`;
    const { make } = await rig(yaml, { plugins });
    make();
    expect(asked).to.deep.equal(['MESH_ERR_BREAKER_OPEN']);
  });

  it('keeps its series and its breakers bounded, whatever paths callers ask for', async () => {
    const yaml = `${BREAKER.replace('scope: service', 'scope: api').replace('Threshold: 4', 'Threshold: 1')}      maxApis: 2000\n`;
    const { make, metrics } = await rig(yaml);
    for (let i = 0; i < 10_000; i++)
      make({ path: `/p${i.toString(26).replace(/\d/g, 'z')}-x`, method: `M${i % 5}` }, FAILED);
    const series: Record<string, number> = {};
    for (const family of metrics.families()) {
      for await (const samples of family.slices()) series[family.definition.name] = samples.length;
    }
    expect(series['mesher_breaker_state']).to.equal(500);
    expect(series['mesher_breaker_transitions_total']).to.be.within(500, 1001);
    expect(series['mesher_breaker_rejections_total']).to.be.within(1, 1001);
  });

  it('shows its numbers', async () => {
    const yaml = `${BREAKER}  isolation:\n    Consumer:\n      maxConcurrentRequests: 5\n`;
    const { make, call, begin, metrics } = await rig(yaml);
    times(4, () => make({}, FAILED));
    make();
    begin(call({ service: 'other' }));
    const values: Record<string, number> = {};
    for (const family of metrics.families()) {
      for await (const samples of family.slices()) {
        for (const { labels, value } of samples) {
          values[`${family.definition.name} ${Object.values(labels).join(' ')}`] = value;
        }
      }
    }
    expect(values).to.include({
      'mesher_breaker_state outbound world ': 2,
      'mesher_breaker_transitions_total outbound world  open': 1,
      'mesher_breaker_rejections_total outbound world ': 1,
      'mesher_bulkhead_in_use outbound other': 1,
      'mesher_concurrency_limit outbound other': 5,
    });
  });
});
