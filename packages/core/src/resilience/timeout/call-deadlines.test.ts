import { expect } from 'chai';
import { Explanation } from '../../explain/explanation.js';
import { Endpoint } from '../../registry/endpoint.js';
import type { ServicePlan } from '../../registry/service-plan.js';
import { FakeCall, type FakeCallFacts } from '../../testing/fake-call.js';
import { fakePorts } from '../../testing/fake-ports.js';
import { executorOf } from '../../testing/retry-rig.js';
import { MeshEvents } from '../../telemetry/mesh-events.js';
import { PolicyMetrics } from '../../telemetry/policy-metrics.js';
import { CallDeadlines } from './call-deadlines.js';
import type { DeadlineOptions } from './deadline-options.js';
import { DEFAULT_EXECUTOR_SETTINGS, UNBOUNDED_MS, type ExecutorSettings } from './executor-settings.js';
import { RetryPlanner } from '../retry/retry-planner.js';
import { RetryReport } from '../retry/retry-report.js';
import { ServiceAttempts } from '../retry/service-attempts.js';

const NOW = 1_000;

interface Seen {
  /** Milliseconds from the start of the call; Infinity for no deadline. */
  readonly within: number;
  /** What the called side is told. */
  readonly told: readonly string[];
  readonly code: string | undefined;
}

function outbound(
  settings: ExecutorSettings,
  facts: FakeCallFacts = {},
  edit: (call: FakeCall) => void = () => {},
): Seen {
  const { time } = fakePorts();
  time.advance(NOW);
  const deadlines = new CallDeadlines(time, 'orders', settings);
  const attempts = new ServiceAttempts('world', settings, undefined);
  const call = new FakeCall({ startedAt: NOW, ...facts });
  edit(call);
  const code = (deadlines.begin(call, attempts) ?? deadlines.admit(call, attempts))?.code;
  return { within: call.deadlineAt - NOW, told: call.sent('x-mesher-timeout-ms'), code };
}

function inbound(settings: ExecutorSettings, headers: Record<string, string> = {}): Seen {
  const { time } = fakePorts();
  const deadlines = new CallDeadlines(time, 'orders', settings);
  const call = new FakeCall({ startedAt: 0, direction: 'inbound', headers });
  const code = deadlines.beginInbound(call)?.code;
  return { within: call.deadlineAt, told: call.sent('x-mesher-timeout-ms'), code };
}

function asking(value: string): FakeCallFacts {
  return { headers: { 'x-mesher-timeout-ms': value } };
}

function withDeadline(options: Partial<DeadlineOptions>): ExecutorSettings {
  return { ...DEFAULT_EXECUTOR_SETTINGS, deadline: { ...DEFAULT_EXECUTOR_SETTINGS.deadline, ...options } };
}

const NO_CODE = { code: undefined };

