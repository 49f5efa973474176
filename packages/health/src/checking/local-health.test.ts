import { expect } from 'chai';
import type { HealthChecker, LocalHealthCheckConfig } from '@mesher/core';
import { RecordingLogger, fakePorts, settle, type FakeTime } from '@mesher/core/testing';
import { ScriptedChecker, checkConfig } from '../testing/scripted-checker.js';
import { LocalHealth } from './local-health.js';
import type { HealthState } from './thresholds.js';

const WELL = { healthy: true, detail: 'well' };
const SICK = { healthy: false, detail: 'status 500' };

interface Rig {
  readonly health: LocalHealth;
  readonly rest: ScriptedChecker;
  readonly tcp: ScriptedChecker;
  readonly changes: HealthState[];
  readonly logger: RecordingLogger;
  readonly time: FakeTime;
  /** Lets time pass and everything happen that follows from it. */
  pass(ms: number): Promise<void>;
}

function rig(...configs: LocalHealthCheckConfig[]): Promise<Rig> {
  return makeRig(configs, WELL);
}

/** With an application whose port takes connections but never answers. */
function silentTcp(...configs: LocalHealthCheckConfig[]): Promise<Rig> {
  return makeRig(configs, undefined);
}

async function makeRig(configs: readonly LocalHealthCheckConfig[], tcpAnswer: ScriptedChecker['answer']): Promise<Rig> {
  const { time, ...ports } = fakePorts();
  const [rest, tcp, logger] = [new ScriptedChecker(), new ScriptedChecker(), new RecordingLogger()];
  tcp.answer = tcpAnswer;
  const checkers = new Map<string, HealthChecker>(Object.entries({ rest, tcp }));
  const changes: HealthState[] = [];
  const health = new LocalHealth({
    ports,
    logger,
    checkers: { find: (name) => checkers.get(name), names: () => [...checkers.keys()] },
    onChange: (state) => changes.push(state),
  });
  health.configure(configs);
  await settle();
  return { health, rest, tcp, changes, logger, time, pass: (ms) => time.advanceAsync(ms, 50) };
}

describe('the local health checks', () => {
  it('begin at once, and say UP with the first result', async () => {
    const { health, rest, changes } = await rig(checkConfig({ uri: '/health' }));
    expect(rest.asked).to.have.length(1);
    expect(rest.asked[0]).to.include({ host: '127.0.0.1', port: 8080, uri: '/health' });
    await health.whenKnown();
    expect([health.state, changes]).to.deep.equal(['up', ['up']]);
    health.close();
  });

  it('need two failures in a row, of which the second comes soon, and are DOWN within two intervals', async () => {
    const { health, rest, changes, pass } = await rig(checkConfig());
    rest.answer = SICK;
    await pass(10_000);
    expect([health.state, rest.asked.length]).to.deep.equal(['up', 2]);
    await pass(2_500);
    expect([health.state, rest.asked.length]).to.deep.equal(['down', 3]);
    expect(health.view.reasons).to.deep.equal(['rest:8080: status 500']);
    rest.answer = WELL;
    await pass(10_000);
    expect(changes).to.deep.equal(['up', 'down', 'up']);
    expect(health.view.changes).to.deep.equal({ up: 2, down: 1 });
    health.close();
  });

  it('forget a single failure', async () => {
    const { health, rest, changes, pass } = await rig(checkConfig({ unhealthyThreshold: 3 }));
    for (const answer of [SICK, SICK, WELL, SICK, SICK, WELL]) {
      const before = rest.asked.length;
      rest.answer = answer;
      while (rest.asked.length === before) await pass(2_500);
    }
    expect(changes).to.deep.equal(['up']);
    health.close();
  });

  it('are UP again after as many passed checks as are asked for', async () => {
    const { health, rest, changes, pass } = await rig(checkConfig({ unhealthyThreshold: 1, healthyThreshold: 3 }));
    rest.answer = SICK;
    await pass(10_000);
    rest.answer = WELL;
    await pass(10_000 + 2_500);
    expect(changes).to.deep.equal(['up', 'down']);
    await pass(2_500);
    expect(changes).to.deep.equal(['up', 'down', 'up']);
    health.close();
  });

  it('look again soon while an application has never been there, less and less often', async () => {
    const { health, rest, time, pass } = await rig();
    rest.answer = SICK;
    const waits: number[] = [];
    health.configure([checkConfig()]);
    await settle();
    for (let last = time.now(); waits.length < 6;) {
      const before = rest.asked.length;
      while (rest.asked.length === before) await pass(50);
      waits.push(time.now() - last);
      last = time.now();
    }
    expect(waits).to.deep.equal([500, 1000, 2000, 4000, 8000, 10_000]);
    health.close();
  });

  it('of several ports are one state: DOWN while one fails, without flapping', async () => {
    const { health, rest, changes, pass } = await rig(
      checkConfig({ unhealthyThreshold: 1 }),
      checkConfig({ port: 9090, protocol: undefined }),
    );
    rest.answer = SICK;
    await pass(60_000);
    expect(changes).to.deep.equal(['up', 'down']);
    rest.answer = WELL;
    await pass(10_000);
    expect(changes).to.deep.equal(['up', 'down', 'up']);
    health.close();
  });

  it('have no state before each of them has a result, but are DOWN with the first that fails', async () => {
    const { health, tcp, changes, pass } = await silentTcp(
      checkConfig(),
      checkConfig({ protocol: 'tcp', timeout: 1_000 }),
    );
    expect(health.view.checks.map(({ state }) => state)).to.deep.equal(['up', 'unknown']);
    expect([health.state, changes]).to.deep.equal(['unknown', []]);
    await pass(1_000);
    expect(health.state).to.equal('down');
    tcp.speak(WELL);
    tcp.answer = WELL;
    await pass(10_000);
    expect(changes).to.deep.equal(['down', 'up']);
    health.close();
  });

  it('let nobody wait for a state when they are closed', async () => {
    const { health } = await silentTcp(checkConfig({ protocol: 'tcp' }));
    const known = health.whenKnown();
    health.close();
    await known;
  });

  it('time out, with the checker told to stop, and do not pile up when it does not', async () => {
    const { health, rest, pass } = await rig();
    rest.answer = undefined;
    health.configure([checkConfig({ timeout: 1_000 })]);
    await pass(1_000);
    expect(health.view.checks[0]).to.include({ state: 'down', detail: 'no answer within 1s' });
    expect(rest.signals[0]?.aborted).to.equal(true);
    await pass(60_000);
    expect(rest.asked).to.have.length(1);
    expect(health.view.checks[0]?.detail).to.equal('the check before has not ended yet');
    rest.speak(WELL);
    rest.answer = WELL;
    await pass(10_000);
    expect(health.state).to.equal('up');
    health.close();
  });

  it('take an error of a checker for a failure', async () => {
    const { health, rest } = await rig();
    rest.answer = new Error('certificate expired');
    health.configure([checkConfig()]);
    await settle();
    expect(health.view.reasons).to.deep.equal(['rest:8080: certificate expired']);
    health.close();
  });

  it('ask the loopback address of IPv6 when nobody listens on that of IPv4', async () => {
    const { health, rest } = await rig();
    rest.answer = { healthy: false, detail: 'connect ECONNREFUSED', refused: true };
    health.configure([checkConfig()]);
    await settle();
    expect(rest.asked.map(({ host }) => host)).to.deep.equal(['127.0.0.1', '::1']);
    expect(health.view.reasons).to.deep.equal(['rest:8080: nobody listens on port 8080']);
    health.close();
  });

  it('come up to a part of the interval earlier, never later', async () => {
    const { health, rest, time, pass } = await rig(checkConfig({ jitter: 0.5 }));
    const waits: number[] = [];
    for (let last = 0; waits.length < 20; last = time.now()) {
      const before = rest.asked.length;
      while (rest.asked.length === before) await pass(50);
      waits.push(time.now() - last);
    }
    expect(Math.min(...waits)).to.be.within(5_000, 7_000);
    expect(Math.max(...waits)).to.be.within(8_000, 10_050);
    health.close();
  });
});

