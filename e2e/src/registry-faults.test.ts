import { expect } from 'chai';
import { setTimeout as pause } from 'node:timers/promises';
import { FAULT_MODES, FaultProxy, skipBecause } from '@mesher/core/testing';
import { eventually } from './support/eventually.js';
import { CONSUL, FaultyRegistry, SERVICE_CENTER, type RegistryServer } from './support/faulty-registry.js';
import { useScene, useSharedScene } from './support/scene.js';
import { MESHER_BIN, type Settings, type Sidecar } from './support/sidecar.js';

/** Of leases that a test waits for. */
const LONGEST_LEASE_MS = 5_000;
/** With these a registry can still be asked, if slowly or by new connections. */
const BEARABLE = ['delay', 'half-closed by the client'];

for (const kind of [SERVICE_CENTER, CONSUL]) {
  describe(`traffic between sidecars that meet in ${kind.name}`, () => {
    let faulty: FaultyRegistry | undefined;
    const scene = useSharedScene(async (made) => (faulty = await FaultyRegistry.start(made, kind)));

    after(async () => {
      await faulty?.close();
      faulty = undefined;
    });

    for (const mode of Object.keys(FAULT_MODES)) {
      it(`goes on while the way to the registry is spoiled, "${mode}"`, async () => {
        const registry = scene();
        await registry.untilWell();
        const { faults } = registry.proxy.counts;
        await registry.set(mode);
        await eventually('the caller feels it', async () =>
          BEARABLE.includes(mode)
            ? mode === 'delay' || registry.proxy.counts.faults > faults
            : (await registry.freshness()) === 'stale',
        );
        await registry.untilCalled();
        await registry.proxy.heal();
        await registry.untilWell();
        expect(registry.calls.failures).to.deep.equal([]);
      });
    }

    it('goes on while each of these comes after the other without a pause', async () => {
      const registry = scene();
      for (const mode of [...Object.keys(FAULT_MODES), ...Object.keys(FAULT_MODES).reverse()]) {
        await registry.set(mode);
        await registry.untilCalled(30);
      }
      await registry.proxy.heal();
      await registry.untilWell();
      expect(registry.calls.failures).to.deep.equal([]);
    });

    it('goes on while the registry cannot be reached for longer than the leases last', async function () {
      if (kind.leaseMs > LONGEST_LEASE_MS) skipBecause(this, `leases of ${kind.name} last ${kind.leaseMs} ms at least`);
      const registry = scene();
      await registry.set('black hole');
      await pause(2 * kind.leaseMs);
      await registry.untilCalled();
      // Connections do not outlive such a time.
      registry.proxy.cut('reset');
      await registry.proxy.heal();
      await registry.untilWell();
      expect(registry.calls.failures).to.deep.equal([]);
    });

    it('goes on when the registry is killed and has lost everything, twice', async () => {
      const registry = scene();
      for (let times = 0; times < 2; times++) {
        await registry.proxy.kill();
        await registry.loseAll();
        await registry.proxy.heal();
        await eventually('both are registered again', async () => {
          const counts = await Promise.all(
            registry.providers.map((one) => one.metric('mesher_registry_events_total', { event: 're-registered' })),
          );
          return counts.every((count) => count > times);
        });
        await registry.untilWell();
      }
      expect(registry.calls.failures).to.deep.equal([]);
    });
  });

  describe(`a sidecar whose ${kind.name} is in trouble`, () => {
    const scene = useScene();
    let server: RegistryServer | undefined;
    let proxy: FaultProxy | undefined;

    afterEach(async () => {
      await proxy?.close();
      await server?.close();
      server = proxy = undefined;
    });

    async function startWorld(more: Settings = {}): Promise<Sidecar> {
      server = await kind.start(scene());
      proxy = await FaultProxy.start({ port: server.port });
      const chassis = { ...kind.settings(proxy.url), ...more };
      return (await scene().service('world', { chassis })).sidecar;
    }

    it('starts without it, says that it is not ready, and is ready as soon as it answers', async () => {
      const world = await startWorld();
      await world.process.kill();
      await proxy?.kill();
      scene().spawn('world again', process.execPath, [MESHER_BIN, `--config=${world.confDir}/mesher.yaml`]);
      await eventually('it lives', async () => (await world.admin('/live')).status === 200);
      const ready = await world.admin('/ready');
      expect([ready.status, ready.body.includes('the registry has not answered yet')]).to.deep.equal([503, true]);
      await eventually('it says why', async () =>
        /answered yet: .*ECONNREFUSED/.test((await world.admin('/ready')).body),
      );
      await proxy?.heal();
      await eventually('it is ready', async () => (await world.admin('/ready')).status === 200);
    });

    it('ends within the time for leaving when it is told to, though the registry is silent', async () => {
      // It would wait for an answer for longer than this test may take.
      const world = await startWorld({ ...kind.patient, 'mesher.registration.leaveTimeout': '500ms' });
      await proxy?.set(FAULT_MODES['black hole'] ?? {});
      world.process.signal('SIGTERM');
      const ending = await world.process.exited;
      expect([ending.code, world.process.output.includes('the registry did not answer while leaving')]).to.deep.equal([
        0,
        true,
      ]);
    });
  });
}