describe('the deadline of an outbound call', () => {
  it('is that of the wire when nothing is configured, and the called side is not told', () => {
    expect(outbound(DEFAULT_EXECUTOR_SETTINGS)).to.deep.equal({ within: Infinity, told: [], ...NO_CODE });
  });

  it('is what the service has, else what all have; the called side is told', async () => {
    const yaml = (service: string): string =>
      `isolation.Consumer: {timeoutInMilliseconds: 500, ${service}: {timeoutInMilliseconds: 80}}`;
    expect(outbound(await executorOf(yaml('other')))).to.deep.equal({ within: 500, told: ['500'], ...NO_CODE });
    expect(outbound(await executorOf(yaml('world')))).to.deep.equal({ within: 80, told: ['80'], ...NO_CODE });
  });

  it('is none when it is switched off or 0, for all or for the service', async () => {
    for (const yaml of [
      'isolation.Consumer: {timeout.enabled: false, timeoutInMilliseconds: 500}',
      'isolation.Consumer: {timeoutInMilliseconds: 0}',
      'isolation.Consumer: {timeoutInMilliseconds: 500, world: {timeout.enabled: false}}',
    ]) {
      expect(outbound(await executorOf(yaml)), yaml).to.deep.equal({ within: UNBOUNDED_MS, told: [], ...NO_CODE });
    }
  });

  it('is that of the route if it has one, shorter or longer', async () => {
    const settings = await executorOf('isolation.Consumer.timeoutInMilliseconds: 500');
    const routed = (timeoutMs: number): Seen =>
      outbound(settings, {}, (call) => (call.route = { name: 'r', timeoutMs, retry: undefined }));
    expect(routed(50)).to.deep.equal({ within: 50, told: ['50'], ...NO_CODE });
    expect(routed(9_000)).to.deep.equal({ within: 9_000, told: ['9000'], ...NO_CODE });
    expect(routed(0).within).to.equal(UNBOUNDED_MS);
  });

  it('is never later than the caller asks, and never later because it asks', async () => {
    expect(outbound(DEFAULT_EXECUTOR_SETTINGS, asking('70'))).to.deep.equal({ within: 70, told: ['70'], ...NO_CODE });
    const settings = await executorOf('isolation.Consumer.timeoutInMilliseconds: 500');
    expect(outbound(settings, asking('70'))).to.deep.equal({ within: 70, told: ['70'], ...NO_CODE });
    expect(outbound(settings, asking('90000'))).to.deep.equal({ within: 500, told: ['500'], ...NO_CODE });
  });

  it('moves with the end of the request when it is ours, and not when it is the caller’s', async () => {
    const settings = await executorOf('isolation.Consumer.timeoutInMilliseconds: 500');
    const isOurs = (value: string): boolean => {
      const deadlines = new CallDeadlines(fakePorts().clock, 'orders', settings);
      const call = new FakeCall(asking(value));
      deadlines.begin(call, new ServiceAttempts('world', settings, undefined));
      return call.deadlineIsOurs;
    };
    expect(['70', '500', '900'].map(isOurs)).to.deep.equal([false, false, true]);
  });

  it('is over at once for a caller without time: the call is not sent', () => {
    expect(outbound(DEFAULT_EXECUTOR_SETTINGS, asking('0')).code).to.equal('MESH_ERR_TIMEOUT');
  });

  const NONSENSE = ['-5', '1.5', 'NaN', '', '1e3', '5, 6', ' 7', '0x10', 'Infinity', '9'.repeat(400)];
  for (const value of NONSENSE) {
    it(`does not believe ${JSON.stringify(value.slice(0, 20))}, and does not pass it on`, () => {
      expect(outbound(DEFAULT_EXECUTOR_SETTINGS, asking(value))).to.deep.equal({
        within: Infinity,
        told: [],
        ...NO_CODE,
      });
    });
  }

  it('does not read the field when told so: strip takes it out, off leaves it', () => {
    expect(outbound(withDeadline({ honour: 'strip' }), asking('70'))).to.deep.equal({
      within: Infinity,
      told: [],
      ...NO_CODE,
    });
    expect(outbound(withDeadline({ honour: 'off' }), asking('70'))).to.deep.equal({
      within: Infinity,
      told: ['70'],
      ...NO_CODE,
    });
  });

  it('stands once in the request: one that is passed on is neither replaced nor given another', async () => {
    const { deadline, ...settings } = await executorOf('isolation.Consumer.timeoutInMilliseconds: 500');
    const off = { ...settings, deadline: { ...deadline, honour: 'off' as const } };
    const tried = (call: FakeCall): void => void (call.tryTimeout = 120);
    expect(outbound(off, asking('70'))).to.deep.equal({ within: 500, told: ['70'], ...NO_CODE });
    expect(outbound(off, asking('70'), tried).told).to.deep.equal(['70']);
    expect(outbound(off).told).to.deep.equal(['500']);
  });

  it('is not told because of a field that is not believed', () => {
    const tried = (call: FakeCall): void => void (call.tryTimeout = 120);
    expect(outbound(withDeadline({ honour: 'strip' }), asking('70'), tried).told).to.deep.equal([]);
    expect(outbound(DEFAULT_EXECUTOR_SETTINGS, asking('soon'), tried).told).to.deep.equal([]);
  });

  it('is not told when that is switched off', async () => {
    const settings = await executorOf('isolation.Consumer.timeoutInMilliseconds: 500');
    const quiet = { ...settings, deadline: { ...settings.deadline, propagate: false } };
    expect(outbound(quiet)).to.deep.equal({ within: 500, told: [], ...NO_CODE });
  });

  it('counts the time that the call waited, and is over when that was too long', async () => {
    const settings = await executorOf('isolation.Consumer.timeoutInMilliseconds: 500');
    const waited = (ms: number): Seen => outbound(settings, { startedAt: NOW - ms }, (call) => (call.waited = true));
    expect(waited(200).told).to.deep.equal(['300']);
    expect(waited(499.9).told).to.deep.equal(['1']);
    expect([waited(500).code, waited(600).code]).to.deep.equal(['MESH_ERR_TIMEOUT', 'MESH_ERR_TIMEOUT']);
  });

  it('is told as the time of one attempt when that is shorter', async () => {
    const settings = await executorOf('isolation.Consumer.timeoutInMilliseconds: 500');
    expect(outbound(settings, {}, (call) => (call.tryTimeout = 120)).told).to.deep.equal(['120']);
  });

  it('is told anew for each further attempt', async () => {
    const settings = await executorOf('isolation.Consumer.timeoutInMilliseconds: 500');
    const { time } = fakePorts();
    const deadlines = new CallDeadlines(time, 'orders', settings);
    const attempts = new ServiceAttempts('world', settings, undefined);
    const call = new FakeCall();
    deadlines.begin(call, attempts);
    deadlines.renew(call, attempts, 180);
    expect(call.sent('x-mesher-timeout-ms')).to.deep.equal(['320']);
  });
});

