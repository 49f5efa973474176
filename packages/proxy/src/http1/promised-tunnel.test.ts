import { expect } from 'chai';
import { Rejection } from '@mesher/core';
import { fakePorts } from '@mesher/core/testing';
import { callUnary, grpcClient, startGrpcServer } from '../testing/grpc-peers.js';
import { until, useProxyRig } from '../testing/proxy-rig.js';
import { isGrpcAgent } from './promised-tunnel.js';

const ESTABLISHED = 'HTTP/1.1 200 Connection established\r\n\r\n';
const CONNECT = 'CONNECT svc:443 HTTP/1.1\r\nHost: svc:443\r\n\r\n';
const CONNECT_OF_GO = 'CONNECT svc:443 HTTP/1.1\r\nHost: svc:443\r\nUser-Agent: grpc-go/1.76.0\r\n\r\n';
const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0';
/** The settings of a server begin so. */
const SETTINGS_TYPE = '\x04\0\0\0\0\0';

function denied(): Rejection {
  return new Rejection('MESH_ERR_DENIED', 'not today');
}

describe('a client of gRPC that asks for a tunnel at a listener for gRPC', () => {
  const rig = useProxyRig();
  afterEach(() => {
    delete process.env.grpc_proxy;
  });

  it('learns of each refusal by the status of the call, which a refused tunnel would hide from it', async () => {
    const proxy = await rig().proxy({ isForGrpc: true, handler: { begin: denied } });
    process.env.grpc_proxy = `http://127.0.0.1:${proxy.port}`;
    const result = await callUnary(grpcClient(rig(), { port: 50_051 }), Buffer.from('hi'));
    expect([result.code, result.trailing.get('x-mesher-error')]).to.deep.equal([7, ['MESH_ERR_DENIED']]);
    const [only, ...more] = await proxy.awaitOutcomes(1);
    expect([only?.method, only?.code, more]).to.deep.equal(['POST', 'MESH_ERR_DENIED', []]);
  });

  it('makes calls of which each is decided about, and the tunnel is no call', async () => {
    const port = await startGrpcServer(rig(), {
      unary: (call: { request: Buffer }, answer: (error: null, message: Buffer) => void) => answer(null, call.request),
    });
    const proxy = await rig().proxy({ isForGrpc: true, upstreamPort: port, speaks: 'http2' });
    process.env.grpc_proxy = `http://127.0.0.1:${proxy.port}`;
    const client = grpcClient(rig(), { port: 50_051 });
    for (const text of ['one', 'two']) {
      const result = await callUnary(client, Buffer.from(text));
      expect([result.code, result.message?.toString()]).to.deep.equal([0, text]);
    }
    expect((await proxy.awaitOutcomes(2)).map(({ method }) => method)).to.deep.equal(['POST', 'POST']);
    expect(proxy.proxy.stats.upstreamConnects).to.equal(1);
  });
});

describe('a tunnel that was promised', () => {
  const rig = useProxyRig();

  it('is promised elsewhere to clients that say they are of gRPC, and to nobody else', async () => {
    const proxy = await rig().proxy({ handler: { begin: denied } });
    const go = await rig().send(proxy, CONNECT_OF_GO);
    await go.readUntil(ESTABLISHED);
    go.write(PREFACE);
    await go.readUntil(SETTINGS_TYPE);
    go.destroy();
    const other = await rig().send(proxy, CONNECT);
    await other.readUntil('HTTP/1.1 403 ');
    other.destroy();
  });

  it('is not promised to callers of the local application', async () => {
    const proxy = await rig().proxy({ handler: { begin: denied, direction: 'inbound' } });
    const client = await rig().send(proxy, CONNECT_OF_GO);
    await client.readUntil('HTTP/1.1 403 ');
    client.destroy();
  });

  it('is decided about and dialled once its client speaks something else, and nothing of that is lost', async () => {
    const { upstream, proxy } = await rig().pair(undefined, { isForGrpc: true });
    const client = await rig().send(proxy, CONNECT);
    await client.readUntil(ESTABLISHED);
    expect(proxy.ends.size, 'calls that have begun').to.equal(0);
    client.write('\x16');
    client.write('\x03\x01hello');
    const peer = await upstream.awaitConnection();
    await peer.readUntil('\x16\x03\x01hello');
    peer.write('bye');
    await client.readUntil(`${ESTABLISHED}bye`);
    expect(client.text).to.equal(`${ESTABLISHED}bye`);
    peer.end();
    client.end();
    const [tunnel] = await proxy.awaitOutcomes(1);
    expect([tunnel?.method, tunnel?.status]).to.deep.equal(['CONNECT', 200]);
  });

  it('knows HTTP/2 by a preface that comes in pieces', async () => {
    const { proxy } = await rig().pair(undefined, { isForGrpc: true });
    const client = await rig().send(proxy, CONNECT);
    await client.readUntil(ESTABLISHED);
    client.write('PRI');
    client.write(PREFACE.slice(3));
    await client.readUntil(SETTINGS_TYPE);
    client.destroy();
    expect(proxy.ends.size).to.equal(0);
  });

  it('is cut when it is refused after all', async () => {
    const proxy = await rig().proxy({ isForGrpc: true, handler: { begin: denied } });
    const client = await rig().send(proxy, CONNECT);
    await client.readUntil(ESTABLISHED);
    client.write('\x16\x03\x01');
    const [refused] = await proxy.awaitOutcomes(1);
    expect([refused?.status, refused?.code]).to.deep.equal([403, 'MESH_ERR_DENIED']);
    await until(() => proxy.listener.openConnections === 0);
    expect(client.text).to.equal(ESTABLISHED);
  });

  it('is dialled for a client that waits to be spoken to', async () => {
    const ports = fakePorts();
    const { proxy } = await rig().pair((peer) => peer.write('220 ready\r\n'), {
      isForGrpc: true,
      ports,
      options: { detectTimeout: 1_000 },
    });
    const client = await rig().send(proxy, CONNECT);
    await client.readUntil(ESTABLISHED);
    ports.time.advance(1_100);
    await client.readUntil('220 ready\r\n');
    client.destroy();
  });

  it('ends with a client that leaves without a word', async () => {
    const { proxy } = await rig().pair(undefined, { isForGrpc: true });
    const client = await rig().send(proxy, CONNECT);
    await client.readUntil(ESTABLISHED);
    client.end();
    await client.awaitEnd();
    expect(proxy.ends.size).to.equal(0);
    await until(() => proxy.listener.openConnections === 0);
  });
});

describe('the User-Agent of a request for a tunnel', () => {
  it('tells clients of gRPC', () => {
    const agents = ['grpc-go/1.76.0', 'grpc-httpcli/0.0', 'grpc-java-netty/1.70.0'];
    expect(agents.filter((agent) => !isGrpcAgent(agent))).to.deep.equal([]);
    expect(['curl/8.5.0', 'my grpc-go', 'Grpc', undefined].filter(isGrpcAgent)).to.deep.equal([]);
  });
});
