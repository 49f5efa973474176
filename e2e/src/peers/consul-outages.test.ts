import { expect } from 'chai';
import { requireBuilt } from '../support/built-program.js';
import { Consul, TTL_S, type ConsulOptions } from '../support/consul.js';
import { eventually } from '../support/eventually.js';
import { SteadyCalls } from '../support/load.js';
import { useScene } from '../support/scene.js';
import type { Sidecar } from '../support/sidecar.js';

/** Some hundred calls a second, over half a minute. */
const CALL_PAUSE_MS = 5;

describe('a real Consul', function () {
  this.timeout(120_000);
  const scene = useScene();
  let consul: Consul;
  before(function () {
    requireBuilt(this, 'consul');
  });

  async function world(): Promise<Sidecar> {
    return (await scene().service('world', { chassis: consul.settings })).sidecar;
  }

  /** Two instances of `world`, and a caller that knows both. */
  async function startAll(options: ConsulOptions = {}): Promise<{ worlds: readonly Sidecar[]; hello: Sidecar }> {
    consul = await Consul.start(scene(), options);
    const worlds = [await world(), await world()];
    const hello = await scene().sidecar({ service: 'hello', host: 'none', chassis: consul.settings });
    expect((await hello.call('http://world/')).status).to.equal(200);
    await poolIs(hello, worlds);
    return { worlds, hello };
  }

  async function poolIs(hello: Sidecar, worlds: readonly Sidecar[]): Promise<void> {
    const expected = addresses(worlds);
    await eventually(`the caller calls ${expected.join(' and ')}`, async () => {
      // The others have a reason behind their address.
      const lines = (await hello.instances('world')).filter((line) => !line.includes(': '));
      return lines.sort().join() === expected.join();
    });
  }

  function addresses(worlds: readonly Sidecar[]): string[] {
    return worlds.map(({ inbound = '' }) => inbound).sort();
  }

  async function registered(): Promise<string[]> {
    return (await consul.instances('world')).map(({ address }) => address).sort();
  }

  async function freshnessIs(sidecar: Sidecar, freshness: 'fresh' | 'stale'): Promise<void> {
    await eventually(`what is known is ${freshness}`, async () => {
      const { registries } = await sidecar.services();
      return registries.find(({ name }) => name === 'consul')?.freshness === freshness;
    });
  }

  it('has the instances of sidecars while they run, and not once they are stopped', async () => {
    const { worlds, hello } = await startAll();
    expect(await registered()).to.deep.equal(addresses(worlds));
    const [first, second] = worlds;
    await first?.process.stop();
    expect(await registered()).to.deep.equal([second?.inbound]);
    await poolIs(hello, worlds.slice(1));
  });

  it('gives up a sidecar that was killed when its lease ends, which costs no call', async () => {
    const { worlds, hello } = await startAll();
    const calls = new SteadyCalls('http://world/', hello.outbound, CALL_PAUSE_MS);
    await eventually('calls', () => calls.names.length > 100);
    await worlds[0]?.process.kill();
    await eventually('its check is critical', async () => {
      const instances = await consul.instances('world');
      return instances.some(({ address, isPassing }) => address === worlds[0]?.inbound && !isPassing);
    });
    await poolIs(hello, worlds.slice(1));
    await worlds[0]?.start();
    await poolIs(hello, worlds);
    await calls.stop();
    expect(calls.failures).to.deep.equal([]);
  });

  for (const keepsState of [true, false]) {
    it(`that is killed and comes back ${keepsState ? 'with' : 'without'} its state costs no call, and no instance is there twice`, async () => {
      const { worlds, hello } = await startAll({ keepsState });
      const calls = new SteadyCalls('http://world/', hello.outbound, CALL_PAUSE_MS);
      const during = async (count: number): Promise<void> => {
        const goal = calls.names.length + count;
        await eventually('calls go on', () => calls.names.length >= goal);
      };
      await during(100);
      const before = await consul.instances('world');
      await consul.kill();
      await freshnessIs(hello, 'stale');
      await during(500);
      await poolIs(hello, worlds);
      await consul.start();
      await freshnessIs(hello, 'fresh');
      await eventually('both are registered, and pass', async () => {
        const instances = await consul.instances('world');
        return instances.length === 2 && instances.every(({ isPassing }) => isPassing);
      });
      await during(500);
      await poolIs(hello, worlds);
      await calls.stop();
      expect(calls.failures).to.deep.equal([]);
      const ids = (await consul.instances('world')).map(({ id }) => id).sort();
      expect(ids).to.deep.equal(before.map(({ id }) => id).sort());
      console.log(`      ${calls.names.length} calls, none failed`);
    });
  }

  it('that is away for longer than leases are, and comes back with its state, costs no call: neither to sidecars nor to others', async () => {
    const { worlds, hello } = await startAll({ keepsState: true });
    const app = await scene().app({ name: 'by hand' });
    const Check = { HTTP: `http://127.0.0.1:${app.port}/`, Interval: '5s' };
    await consul.register({ Name: 'plain', Address: '127.0.0.1', Port: app.port, Check });
    await eventually('it passes', async () => (await consul.instances('plain')).some(({ isPassing }) => isPassing));
    await eventually('it is called', async () => (await hello.call('http://plain/')).status === 200);
    const calls = [
      new SteadyCalls('http://world/', hello.outbound, CALL_PAUSE_MS),
      new SteadyCalls('http://plain/', hello.outbound, CALL_PAUSE_MS),
    ];
    const during = async (count: number): Promise<void> => {
      const goals = calls.map(({ names }) => names.length + count);
      await eventually('calls go on', () => calls.every(({ names }, at) => names.length >= (goals[at] ?? 0)));
    };
    await during(100);
    await consul.kill();
    // Each call takes its pause at least, so this takes two leases.
    for (let second = 0; second < 2 * TTL_S; second++) await during(1000 / CALL_PAUSE_MS);
    await consul.start();
    await freshnessIs(hello, 'fresh');
    await eventually('all pass again', async () => {
      const instances = [...(await consul.instances('world')), ...(await consul.instances('plain'))];
      return instances.length === 3 && instances.every(({ isPassing }) => isPassing);
    });
    await during(500);
    await poolIs(hello, worlds);
    await Promise.all(calls.map((call) => call.stop()));
    expect(calls.flatMap(({ failures }) => failures)).to.deep.equal([]);
  });

  it('that is down when a sidecar starts delays its registration, and nothing else', async () => {
    consul = await Consul.start(scene());
    await consul.kill();
    const starting = world();
    await eventually('the sidecar meets nobody', () => scene().logs.includes('ECONNREFUSED'));
    await consul.start();
    const { inbound } = await starting;
    expect(await registered()).to.deep.equal([inbound]);
  });
});
