import { expect } from 'chai';
import { fieldsOf, type App, type Echo } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { MesherGo, requireMesherGo } from '../support/mesher-go.js';
import { inServiceCenter, MesherRegistry } from '../support/mesher-registry.js';
import { useSharedScene, type Scene } from '../support/scene.js';
import { requireServiceCenter, ServiceCenter } from '../support/service-center.js';
import type { Sidecar } from '../support/sidecar.js';

interface Mixed {
  /** `world`, beside the original mesher. */
  readonly original: MesherGo;
  readonly world: App;
  /** `moon`, beside ours. */
  readonly ours: Sidecar;
}

/** Where both sides are registered. */
const REGISTRIES: readonly {
  readonly title: string;
  require(context: Mocha.Context): void;
  start(scene: Scene): Promise<{ readonly url: string }>;
}[] = [
  { title: 'mesher registry', require: () => undefined, start: (scene) => MesherRegistry.start(scene) },
  { title: 'service-center', require: requireServiceCenter, start: (scene) => ServiceCenter.start(scene) },
];

for (const { title, require, start } of REGISTRIES) {
  describe(`a mesh of the original mesher and this one, in one ${title}`, () => {
    before(function () {
      requireMesherGo(this);
      require(this);
    });

    const mesh = useSharedScene<Mixed>(async (scene) => {
      const { url } = await start(scene);
      const world = await scene.app({ name: 'world' });
      const mesherYaml = `localHealthCheck: [{ port: "${world.port}", interval: 1s }]\n`;
      const original = await MesherGo.start(scene, {
        service: 'world',
        registry: url,
        appPort: world.port,
        mesherYaml,
      });
      const { sidecar: ours } = await scene.service('moon', { chassis: inServiceCenter(url) });
      return { original, world, ours };
    });

    it('takes calls of our applications to those beside the original, which hear who calls', async () => {
      const { status, body } = await mesh().ours.call('http://world/a/path?with=query');
      expect(status, body).to.equal(200);
      const echo = JSON.parse(body) as Echo;
      expect([echo.name, echo.url]).to.deep.equal(['world', '/a/path?with=query']);
      expect(fieldsOf(echo, 'x-cse-context').map((text) => JSON.parse(text) as unknown)).to.deep.equal([
        { 'x-cse-src-microservice': 'moon' },
      ]);
    });

    it('takes calls of applications beside the original to ours, which hear who calls', async () => {
      const { original, ours } = mesh();
      const { status, body } = await original.call('http://moon/a/path?with=query');
      expect(status, body).to.equal(200);
      const echo = JSON.parse(body) as Echo;
      expect([echo.name, echo.url]).to.deep.equal(['moon', '/a/path?with=query']);
      expect(fieldsOf(echo, 'x-cse-context').map((text) => JSON.parse(text) as unknown)).to.deep.equal([
        { 'x-cse-src-microservice': 'world' },
      ]);
      const by = { source: 'world', by: 'header' };
      expect(await ours.metric('mesher_inbound_requests_by_source_total', by)).to.equal(1);
    });

    it('keeps ports in URLs: each side takes X-Forwarded-Port of the other', async () => {
      const { original, ours, world } = mesh();
      expect((await ours.call(`http://world:${world.port}/`)).status).to.equal(200);
      expect((await original.call('http://moon:80/')).status).to.equal(200);
    });

    it('leaves out what the original has found DOWN, until it is UP', async () => {
      const { ours, world } = mesh();
      expect((await ours.call('http://world/')).status).to.equal(200);
      await world.process.kill();
      await eventually('it is out', async () => String(await ours.instances('world')).includes('is DOWN'));
      expect((await ours.call('http://world/')).headers['x-mesher-error']).to.equal('MESH_ERR_NO_INSTANCE');
      await world.start();
      await eventually('it is called', async () => (await ours.call('http://world/')).status === 200);
    });
  });
}
