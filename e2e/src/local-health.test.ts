import { status } from '@grpc/grpc-js';
import { expect } from 'chai';
import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from './support/eventually.js';
import { GrpcApp } from './support/grpc/grpc-app.js';
import { GrpcClient } from './support/grpc/grpc-client.js';
import { call } from './support/http-call.js';
import { Patient } from './support/patient.js';
import { useScene } from './support/scene.js';
import type { Settings, Sidecar, SidecarOptions } from './support/sidecar.js';

describe('local health checks', () => {
  const scene = useScene();
  let patient: Patient;
  let port: number;
  beforeEach(async () => {
    patient = new Patient();
    port = await patient.listen();
  });
  afterEach(() => patient.close());

  function provider(mesher: Settings = {}, more: Partial<SidecarOptions> = {}): Promise<Sidecar> {
    const check = { port, protocol: 'rest', uri: '/health', interval: '1s', match: { status: 200 } };
    return scene().sidecar({
      service: 'world',
      args: [`--service-ports=rest:${port}`],
      mesher: { localHealthCheck: [check], ...mesher },
      ...more,
    });
  }

  async function registered(): Promise<string> {
    const folder = join(scene().registry, '.instances', 'world');
    const [file = ''] = await readdir(folder);
    return await readFile(join(folder, file), 'utf8');
  }

  it('take the instance out of the pool of its callers after two failures, and put it back', async () => {
    const world = await provider();
    const hello = await scene().sidecar({ service: 'hello', host: 'none' });
    expect((await hello.call('http://world/')).status).to.equal(200);

    patient.health = 500;
    const shown = await eventually('the caller leaves the instance out', async () => {
      const [only = ''] = await hello.instances('world');
      return only.includes('the instance is DOWN') ? patient.failures : undefined;
    });
    // The second failure decides, a quarter of the interval after the first one; a third may come before we look.
    expect(shown).to.be.within(2, 3);
    const refused = await hello.call('http://world/');
    expect([refused.status, refused.headers['x-mesher-error']]).to.deep.equal([503, 'MESH_ERR_NO_INSTANCE']);
    // The data path does not judge: who calls all the same is served.
    expect((await call(`http://${world.inbound}/`)).status).to.equal(200);

    patient.health = 200;
    await eventually('the caller calls again', async () => (await hello.call('http://world/')).status === 200);
  });

  it('show on the admin port: readiness, health, metrics', async () => {
    const world = await provider();
    // The first result may come after the sidecar is there, on a machine that is busy.
    await eventually('it is ready', async () => (await world.admin('/ready')).status === 200);
    patient.health = 404;
    const health = await eventually('the health is red', async () => {
      const answer = await world.admin('/v1/mesher/health');
      return answer.status === 500 ? answer : undefined;
    });
    const name = `rest:${port}/health`;
    expect(JSON.parse(health.body)).to.deep.include({
      ...{ serviceName: 'world', status: 'red' },
      error: `local health check ${name}: status 404, expected 200`,
    });
    const ready = await world.admin('/ready');
    expect([ready.status, ready.body]).to.deep.equal([
      503,
      `not ready:\n- local health check ${name}: status 404, expected 200\n`,
    ]);
    expect((await world.admin('/live')).status).to.equal(200);
    expect(await world.metric('mesher_local_health_state', { state: 'down' })).to.equal(1);
    expect(await world.metric('mesher_local_health_check_up', { check: name })).to.equal(0);
    expect(await world.metric('mesher_local_health_changes_total', { to: 'down' })).to.equal(1);
  });

  it('let the sidecar refuse calls while the application is DOWN, if it is told to', async () => {
    const world = await provider({ 'mesher.health.refuseWhileDown': true });
    patient.health = 503;
    const refused = await eventually('calls are refused', async () => {
      const answer = await call(`http://${world.inbound}/`);
      return answer.status === 503 ? answer : undefined;
    });
    expect(refused.headers['x-mesher-error']).to.equal('MESH_ERR_LOCAL_DOWN');
    expect(refused.body).to.include('status 503, expected 200');
    patient.health = 200;
    await eventually('calls pass', async () => (await call(`http://${world.inbound}/`)).status === 200);
  });

  it('let it refuse calls of gRPC, too, with a status that their clients know', async () => {
    const grpcApp = await GrpcApp.start(scene(), { name: 'world' });
    const check = { port, protocol: 'rest', uri: '/health', interval: '1s', match: { status: 200 } };
    const world = await scene().sidecar({
      service: 'world',
      grpcApp,
      mesher: { localHealthCheck: [check], 'mesher.health.refuseWhileDown': true },
    });
    const client = new GrpcClient(world.grpcInbound, 'world');
    const code = async (): Promise<number> => (await client.say('hello')).status.code;
    await eventually('a call passes', async () => (await code()) === status.OK);
    patient.health = 500;
    await eventually('calls are refused', async () => (await code()) !== status.OK);
    const refused = await client.say('hello');
    expect(refused.status.code).to.equal(status.UNAVAILABLE);
    expect(refused.status.details).to.include('The local application is down');
    expect(refused.status.metadata.get('x-mesher-error')).to.deep.equal(['MESH_ERR_LOCAL_DOWN']);
    patient.health = 200;
    await eventually('calls pass', async () => (await code()) === status.OK);
    client.close();
  });

  it('cost callers nothing where the registry tells them nothing: a call that is refused goes to another instance', async () => {
    const manual = { chassis: { 'servicecomb.registry.register': 'manual' } };
    const sick = await provider({ 'mesher.health.refuseWhileDown': true }, manual);
    const { sidecar: well } = await scene().service('world', manual);
    const lines = [sick, well].map(({ inbound = '' }) => `${inbound.replace(':', ' ')}\n`);
    await writeFile(join(scene().registry, 'world'), lines.join(''));
    const hello = await scene().sidecar({ service: 'hello', host: 'none' });
    patient.health = 500;
    await eventually('calls are refused', async () => (await call(`http://${sick.inbound}/`)).status === 503);
    const statuses = new Set<number>();
    for (let i = 0; i < 10; i++)
      statuses.add((await hello.call('http://world/', { method: 'POST', body: 'x' })).status);
    expect([...statuses]).to.deep.equal([200]);
    expect(await hello.metric('mesher_retries_total', { code: 'MESH_ERR_LOCAL_DOWN' })).to.be.greaterThan(0);
  });

  it('find an application that starts after its sidecar, and one that comes back', async () => {
    const appPort = await scene().ports.take();
    const world = await scene().sidecar({
      service: 'world',
      args: [`--service-ports=rest:${appPort}`],
      mesher: { localHealthCheck: [{ port: appPort, interval: '1s' }] },
    });
    expect(await registered()).to.include('DOWN');
    const app = await scene().app({ name: 'world', port: appPort });
    const hello = await scene().sidecar({ service: 'hello', host: 'none' });
    await eventually('it is called', async () => (await hello.call('http://world/')).status === 200);
    await app.process.kill();
    await eventually('it is DOWN', async () => (await registered()).includes('DOWN'));
    expect((await world.admin('/v1/mesher/health')).body).to.include(`nobody listens on port ${appPort}`);
    await app.start();
    await eventually('it is called again', async () => (await hello.call('http://world/')).status === 200);
  });

  it('notice an application that hangs although its port still takes connections, and one that goes on', async () => {
    const app = await scene().app({ name: 'world' });
    const world = await scene().sidecar({
      ...{ service: 'world', app },
      mesher: { localHealthCheck: [{ port: app.port, protocol: 'rest', uri: '/status/200', interval: '1s' }] },
    });
    const hello = await scene().sidecar({ service: 'hello', host: 'none' });
    await eventually('it is called', async () => (await hello.call('http://world/')).status === 200);
    app.process.signal('SIGSTOP');
    await eventually('the caller knows', async () => String(await hello.instances('world')).includes('is DOWN'));
    expect((await world.admin('/v1/mesher/health')).body).to.include('no answer within 250ms');
    // No call is sent to an application that would not answer.
    expect((await hello.call('http://world/')).headers['x-mesher-error']).to.equal('MESH_ERR_NO_INSTANCE');
    app.process.signal('SIGCONT');
    await eventually('it is called again', async () => (await hello.call('http://world/')).status === 200);
  });

  it('keep an instance DOWN that must be registered again', async () => {
    await provider({ 'servicecomb.registry.file.lease': '2s' });
    patient.health = 500;
    await eventually('it is DOWN', async () => (await registered()).includes('DOWN'));
    await rm(join(scene().registry, '.instances', 'world'), { recursive: true });
    expect(await eventually('it is registered again', () => registered().catch(() => undefined))).to.include('DOWN');
  });

  it('may ask by a plugin, named by its module', async () => {
    await scene().write(
      'fever.mjs',
      `const brand = Symbol.for('mesher.plugin');
       const check = async ({ uri }) => ({ healthy: uri !== '/fever', detail: 'fever of ' + uri });
       export const fever = { kind: 'health-checker', name: 'fever', create: () => ({ check }), [brand]: true };\n`,
    );
    const module = join(scene().folder, 'fever.mjs');
    const world = await scene().sidecar({
      service: 'world',
      args: [`--service-ports=rest:${port}`],
      mesher: { localHealthCheck: [{ port, protocol: module, uri: '/fever' }] },
    });
    const { body } = await world.admin('/v1/mesher/health');
    expect(body).to.include('fever of /fever');
  });
});
