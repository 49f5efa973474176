import { expect } from 'chai';
import { builtProgram, requireBuilt } from '../support/built-program.js';
import { Consul } from '../support/consul.js';
import { eventually } from '../support/eventually.js';
import { useScene } from '../support/scene.js';
import type { Sidecar } from '../support/sidecar.js';
import type { SpawnedProcess } from '../support/spawned-process.js';

describe('a registration in a real Consul', function () {
  this.timeout(90_000);
  const scene = useScene();
  let consul: Consul;
  before(function () {
    requireBuilt(this, 'consul');
  });
  beforeEach(async () => {
    consul = await Consul.start(scene());
  });

  async function passingIs(expected: readonly boolean[]): Promise<void> {
    await eventually(`passing is ${expected.join()}`, async () => {
      const found = (await consul.instances('world')).map(({ isPassing }) => isPassing);
      return found.join() === expected.join();
    });
  }

  function caller(): Promise<Sidecar> {
    return scene().sidecar({ service: 'hello', host: 'none', chassis: consul.settings });
  }

  for (const [check, more] of [
    ['http', { 'servicecomb.registry.consul.checkUrl': '/' }],
    ['tcp', {}],
  ] as const) {
    it(`with check: ${check} is asked by Consul itself`, async () => {
      const settings = {
        'servicecomb.registry.consul.check': check,
        'servicecomb.registry.consul.checkInterval': '1s',
      };
      const { app, sidecar } = await scene().service('world', {
        chassis: { ...consul.settings, ...settings, ...more },
      });
      await passingIs([true]);
      await (check === 'http' ? app : sidecar).process.kill();
      await passingIs([false]);
      await (check === 'http' ? app : sidecar).start();
      await passingIs([true]);
    });
  }

  it('with check: grpc is asked by Consul itself, through the sidecar, for the health of the application', async function () {
    requireBuilt(this, 'grpc-peer');
    const port = await scene().ports.take();
    const start = async (): Promise<SpawnedProcess> => {
      const app = scene().spawn('grpc-go', builtProgram('grpc-peer'), ['health'], { PORT: String(port), HEALTH: '' });
      await app.untilPrinted(/listening/);
      return app;
    };
    const app = await start();
    await scene().sidecar({
      service: 'world',
      grpc: true,
      args: [`--service-ports=grpc:${port}`],
      chassis: {
        ...consul.settings,
        'servicecomb.registry.consul.check': 'grpc',
        'servicecomb.registry.consul.checkInterval': '1s',
      },
    });
    await passingIs([true]);
    await app.kill();
    await passingIs([false]);
    await start();
    await passingIs([true]);
  });

  it('is in maintenance after a stop when it is told so, and back after the next start', async () => {
    const chassis = { ...consul.settings, 'servicecomb.registry.consul.onStop': 'maintenance' };
    const { sidecar } = await scene().service('world', { chassis });
    await passingIs([true]);
    await sidecar.process.stop();
    await passingIs([false]);
    await sidecar.start();
    await passingIs([true]);
  });

  it('carries properties that Consul does not take as they are', async () => {
    const properties = Object.fromEntries(Array.from({ length: 80 }, (_, at) => [`key.${at} ü`, 'v'.repeat(at * 10)]));
    await scene().service('world', {
      chassis: { ...consul.settings, 'servicecomb.service.instanceProperties': { plain: 'x', ...properties } },
    });
    await passingIs([true]);
    expect((await (await caller()).call('http://world/')).status).to.equal(200);
  });

  it('made by hand, without a sidecar, is called, and is not while its check fails', async () => {
    const app = await scene().app({ name: 'by hand' });
    const Check = { TTL: '60s', Status: 'passing' };
    await consul.register({ Name: 'world', Address: '127.0.0.1', Port: app.port, Tags: ['v1'], Check });
    await passingIs([true]);
    const hello = await caller();
    expect((await hello.call('http://world/')).body).to.include('by hand');
    await fetch(`${consul.url}/v1/agent/check/fail/service:world`, { method: 'PUT' });
    await eventually('it is called no more', async () => (await hello.call('http://world/')).status === 503);
    await fetch(`${consul.url}/v1/agent/check/pass/service:world`, { method: 'PUT' });
    await eventually('it is called again', async () => (await hello.call('http://world/')).status === 200);
  });
});
