import { expect } from 'chai';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ADDRESSES, requireNetworkNamespaces, TwoHosts } from './support/network-namespaces.js';
import { startUnawareApp, TransparentSidecar } from './support/transparent-sidecar.js';

describe('a transparent sidecar that starts before its network', () => {
  let hosts: TwoHosts;
  let folder: string;

  before(async function () {
    requireNetworkNamespaces(this, 'iptables-nft', 'curl');
    hosts = await TwoHosts.create();
    folder = await mkdtemp(join(tmpdir(), 'mesher-late-'));
    await chmod(folder, 0o755);
  });

  after(async () => {
    await hosts?.close();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  it('takes inbound connections for inbound ones, although the system does not tell the address yet', async () => {
    await startUnawareApp(hosts.near, 'near');
    // Without a carrier the interface has its address, and the system does not name it.
    await hosts.router.must('ip', ['link', 'set', 'to-near', 'down']);
    const sidecar = await TransparentSidecar.start(hosts.near, { service: 'near', folder });
    await hosts.router.must('ip', ['link', 'set', 'to-near', 'up']);
    const url = `http://${ADDRESSES.near.ipv4}:8080/`;
    await hosts.router.must('curl', ['-sS', '--max-time', '20', '--retry', '9', '--retry-all-errors', url]);
    expect(await sidecar.connections({ direction: 'inbound' })).to.be.at.least(1);
    expect(await sidecar.connections({ direction: 'outbound' })).to.equal(0);
  });
});
