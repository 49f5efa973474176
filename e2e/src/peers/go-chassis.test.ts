import { expect } from 'chai';
import { fieldsOf, type App, type Echo } from '../support/app.js';
import { requireBuilt } from '../support/built-program.js';
import { eventually } from '../support/eventually.js';
import { GoChassisPeer, type Seen } from '../support/go-chassis-peer.js';
import { runLoad } from '../support/load.js';
import { inServiceCenter, MesherRegistry, statusesIn } from '../support/mesher-registry.js';
import { useScene, useSharedScene, type Scene } from '../support/scene.js';
import { requireServiceCenter, ServiceCenter } from '../support/service-center.js';
import type { Sidecar } from '../support/sidecar.js';

interface Mesh {
  /** `greeter`, by go-chassis. */
  readonly peer: GoChassisPeer;
  /** Calls `greeter`; it has an application, which nobody calls here. */
  readonly hello: Sidecar;
  /** Called by `greeter`. */
  readonly world: { readonly app: App; readonly sidecar: Sidecar };
}

async function meshOf(
  scene: Scene,
  url: string,
  checks: (appPort: number) => readonly object[] = () => [],
): Promise<Mesh> {
  const chassis = inServiceCenter(url);
  const peer = await GoChassisPeer.start(scene, {
    service: 'greeter',
    registry: url,
    microservice: { 'servicecomb.service.version': '1.2.3', 'servicecomb.service.instanceProperties.zone': 'blue' },
  });
  const app = await scene.app({ name: 'world' });
  const sidecar = await scene.sidecar({
    ...{ service: 'world', app, chassis },
    mesher: { localHealthCheck: checks(app.port) },
  });
  return { peer, world: { app, sidecar }, hello: await scene.sidecar({ service: 'hello', host: 'none', chassis }) };
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
  describe(`a service by go-chassis, registered by its own client in ${title}`, () => {
    before(function () {
      requireBuilt(this, 'chassis-peer');
      require(this);
    });

    describe('beside a service with a sidecar', () => {
      const mesh = useSharedScene(async (scene) => await meshOf(scene, (await start(scene)).url));

      async function seen(url = 'http://greeter/seen', headers: Record<string, string> = {}): Promise<Seen> {
        const { status, body } = await mesh().hello.call(url, { headers });
        expect(status, body).to.equal(200);
        return JSON.parse(body) as Seen;
      }

      it('is called by name through a sidecar', async () => {
        const { status, body } = await mesh().hello.call('http://greeter/sayhello/peter');
        expect([status, body]).to.deep.equal([200, 'user peter']);
        // The quick start of mesher (Go) names a port that nobody listens on: the address is that of the registry.
        expect((await mesh().hello.call('http://greeter:8083/sayhello/peter')).body).to.equal('user peter');
      });

      it('is told who calls, in the way in which go-chassis reads it', async () => {
        const { source, header } = await seen();
        expect(source).to.equal('hello');
        expect(header['X-Cse-Context']?.map((text) => JSON.parse(text) as unknown)).to.deep.equal([
          { 'x-cse-src-microservice': 'hello' },
        ]);
      });

      it('keeps what the application put into x-cse-context', async () => {
        const { source, header } = await seen('http://greeter/seen', { 'x-cse-context': '{"tenant":"7"}' });
        expect(source).to.equal('hello');
        expect(JSON.parse(header['X-Cse-Context']?.[0] ?? '')).to.deep.include({ tenant: '7' });
      });

      it('is told the port of the URL, as by mesher (Go)', async () => {
        const { host, header } = await seen('http://greeter:8083/seen');
        expect([host, header['X-Forwarded-Port']]).to.deep.equal(['greeter:8083', ['8083']]);
      });

      it('calls the application behind a sidecar by name, which hears who calls', async () => {
        const { peer, world } = mesh();
        const answer = await peer.callOut('http://world/a/path?with=query');
        expect(answer.error).to.equal(undefined);
        expect(answer.status, answer.body).to.equal(200);
        const echo = JSON.parse(answer.body) as Echo;
        expect([echo.name, echo.url]).to.deep.equal(['world', '/a/path?with=query']);
        expect(fieldsOf(echo, 'x-cse-context').map((text) => JSON.parse(text) as unknown)).to.deep.equal([
          { 'x-cse-src-microservice': 'greeter' },
        ]);
        const by = { source: 'greeter', by: 'header' };
        expect(await world.sidecar.metric('mesher_inbound_requests_by_source_total', by)).to.equal(1);
      });

      it('is listed with its address, version, application and properties', async () => {
        const { hello, peer } = mesh();
        await hello.call('http://greeter/seen');
        expect(await hello.instances('greeter')).to.deep.equal([peer.address]);
        const { body } = await hello.admin('/services');
        const services = (JSON.parse(body) as { services: { service: string; instances: object[] }[] }).services;
        const [instance] = services.find(({ service }) => service === 'greeter')?.instances ?? [];
        expect(instance).to.deep.include({ version: '1.2.3', app: 'default' });
        expect(instance).to.have.nested.property('metadata.zone', 'blue');
      });
    });

    describe('of another application', () => {
      const scene = useScene();

      it('is called by who looks beyond his own application and has a rule that names it, as among programs with go-chassis', async () => {
        const { url } = await start(scene());
        await GoChassisPeer.start(scene(), {
          service: 'greeter',
          registry: url,
          // go-chassis then says that others may call it.
          chassis: { 'servicecomb.registry.scope': 'full' },
          microservice: { 'servicecomb.service.app': 'shop' },
        });
        const caller = async (scope: 'full' | 'app'): Promise<string> => {
          const chassis = {
            ...inServiceCenter(url),
            'servicecomb.registry.scope': scope,
            'servicecomb.routeRule.greeter': [{ route: [{ tags: { app: 'shop' }, weight: 100 }] }],
          };
          const sidecar = await scene().sidecar({ service: `of-${scope}`, host: 'none', chassis });
          const { status, headers } = await sidecar.call('http://greeter/seen');
          return `${status} ${String(headers['x-mesher-error'] ?? '')}`.trim();
        };
        expect([await caller('full'), await caller('app')]).to.deep.equal(['200', '404 MESH_ERR_NO_ROUTE']);
      });
    });

    describe('when instances come and go', () => {
      const scene = useScene();

      it('hears that an instance is DOWN because its local check fails, and that it is UP again', async () => {
        const { url } = await start(scene());
        const { peer, world } = await meshOf(scene(), url, (port) => [{ port, interval: '1s' }]);
        expect((await peer.callOut('http://world/')).status).to.equal(200);
        await world.app.process.kill();
        const gone = await eventually('it has no instance', async () => (await peer.callOut('http://world/')).error);
        expect(gone).to.include('No available instance');
        await world.app.start();
        await eventually('it calls again', async () => (await peer.callOut('http://world/')).status === 200);
      });

      it('hears of a sidecar that stops, and calls the one that takes its place', async () => {
        const { url } = await start(scene());
        const { peer, world } = await meshOf(scene(), url);
        expect((await peer.callOut('http://world/')).status).to.equal(200);
        expect((await world.sidecar.process.stop()).code).to.equal(0);
        await eventually('it has no instance any more', async () => (await peer.callOut('http://world/')).error);
        await world.sidecar.start();
        await eventually('it calls again', async () => (await peer.callOut('http://world/')).status === 200);
      });

      it('costs no call when one of two instances dies without a word, although service-center lists it until its lease ends', async () => {
        const { url } = await start(scene());
        const { peer, hello } = await meshOf(scene(), url);
        const other = await GoChassisPeer.start(scene(), { service: 'greeter', registry: url });
        const both = [peer.address, other.address].sort();
        await hello.call('http://greeter/whoami');
        await eventually(
          'both are known',
          async () => (await hello.instances('greeter')).sort().join() === both.join(),
        );
        const { names, failures } = await runLoad({
          ...{ url: 'http://greeter/whoami', proxy: hello.outbound, total: 300, parallel: 4 },
          midway: { after: 100, act: () => peer.process.kill() },
        });
        expect(failures).to.deep.equal([]);
        expect(new Set(names.slice(-100))).to.deep.equal(new Set([other.address]));
        expect((await statusesIn(url, 'greeter')).get(peer.address)).to.equal('UP');
      });

      it('is left out when it stops, and called when it is back', async () => {
        const { url } = await start(scene());
        const { peer, hello } = await meshOf(scene(), url);
        const status = async (): Promise<number> => (await hello.call('http://greeter/seen')).status;
        expect(await status()).to.equal(200);
        expect((await peer.process.stop()).code).to.equal(0);
        await eventually('it is gone', async () => (await hello.instances('greeter')).length === 0);
        expect(await status()).to.equal(503);
        await peer.start();
        await eventually('it is called', async () => (await status()) === 200);
      });
    });
  });
}
