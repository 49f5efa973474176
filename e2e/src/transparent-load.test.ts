import { expect } from 'chai';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './support/eventually.js';
import { descriptorLimitOf, memoryOf, reportOf, startLoadPeer } from './support/load-peer.js';
import { ADDRESSES, requireNetworkNamespaces, TwoHosts } from './support/network-namespaces.js';
import type { SpawnedProcess } from './support/spawned-process.js';
import { TransparentSidecar } from './support/transparent-sidecar.js';

const MIB = 1_048_576;
const GIB = 1024 * MIB;
const WANTED_CONNECTIONS = 10_000;
/** Two descriptors for each connection, and these for everything else that the sidecar has open. */
const OTHER_DESCRIPTORS = 100;
const PORTS = [9101];
/** What a silent connection may take of the sidecar, in KiB: sockets, their listeners, a call, and a page or two of buffers. */
const KIB_PER_CONNECTION = 24;
/** What may remain once all are closed: what the collector has not looked at yet, and pages that the allocator keeps. */
const REMAINING_MIB = 160;
/** What the sidecar may grow by, however much passes. */
const GROWTH_MIB = 72;
/** What may be on the way to who does not read, in all buffers of the kernels and of the sidecar. */
const ON_THE_WAY_MIB = 24;

interface Flooded {
  readonly sent: number;
  readonly sentDigest: string;
  readonly received: number;
  readonly receivedDigest: string;
}

