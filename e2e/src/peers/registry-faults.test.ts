import { expect } from 'chai';
import { FAULT_MODES } from '@mesher/core/testing';
import { requireBuilt } from '../support/built-program.js';
import { eventually } from '../support/eventually.js';
import { FaultyRegistry, REAL_CONSUL, REAL_SERVICE_CENTER } from '../support/faulty-registry.js';
import { useScene } from '../support/scene.js';
import { requireServiceCenter } from '../support/service-center.js';

for (const kind of [REAL_SERVICE_CENTER, REAL_CONSUL]) {
  describe(`traffic between sidecars that meet in ${kind.name}`, () => {
    const scene = useScene();
    let registry: FaultyRegistry | undefined;

    before(function () {
      if (kind === REAL_CONSUL) requireBuilt(this, 'consul');
      else requireServiceCenter(this);
    });

    afterEach(async () => {
      await registry?.close();
      registry = undefined;
    });

    it('loses no call while the way to the registry is spoiled in all ways, nor when it has lost everything', async () => {
      registry = await FaultyRegistry.start(scene(), kind);
      const { calls, proxy, providers } = registry;
      for (const mode of Object.keys(FAULT_MODES)) {
        await registry.set(mode);
        await registry.untilCalled(60);
        await proxy.heal();
        await registry.untilWell();
        expect(calls.failures, mode).to.deep.equal([]);
      }
      await proxy.kill();
      await registry.loseAll();
      await proxy.heal();
      await eventually('both are registered again', async () => {
        const counts = await Promise.all(
          providers.map((one) => one.metric('mesher_registry_events_total', { event: 're-registered' })),
        );
        return counts.every((count) => count > 0);
      });
      await registry.untilWell();
      expect(calls.failures).to.deep.equal([]);
    });
  });
}
