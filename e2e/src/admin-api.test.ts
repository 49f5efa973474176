import { expect } from 'chai';
import { checkHistograms } from '@mesher/core/testing';
import { call } from './support/http-call.js';
import { useSharedScene } from './support/scene.js';
import type { Sidecar } from './support/sidecar.js';

const SECRETS = ['hunter2', 'AKIA-very-secret', 'token-4711'];

describe('the admin port of a running sidecar', () => {
  const mesh = useSharedScene<{ hello: Sidecar; world: Sidecar }>(async (scene) => {
    const { sidecar: world } = await scene.service('world', {
      chassis: {
        'servicecomb.credentials.account.name': 'mesher',
        'servicecomb.credentials.account.password': SECRETS[0],
        'cse.credentials.secretKey': SECRETS[1],
        'servicecomb.config.client.token': SECRETS[2],
      },
    });
    const hello = await scene.sidecar({ service: 'hello', host: 'none' });
    for (let i = 0; i < 5; i++) expect((await hello.call('http://world/')).status).to.equal(200);
    await hello.call('http://nobody/');
    return { hello, world };
  });

  it('says on /live and /ready that it is well, in text and in JSON', async () => {
    const { world } = mesh();
    expect(await bodyOf(world, '/live')).to.equal('live');
    expect(await bodyOf(world, '/ready')).to.equal('ready');
    const json = await world.admin('/ready', { headers: { accept: 'application/json' } });
    expect(JSON.parse(json.body)).to.deep.equal({ ready: true, reasons: [] });
  });

  async function bodyOf(sidecar: Sidecar, path: string): Promise<string> {
    const { status, body } = await sidecar.admin(path);
    expect(status, body).to.equal(200);
    return body.trim();
  }

  it('serves metrics that a strict parser takes, with true histograms', async () => {
    const families = await mesh().hello.metrics();
    expect(checkHistograms(families.get('mesher_request_duration_seconds'))).to.be.greaterThan(0);
    for (const name of [
      'mesher_requests_total',
      'mesher_requests_in_flight',
      'mesher_rejections_total',
      'mesher_downstream_connections_open',
      'mesher_upstream_connections_open',
      'mesher_registry_state',
      'process_resident_memory_bytes',
      'nodejs_eventloop_lag_seconds',
    ]) {
      expect([...families.keys()]).to.include(name);
    }
  });

  it('counts calls by direction, service and class of status', async () => {
    const { hello, world } = mesh();
    const calls = (sidecar: Sidecar, direction: string, status_class: string): Promise<number> =>
      sidecar.metric('mesher_requests_total', { direction, status_class });
    expect(await calls(hello, 'outbound', '2xx')).to.equal(5);
    expect(await calls(hello, 'outbound', '4xx')).to.equal(1);
    expect(await calls(world, 'inbound', '2xx')).to.equal(5);
    expect(await calls(world, 'outbound', '2xx')).to.equal(0);
  });

  it('has the routes of the original mesher', async () => {
    const { hello } = mesh();
    const version = JSON.parse(await bodyOf(hello, '/v1/mesher/version')) as Record<string, string>;
    expect(version).to.include({ node: process.version });
    expect(version.version).to.match(/^\d+\.\d+\.\d+/);
    expect(JSON.parse(await bodyOf(hello, '/v1/mesher/health'))).to.include({ serviceName: 'hello', status: 'green' });
    expect(await bodyOf(hello, '/v1/mesher/metrics')).to.include('mesher_requests_total{');
  });

  it('still has the series that dashboards of the original mesher draw', async () => {
    const families = await mesh().hello.metrics();
    expect([...families.keys()]).to.include.members(['requests_total', 'request_latency_seconds', 'status_4xx']);
  });

  it('shows the configuration in effect with its origin, and no secret in any spelling', async () => {
    const { world } = mesh();
    const text = await bodyOf(world, '/config');
    const { keys: config } = JSON.parse(text) as { keys: Record<string, { value: unknown; from: string }> };
    expect(config['servicecomb.service.name']).to.deep.include({ value: 'world' });
    expect(config['servicecomb.service.name']?.from).to.match(/microservice\.yaml:2/);
    expect(config['servicecomb.credentials.account.name']?.value).to.equal('mesher');
    expect(config).to.include.keys('servicecomb.credentials.account.password', 'servicecomb.config.client.token');
    for (const secret of SECRETS) expect(text).not.to.include(secret);
    for (const secret of SECRETS) expect(world.process.output).not.to.include(secret);
  });

  it('shows which services are known, with their instances', async () => {
    const { hello, world } = mesh();
    const { registries, services } = await hello.services();
    expect(registries).to.have.lengthOf(1);
    expect(registries[0]).to.deep.include({ name: 'file', freshness: 'fresh', problems: [] });
    expect(services.filter(({ exists }) => exists).map(({ service }) => service)).to.deep.equal(['hello', 'world']);
    expect(services.filter(({ exists }) => !exists).map(({ service }) => service)).to.deep.equal(['nobody']);
    expect(await hello.instances('world')).to.deep.equal([world.inbound]);
  });

  it('answers a wrong path with 404 and a wrong method with 405', async () => {
    const { hello } = mesh();
    expect((await hello.admin('/reday')).status).to.equal(404);
    const wrong = await hello.admin('/drain');
    expect([wrong.status, wrong.headers.allow]).to.deep.equal([405, 'POST']);
    expect((await hello.admin('/ready')).status).to.equal(200);
  });

  it('refuses web pages: a foreign Host, and a POST of another site', async () => {
    const { hello } = mesh();
    expect((await hello.admin('/config', { headers: { host: 'rebound.example' } })).status).to.equal(403);
    const form = await hello.admin('/drain', { method: 'POST', headers: { origin: 'https://evil.example' } });
    expect(form.status).to.equal(403);
    expect((await hello.admin('/ready')).status).to.equal(200);
  });

  it('is not reached by calls: neither through the proxy, nor at the inbound address', async () => {
    const { hello, world } = mesh();
    const asHost = await hello.call(`http://127.0.0.1:${hello.adminPort}/drain`, { method: 'POST' });
    expect([asHost.status, asHost.headers['x-mesher-error']]).to.deep.equal([404, 'MESH_ERR_NO_ROUTE']);
    // A caller that names the admin port as port of the application gets the application, never the admin API.
    const headers = { host: 'world', 'x-forwarded-port': String(world.adminPort) };
    const asPort = await call(`http://${world.inbound}/config`, { headers });
    expect([asPort.status, asPort.headers['x-app']]).to.deep.equal([200, 'world']);
  });
});