describe('the transparent mode under load', function () {
  this.timeout(240_000);
  let hosts: TwoHosts;
  let folder: string;
  let sidecar: TransparentSidecar;
  const peers: SpawnedProcess[] = [];

  before(async function () {
    requireNetworkNamespaces(this, 'iptables-nft', 'curl');
    folder = await mkdtemp(join(tmpdir(), 'mesher-load-'));
    await chmod(folder, 0o755);
    hosts = await TwoHosts.create();
    // The second crowd needs the ports of the first.
    await hosts.near.must('sh', ['-c', 'echo 1 > /proc/sys/net/ipv4/tcp_tw_reuse']);
  });

  beforeEach(async () => {
    sidecar = await TransparentSidecar.start(hosts.near, { service: 'near', folder });
  });

  afterEach(async () => {
    await Promise.all(peers.splice(0).map((peer) => peer.kill()));
    await sidecar?.stop();
  });

  after(async () => {
    await hosts?.close();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  function peerOn(host: 'near' | 'far', task: object): SpawnedProcess {
    const peer = startLoadPeer(hosts[host], task);
    peers.push(peer);
    return peer;
  }

  it('holds ten thousand connections at once, loses none, and gives their memory back', async () => {
    const limit = await descriptorLimitOf(sidecar.process);
    const connections = Math.min(WANTED_CONNECTIONS, Math.floor((limit - OTHER_DESCRIPTORS) / 2));
    if (connections < WANTED_CONNECTIONS) console.log(`    (${connections}, since ulimit -n is ${limit} here)`);
    await reportOf(peerOn('far', { role: 'server', ports: PORTS }), 'listening');
    const before = await memoryOf(sidecar.process, 'VmRSS');
    const many = peerOn('near', { role: 'many', host: ADDRESSES.far.ipv4, ports: PORTS, connections });
    expect(await reportOf(many, 'opened')).to.deep.equal({ opened: connections, lost: 0, why: [] });
    expect(await sidecar.metric('mesher_downstream_connections_open')).to.be.at.least(connections);
    const open = await memoryOf(sidecar.process, 'VmRSS');
    many.write('again\n');
    expect(await reportOf(many, 'exchanged')).to.deep.equal({ exchanged: connections, lost: 0, why: [] });
    const during = await memoryOf(sidecar.process, 'VmRSS');
    many.write('end\n');
    expect(await reportOf(many, 'closed')).to.deep.equal({ closed: connections, lost: 0, why: [] });
    await eventually(
      'no connection left',
      async () => (await sidecar.metric('mesher_downstream_connections_open')) <= 2,
    );
    const after = await memoryOf(sidecar.process, 'VmRSS');
    const perConnection = ((during - before) * 1024) / connections;
    console.log(
      `    (MiB of the sidecar: ${[before, open, during, after].map((mib) => mib.toFixed(0)).join(', ')} before, open, used again, closed;` +
        ` ${perConnection.toFixed(1)} KiB per connection)`,
    );
    expect(perConnection).to.be.lessThan(KIB_PER_CONNECTION);
    expect(after).to.be.lessThan(before + REMAINING_MIB);
    expect(await sidecar.connections({ direction: 'outbound', verdict: 'passed' })).to.equal(connections);
    // A second crowd finds room in what the first has left.
    const again = peerOn('near', { role: 'many', host: ADDRESSES.far.ipv4, ports: PORTS, connections });
    expect(await reportOf(again, 'opened')).to.deep.equal({ opened: connections, lost: 0, why: [] });
    const second = await memoryOf(sidecar.process, 'VmRSS');
    console.log(`    (${second.toFixed(0)} MiB with a second crowd)`);
    expect(second).to.be.lessThan(Math.max(during, open) + GROWTH_MIB);
  });

  it('passes a gigabyte both ways at once, every byte of it, in bounded memory', async () => {
    const flood = { port: 9300, bytes: GIB, reads: 'at once' };
    const server = peerOn('far', { role: 'flood-server', ...flood });
    await reportOf(server, 'listening');
    const before = await memoryOf(sidecar.process, 'VmRSS');
    const client = peerOn('near', { role: 'flood', host: ADDRESSES.far.ipv4, ...flood });
    const [near, far] = await Promise.all([client, server].map((peer) => reportOf<Flooded>(peer, 'sentDigest')));
    expectSame(near, far, GIB);
    const highest = await memoryOf(sidecar.process, 'VmHWM');
    console.log(`    (MiB of the sidecar: ${before.toFixed(0)} before, ${highest.toFixed(0)} at most)`);
    expect(highest).to.be.lessThan(before + GROWTH_MIB);
  });

  for (const [slow, fast] of [
    ['server', 'client'],
    ['client', 'server'],
  ] as const) {
    it(`holds back a ${fast} whose ${slow} does not read, in the memory of one read`, async () => {
      const flood = { port: 9301, bytes: 64 * MIB };
      const reads = (who: string): string => (who === slow ? 'late' : 'at once');
      const server = peerOn('far', { role: 'flood-server', ...flood, reads: reads('server') });
      await reportOf(server, 'listening');
      const before = await memoryOf(sidecar.process, 'VmRSS');
      const client = peerOn('near', { role: 'flood', host: ADDRESSES.far.ipv4, ...flood, reads: reads('client') });
      const [sender, reader] = fast === 'client' ? [client, server] : [server, client];
      await reportOf(sender, 'stuckAt');
      const toward = fast === 'client' ? 'upstream' : 'downstream';
      const passed = await sidecar.metric('mesher_relayed_bytes_total', { toward });
      console.log(`    (${(passed / MIB).toFixed(1)} MiB had left the sidecar or waited there)`);
      reader.write('read\n');
      const [near, far] = await Promise.all([client, server].map((peer) => reportOf<Flooded>(peer, 'sentDigest')));
      expectSame(near, far, 64 * MIB);
      expect(passed).to.be.lessThan(ON_THE_WAY_MIB * MIB);
      expect(await memoryOf(sidecar.process, 'VmHWM')).to.be.lessThan(before + GROWTH_MIB);
    });
  }

  /** Each has what the other one sent. */
  function expectSame(near: Flooded | undefined, far: Flooded | undefined, bytes: number): void {
    expect(near).to.include({ sent: bytes, received: bytes });
    expect(near?.receivedDigest).to.equal(far?.sentDigest);
    expect(far?.receivedDigest).to.equal(near?.sentDigest);
  }
});
