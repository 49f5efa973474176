import { expect } from 'chai';
import { systemPorts, type Ports } from '@mesher/core';
import type { Asked } from '../testing/index.js';
import { eventually, isFind, isHeartbeat, timesLost, useFaultRig, Watched } from './testing/fault-rig.js';

const PASSWORD = 'Root-2026-Password';
const ACCOUNT = `servicecomb.credentials.account: { name: root, password: ${PASSWORD} }\n`;

const isLogin = ({ path }: Asked): boolean => path === '/v4/token';

describe('service-center with access control', () => {
  const fault = useFaultRig({ rbac: { rootPassword: PASSWORD } });
  const logins = (): number => fault().center.asked.filter(isLogin).length;

  it('fault 13 (access expires): a token that is refused is replaced once, and the question sent again', async () => {
    await fault().seed('a');
    const rig = await fault().registry({ yaml: ACCOUNT, timeout: '5s' });
    await rig.register();
    const world = new Watched(rig);
    await world.until('a');
    expect(logins()).to.equal(1);
    const { center } = fault();
    center.accounts?.expireTokens();
    rig.registry.registrator.beatNow();
    await center.untilAsked(isHeartbeat, 2);
    await center.untilAsked(isFind, center.asked.filter(isFind).length + 5);
    expect(logins()).to.equal(2);
    expect(rig.registry.discovery.state()).to.include({ freshness: 'fresh', lastError: undefined });
    expect(rig.registry.discovery.state().counts?.['ask-failed']).to.equal(undefined);
    expect(world.neverLacked('a')).to.equal(true);
    expect(timesLost(rig)).to.equal(0);
  });

  it('fault 13 (access expires): the watch comes back with another token', async () => {
    const rig = await fault().registry({ yaml: `${ACCOUNT}servicecomb.registry.watch: true\n`, timeout: '5s' });
    await rig.register();
    const { center } = fault();
    await center.untilWatchers(1);
    center.accounts?.expireTokens();
    center.dropSockets();
    await center.steering.until(() => center.watchers.count === 0);
    await center.untilWatchers(1);
    expect(logins()).to.equal(2);
  });

  it('fault 13 (access expires): a server that was started again, and knows no token, is logged in to again', async () => {
    await fault().seed('a');
    const rig = await fault().registry({ yaml: ACCOUNT, timeout: '5s' });
    const lease = await rig.register();
    const world = new Watched(rig);
    await world.until('a');
    await fault().restart('keeps its memory', { rbac: { rootPassword: PASSWORD } });
    await fault().center.untilAsked(isFind, 5);
    expect(logins()).to.equal(1);
    expect(world.neverLacked('a')).to.equal(true);
    await lease.setStatus('DOWN');
    expect(fault().registered[0]?.status).to.equal('DOWN');
  });

  it('fault 13 (access expires): who is denied keeps what it has, and does not log in over and over', async () => {
    await fault().seed('a');
    const rig = await fault().registry({ yaml: ACCOUNT, timeout: '5s' });
    const world = new Watched(rig);
    await world.until('a');
    const { center } = fault();
    center.failure = { status: 403, body: '{"errorCode":"403205","errorMessage":"no permission"}' };
    await center.untilAsked(isFind, center.asked.filter(isFind).length + 4);
    const { freshness, lastError } = rig.registry.discovery.state();
    expect([freshness, lastError?.includes('403205')]).to.deep.equal(['stale', true]);
    expect([logins(), world.neverLacked('a')]).to.deep.equal([1, true]);
    center.failure = undefined;
    await eventually(() => rig.registry.discovery.state().freshness === 'fresh');
  });

  it('fault 13 (access expires): a wrong password is tried once a minute, so that the account is not blocked', async () => {
    const wrong = 'servicecomb.credentials.account: { name: root, password: Wrong-2026-Password }\n';
    const rig = await fault().registry({ yaml: wrong, timeout: '5s' });
    void new Watched(rig);
    void rig.register().catch(() => {});
    const { discovery, registrator } = rig.registry;
    await eventually(() => discovery.state().lastError?.includes('401202') === true && registrator.problems.length > 0);
    expect(discovery.state().lastError).to.contain('servicecomb.credentials.account');
    expect(logins()).to.equal(1);
  });

  for (const [direction, byMs] of [
    ['forward', 400 * 86_400_000],
    ['back', -400 * 86_400_000],
  ] as const) {
    it(`fault 14 (clock jump): a wall clock that jumps ${direction}, or is wrong from the start, changes nothing`, async () => {
      const { clock, timers, random } = systemPorts();
      let off = 0;
      const ports: Ports = {
        timers,
        random,
        clock: { now: () => clock.now(), wallTime: () => clock.wallTime() + off },
      };
      await fault().seed('a');
      const before = await fault().registry({ yaml: ACCOUNT, ports, timeout: '5s' });
      await before.register();
      const world = new Watched(before);
      await world.until('a');
      off = byMs;
      const after = await fault().registry({ yaml: ACCOUNT, ports, timeout: '5s' });
      const other = new Watched(after);
      await other.until('a');
      const { center } = fault();
      before.registry.registrator.beatNow();
      await center.untilAsked(isHeartbeat);
      await center.untilAsked(isFind, center.asked.filter(isFind).length + 10);
      expect([logins(), timesLost(before)]).to.deep.equal([2, 0]);
      for (const rig of [before, after]) expect(rig.registry.discovery.state()).to.include({ freshness: 'fresh' });
      expect(world.neverLacked('a') && other.neverLacked('a')).to.equal(true);
    });
  }
});
