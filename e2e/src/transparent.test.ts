import { expect } from 'chai';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TRANSPARENT_PORT } from './support/intercepted-calls.js';
import { ADDRESSES, requireNetworkNamespaces, TwoHosts } from './support/network-namespaces.js';
import {
  asApplication,
  listenTo,
  startCollector,
  startUnawareApp,
  talk,
  TransparentSidecar,
  type ZipkinSpan,
} from './support/transparent-sidecar.js';
import { eventually } from './support/eventually.js';

const FAMILIES = ['ipv4', 'ipv6'] as const;

/** A host as a URL has it. */
function inUrl(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

describe('mesher --mode=transparent between two hosts', () => {
  let hosts: TwoHosts;
  let folder: string;
  let near: TransparentSidecar, far: TransparentSidecar;

  before(async function () {
    requireNetworkNamespaces(this, 'iptables-nft', 'curl');
    folder = await mkdtemp(join(tmpdir(), 'mesher-transparent-'));
    await chmod(folder, 0o755);
    hosts = await TwoHosts.create();
    await startUnawareApp(hosts.near, 'near');
    await startUnawareApp(hosts.far, 'far');
  });

  afterEach(async () => {
    await near?.stop();
    await far?.stop();
  });

  after(async () => {
    await hosts?.close();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  it('passes what unaware programs say through both sidecars without changing a byte', async () => {
    const direct = await curl(ADDRESSES.far.ipv4);
    [near, far] = await start();
    for (const family of FAMILIES) {
      const address = ADDRESSES.far[family];
      expect(withoutPeer(await curl(address), address)).to.equal(withoutPeer(direct, ADDRESSES.far.ipv4));
      expect(await talk(hosts.near, address, 9000, 'half a connection'), 'half-close').to.equal('noitcennoc a flah');
      expect(await listenTo(hosts.near, address, 9022), 'server first').to.equal('SSH-2.0-far\r\n');
      expect(await tls(address)).to.equal('far over TLS\n');
    }
    const both = FAMILIES.length;
    for (const [sidecar, direction] of [
      [near, 'outbound'],
      [far, 'inbound'],
    ] as const) {
      const counted = (protocol: string): Promise<number> =>
        sidecar.connections({ direction, protocol, verdict: 'passed' });
      expect(await counted('http1')).to.equal(both);
      expect(await counted('tcp')).to.equal(both);
      expect(await counted('server-first')).to.equal(both);
      expect(await counted('tls')).to.equal(both);
    }
  });

  it('takes a call of an own address for an inbound one', async () => {
    [near] = await start('near');
    expect(await curl(ADDRESSES.near.ipv4)).to.include('"name":"near"');
    expect(await near.connections({ direction: 'inbound', protocol: 'http1' })).to.equal(1);
  });

  it('resets a connection whose destination refuses, and goes on', async () => {
    [near] = await start('near');
    expect(await talk(hosts.near, ADDRESSES.far.ipv4, 4444, 'x')).to.equal('ECONNRESET');
    expect(await curl(ADDRESSES.far.ipv4)).to.include('"name":"far"');
  });

  it('closes connections to its own port, from here and from elsewhere, and passes them on to nobody', async () => {
    [near] = await start('near');
    const started = await near.metric('mesher_upstream_connects_total');
    for (const [from, address] of [
      [hosts.near, '127.0.0.1'],
      [hosts.near, ADDRESSES.near.ipv4],
      [hosts.far, ADDRESSES.near.ipv4],
    ] as const) {
      const answer = await talk(from, address, TRANSPARENT_PORT, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n');
      expect(answer).to.match(/^(ECONNRESET|HTTP\/1.1 404 [^]*MESH_ERR_NO_ROUTE[^]*no rule has brought this one)/);
    }
    const turnedAway = (await near.connections({ verdict: 'loop' })) + (await near.connections({ verdict: 'direct' }));
    expect(turnedAway).to.equal(3);
    expect(await near.metric('mesher_upstream_connects_total')).to.equal(started);
  });

  it('gives requests to known services to the mesh, and leaves others as they are, with policy mesh', async () => {
    await mkdir(join(folder, 'disco'), { recursive: true });
    await writeFile(join(folder, 'disco', 'orders'), `${ADDRESSES.far.ipv4} 8080\n`);
    const chassis = { 'servicecomb.registry.type': 'file', 'servicecomb.registry.address': join(folder, 'disco') };
    [near, far] = await start('near', 'far', { mesher: { 'transparent.policy': 'mesh' }, chassis });
    const byAddress = await curl(ADDRESSES.far.ipv4);
    expect(byAddress).to.include('"name":"far"');
    // Nobody listens where the program believes the service to be: its name is what counts.
    const byName = await curl(`${ADDRESSES.far.ipv4}:4`, '-H', 'Host: orders');
    expect(byName).to.include('"name":"far"');
    const unknown = await curl(ADDRESSES.far.ipv6);
    expect(unknown).to.include('"name":"far"');
    expect(await near.connections({ direction: 'outbound', protocol: 'http1', verdict: 'mesh' })).to.equal(2);
    expect(await near.connections({ direction: 'outbound', protocol: 'http1', verdict: 'passed' })).to.equal(1);
    // The two to the known service shared one connection.
    expect(await far.connections({ direction: 'inbound', protocol: 'http1', verdict: 'mesh' })).to.equal(2);
    expect(await listenTo(hosts.near, ADDRESSES.far.ipv4, 9022), 'server first').to.equal('SSH-2.0-far\r\n');
  });

  it('makes two linked spans of one call between unaware programs, whose answer is the same', async () => {
    const direct = await curl(ADDRESSES.far.ipv4);
    const spans = await Promise.all([hosts.near, hosts.far].map((host) => startCollector(host)));
    const tracing = { 'tracing.tracer': 'zipkin', 'tracing.settings.URI': 'http://127.0.0.1:9411/api/v2/spans' };
    [near, far] = await start({ chassis: { ...tracing, 'tracing.settings.batchInterval': '10ms' } });
    const [head, body] = (await curl(ADDRESSES.far.ipv4)).split('\r\n\r\n');
    const ownFields = (text: string | undefined): string[] =>
      // The answer repeats the request, which has got its context.
      (text ?? '').split('\r\n').filter((line) => !/^Content-Length:/i.test(line));
    expect(ownFields(head)).to.deep.equal(ownFields(direct.split('\r\n\r\n')[0]));
    expect(body, 'the context is in the request').to.match(/"traceparent"/);
    const [[client], [server]] = (await eventually('both spans', () => {
      const both = spans.map((read) => read());
      return both.every((list) => list.length > 0) ? both : undefined;
    })) as [[ZipkinSpan], [ZipkinSpan]];
    expect([client.kind, server.kind]).to.deep.equal(['CLIENT', 'SERVER']);
    expect(server.traceId).to.equal(client.traceId);
    expect(server.parentId).to.equal(client.id);
    expect([client, server].map(({ localEndpoint }) => localEndpoint?.serviceName)).to.deep.equal(['near', 'far']);
    expect(await near.metric('mesher_requests_total', { direction: 'outbound' })).to.be.greaterThan(0);
    expect(await far.metric('mesher_requests_total', { direction: 'inbound' })).to.be.greaterThan(0);
  });

  it('lets the application see who called, with TPROXY or by the PROXY protocol', async () => {
    far = await TransparentSidecar.start(hosts.far, {
      service: 'far',
      folder,
      // Root in the group that the rules leave alone: TPROXY needs a capability.
      as: { uid: 0, gid: 1337 },
      mesher: { transparent: { interception: 'tproxy', keepSource: true } },
      apply: ['--mode', 'TPROXY', '--keep-source'],
    });
    for (const family of FAMILIES) {
      const answer = await curl(ADDRESSES.far[family]);
      expect(answer).to.match(new RegExp(`"from":"(::ffff:)?${ADDRESSES.near[family]}"`));
      expect(await talk(hosts.near, ADDRESSES.far[family], 9000, 'half')).to.equal('flah');
    }
    expect(await far.connections({ direction: 'inbound', verdict: 'passed' })).to.equal(4);
    await far.stop();
    const mesher = { 'transparent.proxyProtocol': 'v1' };
    far = await TransparentSidecar.start(hosts.far, { service: 'far', folder, mesher });
    const reversed = await talk(hosts.near, ADDRESSES.far.ipv4, 9000, 'x');
    expect([...reversed].reverse().join('')).to.match(/^PROXY TCP4 10\.77\.1\.2 10\.77\.2\.2 \d+ 9000\r\nx$/);
  });

  it("runs with netramesh's variables", async () => {
    const env = { NETRA_PORT: '15999', NETRA_HTTP_PORTS: '8080,8443', NETRA_LOGGER_LEVEL: 'INFO' };
    near = await TransparentSidecar.start(hosts.near, { service: 'near', folder, env, apply: ['--port', '15999'] });
    expect(await curl(ADDRESSES.far.ipv4)).to.include('"name":"far"');
    expect(await tls(ADDRESSES.far.ipv4)).to.equal('far over TLS\n');
    expect(await near.connections({ direction: 'outbound', verdict: 'passed' })).to.equal(2);
  });

  async function start(
    ...wanted: readonly (string | Partial<Parameters<typeof TransparentSidecar.start>[1]>)[]
  ): Promise<[TransparentSidecar, TransparentSidecar]> {
    const more = wanted.find((one) => typeof one === 'object') ?? {};
    const isWanted = (name: string): boolean => !wanted.some((one) => typeof one === 'string') || wanted.includes(name);
    const on = (name: 'near' | 'far'): Promise<TransparentSidecar | undefined> =>
      isWanted(name)
        ? TransparentSidecar.start(hosts[name], { service: name, folder, ...more })
        : Promise.resolve(undefined);
    return (await Promise.all([on('near'), on('far')])) as [TransparentSidecar, TransparentSidecar];
  }

  /** The answer with its head. */
  async function curl(address: string, ...args: string[]): Promise<string> {
    const host = /^[\d.]+:\d+$/.test(address) ? address : `${inUrl(address)}:8080`;
    return await asApplication(hosts.near, 'curl', '-sSi', '--max-time', '10', ...args, `http://${host}/x?y=1`);
  }

  async function tls(address: string): Promise<string> {
    const script = `
      const socket = require('node:tls').connect({ host: process.argv[1], port: 8443, servername: 'secure.example', rejectUnauthorized: false });
      socket.pipe(process.stdout);`;
    return await asApplication(hosts.near, process.execPath, '-e', script, address);
  }
});

/** An answer without the two things that depend on the way: the caller's address and the called host. */
function withoutPeer(answer: string, address: string): string {
  return answer
    .replace(/"from":"[^"]*"/, '')
    .replaceAll(inUrl(address), 'HOST')
    .replace(/Content-Length: \d+/i, '');
}
