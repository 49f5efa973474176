import { expect } from 'chai';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requireNetworkNamespaces, TwoHosts } from './support/network-namespaces.js';
import {
  CANARY,
  FAR,
  FRONT,
  HIDDEN,
  NEAR,
  ORIGINAL,
  STEERING_ENVIRONMENT,
  curlSteered as curl,
  startSteeredApps,
} from './support/steered-apps.js';
import { TransparentSidecar } from './support/transparent-sidecar.js';

describe('requests that say where they go, with the environment of netramesh', () => {
  let hosts: TwoHosts;
  let folder: string;
  let sidecar: TransparentSidecar;

  before(async function () {
    requireNetworkNamespaces(this, 'iptables-nft', 'curl');
    folder = await mkdtemp(join(tmpdir(), 'mesher-routing-'));
    await chmod(folder, 0o755);
    hosts = await TwoHosts.create();
    await startSteeredApps(hosts);
    const env = STEERING_ENVIRONMENT;
    sidecar = await TransparentSidecar.start(hosts.near, { service: 'front', folder, env });
  });

  after(async () => {
    await sidecar?.stop();
    await hosts?.close();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  it('are sent there by a header or a cookie, under the name that they have, and say who sends them', async () => {
    const plain = await curl(hosts.near, `${FAR}:${ORIGINAL}`, 'Host: orders', 'X-Source: forged');
    expect([plain.name, plain.headers['x-source']]).to.deep.equal(['original', 'front']);
    for (const field of [`X-Route: orders=${FAR}:${CANARY}`, `Cookie: a=b; Route=orders=${FAR}:${CANARY}`]) {
      const { name, headers } = await curl(hosts.near, `${FAR}:${ORIGINAL}`, 'Host: orders', field);
      expect([name, headers['host'], headers['x-source']], field).to.deep.equal(['canary', 'orders', 'front']);
    }
    expect(await sidecar.metric('mesher_transparent_routes_total', { result: 'routed' })).to.equal(2);
  });

  it('lead the requests of an application that passes on no more than their id, and are not sent elsewhere themselves', async () => {
    const route = `X-Route: ${NEAR}:${FRONT}=${FAR}:${CANARY},orders=${FAR}:${CANARY}`;
    const led = await curl(hosts.far, `${NEAR}:${FRONT}`, 'X-Request-Id: r-1', route);
    expect([led.name, led.headers['x-request-id']]).to.deep.equal(['canary', 'r-1']);
    expect(led.headers['x-route']).to.equal(route.slice('X-Route: '.length));
    expect((await curl(hosts.far, `${NEAR}:${FRONT}`, 'X-Request-Id: r-2')).name).to.equal('original');
    const given = await curl(hosts.far, `${NEAR}:${FRONT}`, route);
    expect(given.name, 'an id that it was given leads them, too').to.equal('canary');
    expect(given.headers['x-request-id']).to.match(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  });

  it('go on where they were going when nobody has allowed the other place', async () => {
    const before = await sidecar.metric('mesher_transparent_routes_total', { result: 'refused' });
    for (const to of [`${FAR}:${HIDDEN}`, '127.0.0.1:30102', '169.254.169.254', `${NEAR}:14956`, 'example.org']) {
      const { name } = await curl(hosts.near, `${FAR}:${ORIGINAL}`, 'Host: orders', `X-Route: orders=${to}`);
      expect(name, to).to.equal('original');
    }
    expect(await sidecar.metric('mesher_transparent_routes_total', { result: 'refused' })).to.equal(before + 5);
    expect(sidecar.process.stdout + sidecar.process.stderr).to.match(/transparent.routing.allow does not lead/);
  });
});
