import { expect } from 'chai';
import { requireBuilt } from '../support/built-program.js';
import { Consul } from '../support/consul.js';
import { eventually } from '../support/eventually.js';
import { useScene } from '../support/scene.js';
import type { Settings, Sidecar } from '../support/sidecar.js';

interface ConfigView {
  readonly source: { readonly name: string; readonly state: string; readonly lastError: string | null };
  readonly keys: Readonly<Record<string, { readonly value: unknown; readonly from: string }>>;
  readonly rejected: { readonly problems: readonly string[] } | null;
}

describe('configuration in the keys of a real Consul', function () {
  this.timeout(120_000);
  const scene = useScene();
  before(function () {
    requireBuilt(this, 'consul');
  });

  const inConsul = (consul: Consul): Settings => ({
    'servicecomb.config.client': { type: 'consul', serverUri: consul.url, maxRetryInterval: '1s' },
  });

  async function view(sidecar: Sidecar): Promise<ConfigView> {
    return JSON.parse((await sidecar.admin('/config')).body) as ConfigView;
  }

  async function untilSet(sidecar: Sidecar, value: unknown, from: RegExp): Promise<void> {
    await eventually(`mesher.serverTiming is ${String(value)}`, async () => {
      const found = (await view(sidecar)).keys['mesher.serverTiming'];
      return String(found?.value) === String(value) && from.test(found?.from ?? '');
    });
  }

  it('wins over files, is followed, and survives an agent that is killed and has forgotten everything', async () => {
    const consul = await Consul.start(scene());
    await consul.setKey('mesher/default/application/mesh.yaml', 'mesher:\n  serverTiming: true\n');
    const sidecar = await scene().sidecar({
      service: 'hello',
      host: 'none',
      chassis: { ...inConsul(consul), 'mesher.serverTiming': false },
    });
    await untilSet(sidecar, true, /^consul: mesher\/default\/application\/mesh\.yaml:2:/);
    await consul.setKey('mesher/default/services/hello/mesher/serverTiming', 'false');
    await untilSet(sidecar, false, /^consul: mesher\.serverTiming$/);

    await consul.setKey('mesher/default/services/hello/mesher/serverTiming', 'perhaps');
    const problems = await eventually('it is refused', async () => (await view(sidecar)).rejected?.problems);
    expect(problems).to.deep.equal([
      "consul: mesher.serverTiming  mesher.serverTiming  expects true or false, found 'perhaps'",
    ]);
    await consul.setKey('mesher/default/services/hello/mesher/serverTiming', 'true');
    await untilSet(sidecar, true, /^consul: mesher\.serverTiming$/);

    await consul.kill();
    await eventually('it is not answered', async () => (await view(sidecar)).source.state === 'retrying');
    await consul.start();
    await eventually('it says that Consul forgot', async () =>
      (await view(sidecar)).source.lastError?.includes('lost its memory'),
    );
    await untilSet(sidecar, true, /^consul: mesher\.serverTiming$/);
    await consul.setKey('mesher/default/application/mesher/serverTiming', 'true');
    await consul.setKey('mesher/default/services/hello/mesher/serverTiming', 'false');
    await untilSet(sidecar, false, /^consul: mesher\.serverTiming$/);
    expect((await view(sidecar)).source).to.include({ name: 'consul', state: 'following' });
  });
});
