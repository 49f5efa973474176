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
/** More than one: then connections have the source ports of others, which the rules of interception have to change. */
const PORTS = [9101, 9102, 9103, 9104];
/** What a silent connection may take of the sidecar, in KiB: sockets, their listeners, a call, and a page or two of buffers. */
const KIB_PER_CONNECTION = 24;
/** Crowds of connections, one after the other: what is not given back adds up. */
const CROWDS = 4;
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
    const open: number[] = [];
    const closed: number[] = [];
    // Later crowds have to find room in what the first has left.
    for (let crowd = 1; crowd <= CROWDS; crowd++) {
      const many = peerOn('near', { role: 'many', host: ADDRESSES.far.ipv4, ports: PORTS, connections });
      expect(await reportOf(many, 'opened')).to.deep.equal({ opened: connections, lost: 0, why: [] });
      expect(await sidecar.metric('mesher_downstream_connections_open')).to.be.at.least(connections);
      many.write('again\n');
      expect(await reportOf(many, 'exchanged')).to.deep.equal({ exchanged: connections, lost: 0, why: [] });
      open.push(await memoryOf(sidecar.process, 'VmRSS'));
      many.write('end\n');
      expect(await reportOf(many, 'closed')).to.deep.equal({ closed: connections, lost: 0, why: [] });
      await eventually('none left', async () => (await sidecar.metric('mesher_downstream_connections_open')) <= 2);
      closed.push(await memoryOf(sidecar.process, 'VmRSS'));
      expect(await sidecar.connections({ direction: 'outbound', verdict: 'passed' })).to.equal(crowd * connections);
    }
    const [first = 0] = open;
    const perConnection = ((first - before) * 1024) / connections;
    const shown = (list: readonly number[]): string => list.map((mib) => mib.toFixed(0)).join(', ');
    console.log(
      `    (MiB of the sidecar: ${shown([before])} before; ${shown(open)} with each crowd, ${shown(closed)} after it;` +
        ` ${perConnection.toFixed(1)} KiB per connection)`,
    );
    expect(perConnection).to.be.lessThan(KIB_PER_CONNECTION);
    // What the first crowd has left is collected while the next ones come, and not before: two may be there at once, and no third.
    expect(Math.max(...open, ...closed)).to.be.lessThan(before + (2 * KIB_PER_CONNECTION * connections) / 1024);
    expect(open.at(-1)).to.be.lessThan((open.at(-2) ?? 0) + GROWTH_MIB);
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
