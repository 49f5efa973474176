import { Endpoint, Rejection, type CallHandler } from '@mesher/core';
import { expect } from 'chai';
import { connect as connectPlain } from 'node:net';
import { connect } from 'node:tls';
import { answerEach, answerOf, type ProxyHarness, type RawPeer, type RawUpstream } from '../testing/proxy-harness.js';
import { settleSockets, until, useProxyRig } from '../testing/proxy-rig.js';
import { proxyHeader } from './proxy-protocol.js';
import type { OriginalDestination, TransparentRoute, TransparentSpec, TransparentTarget } from './transparent-spec.js';

const GET = 'GET /x HTTP/1.1\r\nhOsT: Orders:80\r\nX-odd:  a \r\n\r\n';

/** What a test says of its listener; the rest is as of a connection of the application to the upstream, which is passed on. */
interface Wanted extends Partial<Omit<TransparentSpec, 'route'>> {
  readonly found?: OriginalDestination;
  readonly route?: Partial<TransparentRoute>;
  /** Requests are served. */
  readonly serves?: boolean;
  /** Services by host name, at the second upstream. */
  readonly named?: readonly string[];
}

describe('a transparent listener', () => {
  const rig = useProxyRig();
  let upstream: RawUpstream;
  let other: RawUpstream;

  async function listen(wanted: Wanted = {}, onConnection?: (peer: RawPeer) => void): Promise<ProxyHarness> {
    upstream = await rig().upstream(onConnection);
    other = await rig().upstream(onConnection);
    const original = { address: '127.0.0.1', port: upstream.port };
    const named = (handler: CallHandler): TransparentTarget => ({
      handler: { ...handler, begin: (call) => (void handler.begin(call), new Endpoint('127.0.0.1', other.port)) },
      verdict: 'mesh',
    });
    return await rig().proxy({
      upstreamPort: upstream.port,
      transparent: (handler) => ({
        find: () => wanted.found ?? { kind: 'intercepted', ...original },
        isOwnAddress: () => false,
        opaquePorts: new Set(),
        httpPorts: new Set(),
        ...wanted,
        route: () => ({
          handler,
          verdict: 'passed',
          ...(wanted.serves === true ? { http: { handler, verdict: 'mesh' } } : {}),
          ...(wanted.named === undefined
            ? {}
            : { byName: (host) => (wanted.named?.includes(host) ? named(handler) : undefined) }),
          ...wanted.route,
        }),
      }),
    });
  }

  function counted({ proxy }: ProxyHarness): string[] {
    return [...proxy.stats.transparent].map(
      ({ direction, protocol, verdict, count }) => `${direction} ${protocol} ${verdict} ${count}`,
    );
  }

  it('passes HTTP to where it was going without changing a byte', async () => {
    const proxy = await listen();
    const client = await rig().send(proxy, GET);
    const peer = await upstream.awaitConnection();
    expect(await peer.readUntil('\r\n\r\n')).to.equal(GET);
    peer.write('HTTP/1.1 200 odd\r\n\r\nas it is');
    await client.readUntil('HTTP/1.1 200 odd\r\n\r\nas it is');
    expect(counted(proxy)).to.deep.equal(['outbound http1 passed 1']);
  });

  it('passes on what begins like HTTP and is none, without waiting for more', async () => {
    const proxy = await listen();
    await rig().send(proxy, 'PRI');
    await (await upstream.awaitConnection()).readUntil('PRI');
    expect(rig().time.now()).to.equal(0);
  });

  it('lets a server speak first, with every kind of route', async () => {
    for (const wanted of [{}, { serves: true }, { named: ['orders'] }]) {
      const proxy = await listen(wanted, (peer) => peer.write('220 ready\r\n'));
      const client = await rig().connect(proxy);
      await client.readUntil('220 ready\r\n');
      client.write(GET);
      await (await upstream.awaitConnection()).readUntil(GET);
      expect(rig().time.now()).to.equal(0);
      expect(counted(proxy)).to.deep.equal(['outbound server-first passed 1']);
    }
  });

  it('keeps half of a connection open when the other half has ended, both ways', async () => {
    const proxy = await listen();
    const client = await rig().connect(proxy);
    const peer = await upstream.awaitConnection();
    client.end('question');
    expect((await peer.awaitEnd()).toString()).to.equal('question');
    peer.end('answer');
    expect((await client.awaitEnd()).toString()).to.equal('answer');
    const client2 = await rig().connect(proxy);
    const peer2 = await upstream.awaitConnection(2);
    peer2.end('hello');
    expect((await client2.awaitEnd()).toString()).to.equal('hello');
    client2.end('thanks');
    expect((await peer2.awaitEnd()).toString()).to.equal('thanks');
    expect(counted(proxy)[0]).to.equal('outbound tcp passed 1');
  });

  it('resets a client at once whose original destination refuses, since that is what the client would have seen', async () => {
    const proxy = await listen({ route: { handler: refusing() } });
    await reset(proxy);
    expect(rig().time.now()).to.equal(0);
    expect(counted(proxy)).to.deep.equal(['outbound unknown passed 1']);
  });

  it('waits for the client of a server of HTTP/2 that speaks first, and only of such a one', async () => {
    const settings = Buffer.from('000006040000000000000300000064', 'hex');
    const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
    for (const [said, protocol] of [
      [preface, 'http2 mesh'],
      ['nothing of the kind\n', 'tcp passed'],
    ] as const) {
      const proxy = await listen({ serves: true }, (peer) => peer.write(settings));
      const client = await rig().connect(proxy);
      await upstream.awaitConnection();
      await until(() => proxy.proxy.stats.upstreamOpen === 1);
      await settleSockets();
      expect(client.length, 'settings of the server').to.equal(0);
      client.write(said);
      if (said === preface) await client.awaitLength(9);
      else expect(await client.readUntil(settings.toString('latin1'))).to.equal(settings.toString('latin1'));
      expect(counted(proxy)).to.deep.equal([`outbound ${protocol} 1`]);
    }
    const proxy = await listen({ serves: true }, (peer) => peer.write(settings));
    const silent = await rig().connect(proxy);
    await settleSockets();
    rig().pass(10_000);
    await silent.readUntil(settings.toString('latin1'));
    expect(counted(proxy)).to.deep.equal(['outbound server-first passed 1']);
  });

  it('passes what a server of HTTP/2 says first at once where nobody would serve its client, who still counts as one of HTTP/2', async () => {
    const settings = Buffer.from('000000040000000000', 'hex');
    const proxy = await listen({}, (peer) => peer.write(settings));
    const client = await rig().connect(proxy);
    await client.awaitLength(settings.length);
    client.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    await (await upstream.awaitConnection()).readUntil('SM\r\n\r\n');
    expect(counted(proxy)).to.deep.equal(['outbound http2 passed 1']);
  });

  it('serves the requests of a route that says so, one by one', async () => {
    const proxy = await listen({ serves: true }, (peer) => answerEach(peer, () => answerOf('served')));
    const client = await rig().send(proxy, GET);
    await client.readUntil('served');
    expect([...proxy.ends.keys()].map(({ protocol }) => protocol)).to.deep.equal(['tcp', 'http']);
    expect(counted(proxy)).to.deep.equal(['outbound http1 mesh 1']);
  });

  it('dials nothing before the first request on a port of HTTP', async () => {
    const port = new Set<number>();
    const proxy = await listen({ httpPorts: port, serves: true }, (peer) => answerEach(peer, () => answerOf('served')));
    port.add(upstream.port);
    const client = await rig().send(proxy, GET);
    await client.readUntil('served');
    expect([...proxy.ends.keys()].map(({ protocol }) => protocol)).to.deep.equal(['http']);
  });

  it('does not look at opaque ports, whatever the route would do', async () => {
    const port = new Set<number>();
    const proxy = await listen({ opaquePorts: port, serves: true });
    port.add(upstream.port);
    await rig().send(proxy, GET);
    expect(await (await upstream.awaitConnection()).readUntil('\r\n\r\n')).to.equal(GET);
    expect(counted(proxy)).to.deep.equal(['outbound opaque passed 1']);
  });

  it('gives a client that names a service to the mesh, and passes on one that names another host', async () => {
    const proxy = await listen({ named: ['orders'] }, (peer) => answerEach(peer, () => answerOf('by name')));
    const client = await rig().connect(proxy);
    await client.writePieces(GET, 7);
    await client.readUntil('by name');
    expect(await (await other.awaitConnection()).readUntil('\r\n\r\n')).to.match(/host: Orders:80/i);
    const stranger = await rig().send(proxy, GET.replace('Orders', 'elsewhere'));
    await stranger.readUntil('by name');
    expect(await (await upstream.awaitConnection(2)).readUntil('\r\n\r\n')).to.equal(
      GET.replace('Orders', 'elsewhere'),
    );
    expect(counted(proxy)).to.deep.equal(['outbound http1 mesh 1', 'outbound http1 passed 1']);
  });

  it('gives a TLS client to the mesh by the name it asks for, undecrypted', async () => {
    const proxy = await listen({ named: ['orders'] });
    const client = connect({ host: '127.0.0.1', port: proxy.port, servername: 'orders' });
    client.on('error', () => undefined);
    const peer = await other.awaitConnection();
    await peer.awaitLength(100);
    expect(counted(proxy)).to.deep.equal(['outbound tls mesh 1']);
    client.destroy();
    const stranger = connect({ host: '127.0.0.1', port: proxy.port, servername: 'elsewhere' });
    stranger.on('error', () => undefined);
    await (await upstream.awaitConnection(2)).awaitLength(100);
    stranger.destroy();
    expect(counted(proxy)[1]).to.equal('outbound tls passed 1');
  });

  it('tells the upstream who calls before anything else (PROXY protocol)', async () => {
    const original = { address: '127.0.0.1', port: 7 };
    const proxy = await listen({ route: { preamble: (socket) => proxyHeader('v1', socket, original) } });
    const client = await rig().send(proxy, 'first');
    const peer = await upstream.awaitConnection();
    const { localPort } = client.socket;
    expect(await peer.readUntil('first')).to.equal(`PROXY TCP4 127.0.0.1 127.0.0.1 ${localPort} 7\r\nfirst`);
  });

  it('lets somebody else begin the connection to the upstream, and passes bytes and ends all the same', async () => {
    const begun: (string | undefined)[] = [];
    const proxy = await listen({
      route: {
        connect: (client, { host, port }) => {
          begun.push(client.remoteAddress);
          return connectPlain({ host, port, allowHalfOpen: true });
        },
      },
    });
    const client = await rig().connect(proxy);
    client.end('question');
    const peer = await upstream.awaitConnection();
    expect((await peer.awaitEnd()).toString()).to.equal('question');
    const answer = 'x'.repeat(1_000_000);
    peer.end(answer);
    expect((await client.awaitEnd()).length).to.equal(answer.length);
    expect(begun).to.deep.equal(['127.0.0.1']);
    await until(() => proxy.proxy.stats.upstreamOpen === 0);
  });

  it('resets the client when a connection that somebody else begins fails, at once or later', async () => {
    for (const connect of [
      () => {
        throw new Error('EPERM');
      },
      () => connectPlain({ host: '127.0.0.1', port: 1 }),
    ]) {
      await reset(await listen({ route: { connect } }));
    }
  });

  it('calls what goes to an own address inbound', async () => {
    const proxy = await listen({ isOwnAddress: (address) => address === '127.0.0.1', route: { handler: inbound() } });
    await rig().send(proxy, 'x\n\n');
    await until(() => counted(proxy).length > 0);
    expect(counted(proxy)).to.deep.equal(['inbound tcp passed 1']);
  });

  it('closes a connection to the listener itself, which would be a loop', async () => {
    const proxy = await listen({ found: { kind: 'own-listener', address: '10.0.0.1', port: 14956 } });
    await Promise.all([reset(proxy), reset(proxy)]);
    expect(counted(proxy)).to.deep.equal(['unknown unknown loop 2']);
    expect(proxy.proxy.stats.connectionsOpen).to.equal(0);
    expect(upstream.connections).to.have.length(0);
  });

  it('closes connections of its own that come back, instead of dialling once more for ever', async () => {
    // As the rules bring it: the kernel tells the destination that was dialled.
    const to = { address: '127.0.0.1', port: 0 };
    const own = passing(() => new Endpoint(to.address, to.port));
    const proxy = await listen({
      find: () => ({ kind: 'intercepted', ...to }),
      isOwnAddress: (address) => address === '127.0.0.1',
      route: { handler: own },
    });
    to.port = proxy.port;
    await reset(proxy);
    await until(() => proxy.proxy.stats.connectionsOpen === 0);
    expect(proxy.proxy.stats.upstreamConnects, 'three might be chance').to.equal(4);
    expect(counted(proxy)).to.include('unknown unknown loop 1');
    await reset(proxy);
    await until(() => proxy.proxy.stats.connectionsOpen === 0);
    expect(proxy.proxy.stats.upstreamConnects, 'it is known by now').to.equal(5);
    expect(counted(proxy)).to.include('unknown unknown loop 2');
  });

  it('passes on a connection that happens to have the port of one of its own', async () => {
    const upstream = await rig().upstream();
    const to = { address: '127.0.0.1', port: upstream.port };
    const target = new Endpoint(to.address, to.port);
    const proxy = await listen({
      find: () => ({ kind: 'intercepted', ...to }),
      isOwnAddress: () => true,
      route: { handler: passing(() => target) },
    });
    for (let turn = 1; turn <= 10; turn++) {
      await rig().send(proxy, '\x00first');
      const peer = await upstream.awaitConnection(2 * turn - 1);
      // As if REDIRECT had given the next one this port.
      const client = connectPlain({
        host: '127.0.0.1',
        port: proxy.port,
        localAddress: '127.0.0.2',
        localPort: peer.socket.remotePort ?? 0,
      });
      client.on('error', () => undefined);
      client.write('\x00second');
      await (await upstream.awaitConnection(2 * turn)).readUntil('second');
      client.destroy();
    }
    expect(counted(proxy).filter((line) => line.includes('loop'))).to.deep.equal([]);
  });

  it('passes on all connections of other machines, however many of them have the port of one of its own', async () => {
    const upstream = await rig().upstream();
    const to = { address: '127.0.0.1', port: upstream.port };
    const proxy = await listen({
      find: () => ({ kind: 'intercepted', ...to }),
      route: { handler: passing(() => new Endpoint(to.address, to.port)) },
    });
    let localPort = 0;
    for (let count = 1; count <= 10; count++) {
      const client = connectPlain({ host: '127.0.0.1', port: proxy.port, localAddress: '127.0.0.2', localPort });
      client.on('error', () => undefined);
      const peer = await upstream.awaitConnection(count);
      localPort = peer.socket.remotePort ?? 0;
      rig().atEnd(() => void client.destroy());
    }
    expect(counted(proxy)).to.deep.equal([]);
  });

  it('asks the handler of the listener about a client of HTTP that nobody brought here', async () => {
    const proxy = await listen({ found: { kind: 'direct' } });
    await rig().send(proxy, GET);
    await proxy.awaitBegun(1);
    expect(counted(proxy)).to.deep.equal(['unknown unknown direct 1']);
  });

  for (const asked of ['find', 'isOwnAddress'] as const) {
    it(`closes a connection about which ${asked} fails, and goes on`, async () => {
      const proxy = await listen({
        [asked]: () => {
          throw new Error('SO_ORIGINAL_DST failed');
        },
      });
      await reset(proxy);
      await reset(proxy);
      expect(counted(proxy)).to.deep.equal(['unknown unknown failed 2']);
    });
  }

  /** Connects, and waits for the reset, which may be there before the connection is. */
  function reset({ port }: ProxyHarness): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connectPlain({ host: '127.0.0.1', port });
      socket.on('error', (error: NodeJS.ErrnoException) => (error.code === 'ECONNRESET' ? resolve() : reject(error)));
      socket.on('end', () => reject(new Error('ended without a reset')));
    });
  }

  function refusing(): CallHandler {
    const rejection = new Rejection('MESH_ERR_CONNECT', 'connect ECONNREFUSED');
    const nothing = (): void => undefined;
    return { direction: 'outbound', begin: () => rejection, again: () => rejection, connected: nothing, end: nothing };
  }

  function inbound(): CallHandler {
    return { ...passing(() => new Endpoint('127.0.0.1', upstream.port)), direction: 'inbound' };
  }

  function passing(begin: CallHandler['begin']): CallHandler {
    const nothing = (): void => undefined;
    return {
      direction: 'outbound',
      begin,
      again: (_call, { code, message }) => new Rejection(code, message),
      connected: nothing,
      end: nothing,
    };
  }
});
