import { expect } from 'chai';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemPorts, type Ports } from '@mesher/core';
import { FAULT_MODES, fakePorts, type Fault } from '@mesher/core/testing';
import {
  eventually,
  isHeartbeat,
  isQuestion,
  isRegistration,
  timesLost,
  useFaultRig,
  Watched,
} from './testing/fault-rig.js';

describe('a client of Consul', () => {
  const fault = useFaultRig();

  it('fault 13 (access expires): a token that is refused is read again from its file once, and the question sent again', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mesher-consul-token-'));
    const tokenFile = join(folder, 'token');
    await writeFile(tokenFile, 'first');
    await fault().seed('a');
    const rig = await fault().registry({ options: { tokenFile } });
    await rig.register();
    const world = new Watched(rig);
    await world.until('a');
    const { consul } = fault();
    await writeFile(tokenFile, 'second');
    const fits = ({ headers }: { headers: object }): boolean =>
      (headers as Readonly<Record<string, unknown>>)['x-consul-token'] === 'first';
    consul.failure = { status: 403, body: 'ACL not found', fits };
    await consul.untilAsked((asked) => isQuestion(asked) && !fits(asked), 3);
    rig.registry.registrator.beatNow();
    await consul.untilAsked((asked) => isHeartbeat(asked) && !fits(asked));
    expect(rig.registry.discovery.state()).to.include({ freshness: 'fresh', lastError: undefined });
    expect(world.neverLacked('a')).to.equal(true);
    expect(timesLost(rig)).to.equal(0);
    await rm(folder, { recursive: true });
  });

  it('fault 13 (access expires): who is denied keeps what it has, and asks at the longest pause', async () => {
    const { timers, clock, random } = systemPorts();
    const pauses: number[] = [];
    const after: Ports['timers']['after'] = (ms, callback) => {
      pauses.push(ms);
      return timers.after(ms, callback);
    };
    const ports: Ports = { clock, random, timers: { after, every: (ms, callback) => timers.every(ms, callback) } };
    await fault().seed('a');
    const rig = await fault().registry({ ports, options: { minRetryDelay: 1, maxRetryDelay: 60 } });
    const world = new Watched(rig);
    await world.until('a');
    fault().consul.failure = { status: 403, body: 'Permission denied', fits: isQuestion };
    await eventually(() => /denied/i.test(rig.registry.discovery.state().problems.join()));
    pauses.length = 0;
    await fault().untilAskedAgain(4);
    // Each time the longest one, give or take a fifth; other timers here are those of answers.
    expect(pauses.filter((ms) => ms >= 48 && ms <= 72)).to.have.length.of.at.least(3);
    expect(pauses.filter((ms) => ms < 48)).to.deep.equal([]);
    expect(world.neverLacked('a')).to.equal(true);
  });

  it('fault 14 (clock jump): a wall clock that jumps changes nothing', async () => {
    const { clock, timers, random } = systemPorts();
    let off = 0;
    const ports: Ports = { timers, random, clock: { now: () => clock.now(), wallTime: () => clock.wallTime() + off } };
    await fault().seed('a');
    const rig = await fault().registry({ ports });
    await rig.register();
    const world = new Watched(rig);
    await world.until('a');
    for (const jump of [400, -800]) {
      off += jump * 86_400_000;
      await fault().untilAskedAgain(3);
      expect(rig.registry.discovery.state()).to.include({ freshness: 'fresh', lastError: undefined });
    }
    expect(timesLost(rig)).to.equal(0);
    expect(world.neverLacked('a')).to.equal(true);
  });

  it('fault 15 (graceful stop): leaves before anything else ends', async () => {
    const rig = await fault().registry();
    await rig.register();
    await rig.close();
    const { consul } = fault();
    expect(consul.store.services()).to.deep.equal([]);
    expect(consul.asked.at(-1)?.path).to.contain('/v1/agent/service/deregister/');
  });

  for (const mode of ['no answers', 'black hole', 'refuse', 'truncated and silent']) {
    it(`fault 15 (graceful stop): is over within five seconds whatever the agent does, "${mode}"`, async () => {
      const ports = fakePorts();
      const options = { requestTimeout: 600_000, stopTimeout: 600_000 };
      const rig = await fault().registry({ ports, options });
      await rig.register();
      new Watched(rig);
      await fault().consul.untilAsked(isQuestion);
      await fault().proxy.set(FAULT_MODES[mode] ?? {});
      let isClosed = false;
      const closing = rig.close().then(() => (isClosed = true));
      await ports.time.advanceAsync(4_000, 100);
      if (mode === 'black hole') expect(isClosed).to.equal(false);
      await ports.time.advanceAsync(1_000, 100);
      await closing;
      const { accepted } = fault().proxy.counts;
      await fault().proxy.heal();
      await fault().proxy.until(({ open }) => open === 0);
      expect(fault().proxy.counts.accepted).to.equal(accepted);
    });
  }

  it('fault 16 (flapping): answers that are lost make no second registration', async () => {
    const { proxy, consul } = fault();
    const lost: Fault = { kind: 'truncate', afterBytes: 20, ending: 'reset' };
    await proxy.set({ toClient: lost });
    const rig = await fault().registry();
    const registering = rig.register();
    await consul.untilAsked(isRegistration, 4);
    await proxy.heal();
    await registering;
    expect(consul.store.services()).to.have.length(1);
    const ids = consul.asked.filter(isRegistration).map(({ text }) => (JSON.parse(text) as { ID: string }).ID);
    expect(new Set(ids).size).to.equal(1);
  });

  it('fault 16 (flapping): all that notice the loss at once register once', async () => {
    const rig = await fault().registry();
    const lease = await rig.register();
    const { consul } = fault();
    consul.forget();
    const { registrator } = rig.registry;
    for (let times = 0; times < 20; times++) registrator.beatNow();
    await Promise.all([lease.setStatus('DOWN'), lease.setStatus('UP'), lease.setStatus('DOWN')]);
    await eventually(() => consul.store.services().length === 1);
    await eventually(() => consul.store.checks()[0]?.Status !== 'passing');
    expect(timesLost(rig)).to.equal(1);
  });
});
