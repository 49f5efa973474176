import { expect } from 'chai';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './support/eventually.js';
import { APPLICATION } from './support/intercepted-calls.js';
import { ADDRESSES, requireNetworkNamespaces, TwoHosts } from './support/network-namespaces.js';
import { asApplication, startUnawareApp, TransparentSidecar } from './support/transparent-sidecar.js';

/** A server of StatsD at 127.0.0.1:8125 that prints the lines that it gets. */
const STATSD = `
const socket = require('node:dgram').createSocket('udp4');
socket.on('message', (datagram) => process.stdout.write(datagram + '\\n'));
socket.bind(8125, '127.0.0.1', () => process.stdout.write('listening\\n'));
process.stdin.resume().once('end', () => process.exit());
`;

describe("netramesh's numbers, with its variables and its rules", () => {
  let hosts: TwoHosts;
  let folder: string;
  let far: TransparentSidecar | undefined;

  before(async function () {
    requireNetworkNamespaces(this, 'iptables-nft', 'curl');
    folder = await mkdtemp(join(tmpdir(), 'mesher-telemetry-'));
    await chmod(folder, 0o755);
    hosts = await TwoHosts.create();
    await startUnawareApp(hosts.far, 'far');
  });

  after(async () => {
    await far?.stop();
    await hosts?.close();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  it('inbound.<status> without tracing, and metrics for another host, past the rules', async () => {
    const statsd = hosts.far.spawn(process.execPath, ['-e', STATSD], { as: APPLICATION });
    await statsd.untilPrinted(/^listening$/m);
    far = await TransparentSidecar.start(hosts.far, {
      service: 'far',
      folder,
      env: {
        NETRA_STATSD_ENABLED: 'true',
        NETRA_STATSD_ADDRESS: '127.0.0.1:8125',
        NETRA_STATSD_PREFIX: 'netra',
        NETRA_HTTP_TRACING_IGNORED_PATHS: '/health',
        NETRA_PROMETHEUS_PORT: '14958',
        NETRA_PPROF_PORT: '14957',
      },
    });
    const curl = (path: string): Promise<string> =>
      asApplication(hosts.near, 'curl', '-sS', '--max-time', '10', `http://${ADDRESSES.far.ipv4}${path}`);
    for (const path of [':8080/', ':8080/health', ':8080/orders?id=1']) expect(await curl(path)).to.contain('"far"');
    const counted = (): number =>
      [...statsd.stdout.matchAll(/^netra\.inbound\.200:(\d+)\|c$/gm)].reduce(
        (sum, [, count]) => sum + Number(count),
        0,
      );
    await eventually('two answers', () => counted() === 2);
    const page = await curl(':14958/metrics');
    expect(page).to.contain('mesher_responses_total{direction="inbound",status="200"} 2');
    expect(counted()).to.equal(2);
    // The scrape came to the port itself: it is no call of the application.
    expect(await far.connections({ direction: 'inbound' })).to.equal(3);
    // Profiles are for this machine.
    const refused = await curl(':14957/debug/pprof/').catch((error: unknown) => String(error));
    expect(refused).to.not.contain('seconds=30');
  });
});