describe('the configuration of local health checks', () => {
  it('falls back to TCP for a protocol that nobody has, with a warning', async () => {
    const { health, tcp, logger } = await rig(checkConfig({ protocol: 'dubbo' }));
    expect(tcp.asked).to.have.length(1);
    expect(logger.lines.map(({ level }) => level)).to.deep.equal(['warn']);
    expect(logger.lines[0]?.message).to.include("no protocol 'dubbo' (known are rest, tcp)");
    health.close();
  });

  it('takes http for rest, in any case of letters', async () => {
    const { health, rest, logger } = await rig(checkConfig({ protocol: 'HTTP' }), checkConfig({ protocol: 'Rest' }));
    expect([rest.asked.length, logger.lines]).to.deep.equal([2, []]);
    expect(health.view.checks.map(({ name }) => name)).to.deep.equal(['rest:8080', 'rest:8080#2']);
    health.close();
  });

  it('warns of a path and a match that TCP does not look at', async () => {
    const match = { status: 200, body: undefined, maxBody: 1 };
    const { health, logger } = await rig(checkConfig({ protocol: undefined, uri: '/health', match }));
    expect(logger.lines[0]?.message).to.include('uri and match have no effect with protocol tcp');
    health.close();
  });

  it('changes while it runs: what did not change goes on, and nothing is put in or out by the change itself', async () => {
    const { health, rest, tcp, changes, pass } = await rig(checkConfig());
    tcp.answer = undefined;
    health.configure([checkConfig(), checkConfig({ protocol: 'tcp', timeout: 1_000 })]);
    await settle();
    expect([rest.asked.length, tcp.asked.length, health.state]).to.deep.equal([1, 1, 'up']);
    await pass(1_000);
    expect(changes).to.deep.equal(['up', 'down']);
    health.configure([checkConfig()]);
    expect([health.view.checks.length, changes]).to.deep.equal([1, ['up', 'down', 'up']]);
    health.configure([]);
    expect([health.isConfigured, health.state]).to.deep.equal([false, 'up']);
  });

  it('leaves no timer behind when it is closed', async () => {
    const { health, rest, time, pass } = await rig(checkConfig(), checkConfig({ protocol: 'tcp' }));
    health.close();
    await pass(60_000);
    expect([time.pendingTimers, rest.asked.length]).to.deep.equal([0, 1]);
  });
});