describe('the deadline of an inbound call', () => {
  it('is none of our own unless it is configured for the provider', async () => {
    expect(inbound(DEFAULT_EXECUTOR_SETTINGS)).to.deep.equal({ within: Infinity, told: [], ...NO_CODE });
    const settings = await executorOf('isolation.Provider.timeoutInMilliseconds: 200');
    expect(inbound(settings)).to.deep.equal({ within: 200, told: [], ...NO_CODE });
  });

  it('is the earlier one of its own and the caller’s, and the application is told', async () => {
    const settings = await executorOf('isolation.Provider.timeoutInMilliseconds: 200');
    const rows = [
      [DEFAULT_EXECUTOR_SETTINGS, '70', 70, '70'],
      [settings, '70', 70, '70'],
      [settings, '900', 200, '200'],
    ] as const;
    for (const [executor, asked, within, told] of rows) {
      expect(inbound(executor, { 'x-mesher-timeout-ms': asked })).to.deep.equal({ within, told: [told], ...NO_CODE });
    }
    expect(inbound(settings, { 'x-mesher-timeout-ms': '0' }).code).to.equal('MESH_ERR_TIMEOUT');
  });

  it('follows the configuration', async () => {
    const { time } = fakePorts();
    const deadlines = new CallDeadlines(time, 'orders', DEFAULT_EXECUTOR_SETTINGS);
    deadlines.configure(await executorOf('isolation.Provider: {orders: {timeoutInMilliseconds: 90}}'));
    const call = new FakeCall({ direction: 'inbound' });
    deadlines.beginInbound(call);
    expect(call.deadlineAt).to.equal(90);
    time.advance(90);
    expect(deadlines.isOver(call)?.message).to.equal(
      'The time of the call was over before it was sent: it waited 90 ms',
    );
  });
});

describe('the explanation of attempts', () => {
  it('names the deadline, the conditions, the budget and the hedging of a call', async () => {
    const settings = await executorOf(
      [
        'isolation.Consumer.timeoutInMilliseconds: 500',
        'loadbalance: {retryEnabled: true, retryOnSame: 1, retryOnNext: 1, retryOn: 5xx, perTryTimeoutMs: 100, hedging: {enabled: true}}',
      ].join('\n'),
    );
    const ports = fakePorts();
    const planner = new RetryPlanner(
      ports,
      settings,
      new RetryReport(new PolicyMetrics(), new MeshEvents(ports.clock)),
    );
    const deadlines = new CallDeadlines(ports.clock, 'orders', settings);
    const call = new FakeCall();
    const endpoints = ['10.0.0.1', '10.0.0.2'].map((host) => new Endpoint(host, 80));
    call.plan = { service: 'world', candidates: () => ({ endpoints }) } as unknown as ServicePlan;
    const into = new Explanation();
    deadlines.explain(call, planner.of(call.plan), into);
    planner.explain(call, into);
    expect(into.steps.map(({ stage, decision }) => `${stage}: ${decision}`)).to.deep.equal([
      'timeout: the answer must begin within 500 ms',
      'retry: up to 4 attempts',
      'hedging: after 100 ms without an answer, up to 1 more at other instances',
    ]);
    expect(into.steps[1]?.details.join('\n')).to.include(
      '5xx: up to 4 attempts, 2 at one instance, exponential backoff',
    );
    expect(into.steps[1]?.details.join('\n')).to.include('budget: 100 of 100 left');
  });
});
