import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect } from 'chai';
import { callUnary, grpcClient, startGrpcServer } from '../testing/grpc-peers.js';
import { startHttp2Server } from '../testing/http2-peers.js';
import { HeaderBlock } from '../http2/hpack/header-block.js';
import { HeaderField } from '../http2/hpack/header-field.js';
import { RawSession } from '../http2/testing/raw-session.js';
import type { ProxyHarness } from '../testing/proxy-harness.js';
import { settleSockets, until, useProxyRig } from '../testing/proxy-rig.js';

const CONNECT = 'CONNECT svc:443 HTTP/1.1\r\nHost: svc:443\r\n\r\n';
const ESTABLISHED = 'HTTP/1.1 200 Connection established\r\n\r\n';
/** An empty SETTINGS frame. */
const SETTINGS = '\0\0\0\x04\0\0\0\0\0';

/** Asks for a tunnel and waits for it. */
async function openTunnel(proxy: ProxyHarness): Promise<Socket> {
  const socket = connect(proxy.port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(CONNECT);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  expect(answer.toString()).to.equal(ESTABLISHED);
  socket.removeAllListeners('data');
  return socket;
}

function get(path: string): HeaderBlock {
  const pairs = [
    [':method', 'GET'],
    [':scheme', 'http'],
    [':path', path],
    [':authority', 'svc:443'],
  ];
  return HeaderBlock.of(pairs.map(([name, value]) => new HeaderField(name, value)));
}

describe('a client that speaks HTTP/2 in the tunnel of its CONNECT', () => {
  const rig = useProxyRig();

  it('has each of its calls decided by itself, and the tunnel is over', async () => {
    const instance = await startHttp2Server(rig(), (stream, headers) => {
      stream.respond();
      stream.end(headers[':path']);
    });
    const proxy = await rig().proxy({ upstreamPort: instance.port, speaks: 'http2' });
    const socket = await openTunnel(proxy);
    const session = new RawSession(socket, false);
    session.writer.headers(1, get('/first'), true);
    session.writer.headers(3, get('/second'), true);
    const outcomes = await proxy.awaitOutcomes(3);
    expect(outcomes.map(({ method, path, status }) => [method, path, status])).to.have.deep.members([
      ['CONNECT', '', 200],
      ['GET', '/first', 200],
      ['GET', '/second', 200],
    ]);
    await until(() => session.blocks.length === 2);
    // The settings of the instance have not come through the tunnel before ours.
    expect(session.events.filter((event) => event === 'settings end')).to.have.length(1);
    socket.destroy();
  });

  it('may send the preface right behind the CONNECT', async () => {
    const { proxy } = await rig().pair();
    const client = await rig().send(proxy, `${CONNECT}PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${SETTINGS}`);
    // Our SETTINGS, and the acknowledgement of the client's.
    await client.readUntil(`${ESTABLISHED}\0\0`);
    await client.readUntil('\0\0\0\x04\x01\0\0\0\0');
    client.end();
    await client.awaitEnd();
  });

  it('is let go like any other when the listener closes', async () => {
    const { proxy } = await rig().pair();
    const socket = await openTunnel(proxy);
    const session = new RawSession(socket, false);
    await until(() => session.events.includes('settings acknowledged') || session.events.includes('settings end'));
    expect(proxy.listener.openConnections).to.equal(1);
    const drained = proxy.listener.drain();
    await until(() => session.events.some((event) => event.startsWith('goaway')));
    socket.destroy();
    await drained;
  });
});

describe('a tunnel to an instance that begins with something like settings', () => {
  const rig = useProxyRig();

  for (const [what, speak] of [
    ['speaks', 'hello'],
    ['ends its side', ''],
  ] as const) {
    it(`brings them when the client ${what}`, async () => {
      const { upstream, proxy } = await rig().pair((peer) => peer.write(`${SETTINGS}and more`));
      const client = await rig().send(proxy, CONNECT);
      await client.readUntil(ESTABLISHED);
      await settleSockets();
      expect(client.text).to.equal(ESTABLISHED);
      if (speak === '') client.end();
      else client.write(speak);
      await client.readUntil(`${ESTABLISHED}${SETTINGS}and more`);
      const peer = await upstream.awaitConnection();
      if (speak !== '') await peer.readUntil(speak);
      peer.end();
      await client.awaitEnd();
      client.end();
    });
  }

  it('brings them when the instance ends', async () => {
    const { proxy } = await rig().pair((peer) => peer.end(`${SETTINGS}bye`));
    const client = await rig().send(proxy, CONNECT);
    await client.awaitEnd();
    expect(client.text).to.equal(`${ESTABLISHED}${SETTINGS}bye`);
    client.end();
  });

  it('brings other first words of an instance at once', async () => {
    const { proxy } = await rig().pair((peer) => peer.write('220 ready\r\n'));
    const client = await rig().send(proxy, CONNECT);
    await client.readUntil(`${ESTABLISHED}220 ready\r\n`);
    client.destroy();
  });
});

describe('a gRPC client that is told of a proxy', () => {
  const rig = useProxyRig();

  afterEach(() => {
    delete process.env.grpc_proxy;
  });

  it('makes calls that are decided one by one', async () => {
    const port = await startGrpcServer(rig(), {
      unary: (call: { request: Buffer }, answer: (error: null, message: Buffer) => void) => answer(null, call.request),
    });
    const proxy = await rig().proxy({ upstreamPort: port, speaks: 'http2' });
    process.env.grpc_proxy = `http://127.0.0.1:${proxy.port}`;
    const client = grpcClient(rig(), { port: 50_051 });
    for (const text of ['one', 'two']) {
      const result = await callUnary(client, Buffer.from(text));
      expect([result.code, result.message?.toString()]).to.deep.equal([0, text]);
    }
    const outcomes = await proxy.awaitOutcomes(3);
    expect(outcomes.map(({ method, authority }) => [method, authority])).to.deep.equal([
      ['CONNECT', '127.0.0.1:50051'],
      ['POST', '127.0.0.1:50051'],
      ['POST', '127.0.0.1:50051'],
    ]);
  });
});
