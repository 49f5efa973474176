import { skipBecause } from '@mesher/core/testing';
import { expect } from 'chai';
import { eventually } from '../support/eventually.js';
import { SteadyCalls } from '../support/load.js';
import { useScene } from '../support/scene.js';
import { GENERATION, requireServiceCenter, ServiceCenter } from '../support/service-center.js';
import type { Settings } from '../support/sidecar.js';

describe('two nodes of a real service-center', function () {
  this.timeout(90_000);
  const scene = useScene();
  let first: ServiceCenter;
  let second: ServiceCenter;
  before(function () {
    requireServiceCenter(this);
  });
  beforeEach(async () => {
    first = await ServiceCenter.start(scene());
    second = await ServiceCenter.start(scene(), { beside: first });
  });

  /** Kills the first node under load, and lets another instance register with what is left. */
  async function survives(settings: Settings): Promise<void> {
    const chassis = { ...first.settings, ...settings };
    const { sidecar: one } = await scene().service('world', { chassis });
    const hello = await scene().sidecar({ service: 'hello', host: 'none', chassis });
    expect((await hello.call('http://world/')).status).to.equal(200);
    const calls = new SteadyCalls('http://world/', hello.outbound, 5);
    await eventually('calls', () => calls.names.length > 100);
    await first.kill();
    const { sidecar: two } = await scene().service('world', {
      chassis: { ...chassis, 'servicecomb.registry.address': `${first.url},${second.url}` },
    });
    const both = [one.inbound, two.inbound].sort().join();
    await eventually('the caller knows both', async () => (await hello.instances('world')).sort().join() === both);
    await calls.stop();
    expect(calls.failures).to.deep.equal([]);
    expect(await second.instances('world')).to.have.lengthOf(2);
  }

  it('serve those who know both when one is killed', async () => {
    await survives({ 'servicecomb.registry.address': `${first.url},${second.url}` });
  });

  it('serve those who knew the killed one only, and asked it for the others', async () => {
    interface Health {
      readonly instances: readonly unknown[];
    }
    await eventually('the nodes know each other', async () => {
      return (await first.ask<Health>('/registry/health'))?.instances.length === 2;
    });
    await survives({ 'servicecomb.registry.autodiscovery': true });
  });
});

describe('a service-center 1.x, which has no WebSocket for heartbeats,', function () {
  this.timeout(60_000);
  const scene = useScene();
  before(function () {
    requireServiceCenter(this);
    if (GENERATION !== 1) skipBecause(this, 'MESHER_SERVICE_CENTER is a 2.x, which has one');
  });

  it('gets them by requests from a sidecar that was told to use one', async () => {
    const center = await ServiceCenter.start(scene());
    const chassis = { ...center.settings, 'servicecomb.registry.heartbeat.mode': 'ping-pong' };
    await scene().service('world', { chassis });
    const beats = /heartbeat successful, renew instance/;
    await center.process.untilPrinted(beats);
    await center.process.untilPrinted(beats, 'now');
    expect(await center.instances('world')).to.have.lengthOf(1);
  });
});
