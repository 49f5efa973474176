import { skipBecause } from '@mesher/core/testing';
import { expect } from 'chai';
import { chmod, copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../support/eventually.js';
import { intercept } from '../support/intercepted-calls.js';
import { requireNetworkNamespaces, TwoHosts } from '../support/network-namespaces.js';
import {
  CANARY,
  FAR,
  FRONT,
  ORIGINAL,
  STEERING_ENVIRONMENT,
  curlSteered,
  startSteeredApps,
} from '../support/steered-apps.js';
import { TransparentSidecar } from '../support/transparent-sidecar.js';

const SIDECAR = { uid: 1337, gid: 1337 };

/** Requests of a program on the near host for orders. */
const REQUESTS: readonly (readonly string[])[] = [
  [],
  ['X-Source: forged'],
  [`X-Route: orders=${FAR}:${CANARY}`],
  [`X-Route: else=nowhere,orders=${FAR}:${CANARY},orders=third`],
  [`X-Route: orders=orders,orders=${FAR}:${CANARY}`],
  ['X-Route: orders=orders'],
  ['X-Route: orders:80=nowhere'],
  ['X-Route: rubbish'],
  [`X-Route: rubbish,orders=${FAR}:${CANARY}`],
  [`X-Route: orders=${FAR}:${CANARY},rubbish`],
  [`Cookie: a=b; Route=orders=${FAR}:${CANARY}`],
  [`Cookie: Route=orders=${FAR}:${CANARY}`, `X-Route: orders=${FAR}:${ORIGINAL}`],
  ['Cookie: Route=', `X-Route: orders=${FAR}:${CANARY}`],
];

/** The original netramesh, whose path the variable MESHER_NETRAMESH says. */
describe('routing by header, beside the original netramesh', () => {
  const netramesh = process.env['MESHER_NETRAMESH'] ?? '';
  let hosts: TwoHosts;
  let folder: string;

  before(async function () {
    if (netramesh === '') skipBecause(this, 'MESHER_NETRAMESH does not say where netramesh is');
    requireNetworkNamespaces(this, 'iptables-nft', 'curl');
    folder = await mkdtemp(join(tmpdir(), 'mesher-netramesh-'));
    await chmod(folder, 0o755);
    hosts = await TwoHosts.create();
    await startSteeredApps(hosts);
  });

  after(async () => {
    await hosts?.close();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  /** What becomes of all requests: who answered, and with which fields it was called. */
  async function stories(): Promise<string[]> {
    const told: string[] = [];
    for (const fields of REQUESTS) {
      const { name, headers } = await curlSteered(hosts.near, `${FAR}:${ORIGINAL}`, 'Host: orders', ...fields);
      const { host, 'x-source': source, 'x-route': route = '' } = headers;
      told.push([fields.join(' '), name, host, source, route, 'x-request-id' in headers].join(' | '));
    }
    for (const id of ['X-Request-Id: r-1', 'X-A: b']) {
      const { name, headers } = await curlSteered(
        hosts.far,
        `10.77.1.2:${FRONT}`,
        `X-Route: 10.77.1.2:${FRONT}=${FAR}:${CANARY},orders=${FAR}:${CANARY}`,
        id,
      );
      told.push(['inbound', id, name, headers['x-route'], headers['x-source']].join(' | '));
    }
    return told;
  }

  it('takes the same requests to the same places', async () => {
    // JAEGER_DISABLED=true would make netramesh panic with the first inbound request.
    const env = STEERING_ENVIRONMENT;
    // Where its user may read it.
    const program = join(folder, 'netramesh');
    await copyFile(netramesh, program);
    await chmod(program, 0o755);
    const original = hosts.near.spawn(program, ['--service-name', 'front'], { env, as: SIDECAR });
    await eventually('netramesh listens', async () => {
      if (!original.isRunning) throw new Error(original.output);
      return (await hosts.near.run('curl', ['-s', '-o', '/dev/null', 'http://127.0.0.1:14958/'])).code === 0;
    });
    await intercept(hosts.near, ['apply']);
    const theirs = await stories();
    await intercept(hosts.near, ['cleanup']);
    await original.kill();
    const sidecar = await TransparentSidecar.start(hosts.near, { service: 'front', folder, env });
    const ours = await stories();
    await sidecar.stop();
    expect(ours).to.deep.equal(theirs);
  });
});
