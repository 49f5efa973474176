import { expect } from 'chai';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { APPLICATION } from './support/intercepted-calls.js';
import { ADDRESSES, requireNetworkNamespaces, TwoHosts, type NetworkNamespace } from './support/network-namespaces.js';
import { asApplication, TransparentSidecar } from './support/transparent-sidecar.js';

const NEAR = ADDRESSES.near.ipv4;
const FAR = ADDRESSES.far.ipv4;
const [ORIGINAL, CANARY, HIDDEN, FRONT] = [8081, 8082, 8083, 8090];

/** Says its name and the fields that it was sent. */
const APP = `
const [name, port] = process.argv.slice(1);
require('node:http').createServer(({ headers }, response) => response.end(JSON.stringify({ name, headers })))
  .listen(Number(port), '0.0.0.0', () => process.stdout.write('listening\\n'));
`;

/** Calls orders for each of its requests, and passes on nothing but the request id. */
const FORWARDING_APP = `
const http = require('node:http');
const [host, port, own] = process.argv.slice(1);
http.createServer(({ headers }, response) => {
  const id = headers['x-request-id'];
  const fields = { host: 'orders', ...(id === undefined ? {} : { 'x-request-id': id }) };
  http.get({ host, port, headers: fields }, (answer) => answer.pipe(response));
}).listen(Number(own), '0.0.0.0', () => process.stdout.write('listening\\n'));
`;

interface Answer {
  readonly name: string;
  readonly headers: Readonly<Record<string, string>>;
}

describe('requests that say where they go, with the environment of netramesh', () => {
  let hosts: TwoHosts;
  let folder: string;
  let sidecar: TransparentSidecar;

  before(async function () {
    requireNetworkNamespaces(this, 'iptables-nft', 'curl');
    folder = await mkdtemp(join(tmpdir(), 'mesher-routing-'));
    await chmod(folder, 0o755);
    hosts = await TwoHosts.create();
    await run(hosts.far, APP, 'original', String(ORIGINAL));
    await run(hosts.far, APP, 'canary', String(CANARY));
    await run(hosts.far, APP, 'hidden', String(HIDDEN));
    await run(hosts.near, FORWARDING_APP, FAR, String(ORIGINAL), String(FRONT));
    const env = {
      NETRA_HTTP_PORTS: [ORIGINAL, CANARY, HIDDEN, FRONT].join(),
      NETRA_HTTP_ROUTING_ENABLED: 'true',
      NETRA_HTTP_ROUTING_COOKIE_ENABLED: 'true',
      NETRA_HTTP_ROUTING_COOKIE_NAME: 'Route',
      NETRA_HTTP_ROUTING_ALLOW: `${FAR}:${CANARY}`,
      NETRA_HTTP_X_SOURCE_VALUE: 'front',
    };
    sidecar = await TransparentSidecar.start(hosts.near, { service: 'front', folder, env });
  });

  after(async () => {
    await sidecar?.stop();
    await hosts?.close();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  async function run(on: NetworkNamespace, script: string, ...args: string[]): Promise<void> {
    const child = on.spawn(process.execPath, ['-e', script, ...args], { as: APPLICATION });
    await child.untilPrinted(/^listening$/m);
  }

  async function curl(from: NetworkNamespace, to: string, ...fields: string[]): Promise<Answer> {
    const flags = fields.flatMap((field) => ['-H', field]);
    return JSON.parse(await asApplication(from, 'curl', '-sS', '-m', '10', ...flags, `http://${to}/`)) as Answer;
  }

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
