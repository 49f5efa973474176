import { Endpoint, Rejection, type CallHandler, type Invocation } from '@mesher/core';
import { RecordingLogger } from '@mesher/core/testing';
import { expect } from 'chai';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { noted, NOTE, ObservedRig, requestsOf } from '../../testing/observed-rig.js';
import { settleSockets, until } from '../../testing/proxy-rig.js';

const DROP = 100;

setFlagsFromString('--expose_gc');
const collectGarbage = runInNewContext('gc') as () => void;

function memoryOfBuffers(): number {
  collectGarbage();
  return process.memoryUsage().arrayBuffers;
}

function get(path: string, more = ''): string {
  return `GET ${path} HTTP/1.1\r\nHost: h\r\n${more}\r\n`;
}

function answer(body: string, status = 200): string {
  return `HTTP/1.1 ${status} S\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

describe('observed requests', () => {
  const rig = ObservedRig.use();

  it('are calls of their own, each from its head to the end of its answer; the connection is none any more', async () => {
    const { client, peer, proxy, awaitRequests } = await rig.scene();
    client.write(get('/1'));
    await peer.readUntil('\r\n\r\n');
    rig.proxies.time.advance(40);
    peer.write(answer('abc').slice(0, -1));
    await client.readUntil('ab');
    rig.proxies.time.advance(2);
    peer.write('c');
    const [outcome] = await awaitRequests(1);
    expect(outcome).to.include({
      status: 200,
      durationMs: 42,
      path: '/1',
      authority: 'h',
      attempts: 1,
      aborted: false,
    });
    const [connection, call] = [...proxy.ends.keys()];
    expect([connection.protocol, call.protocol]).to.deep.equal(['tcp', 'http']);
    expect(call).to.include({ responseBytes: 3 });
    expect(call.endpoint).to.equal(proxy.endpoint);
    expect(proxy.outcomes[0]).to.include({ superseded: true, method: '' });
    expect(proxy.proxy.stats).to.include({ detectedHttp1: 1, detectedTcp: 0 });
  });

  it('that come together get each their own fields, and their own answers', async () => {
    const { client, peer, awaitRequests } = await rig.scene();
    const paths = ['/1', '/2', '/3'];
    client.write(paths.map((path) => get(path)).join(''));
    expect(await peer.readUntil(`${NOTE}: /3\r\n\r\n`)).to.equal(paths.map((path) => noted(get(path))).join(''));
    peer.write(answer('a', 201) + answer('b', 404));
    expect((await awaitRequests(2)).map(({ path, status }) => [path, status])).to.deep.equal([
      ['/1', 201],
      ['/2', 404],
    ]);
    peer.end(answer('c', 503));
    expect((await awaitRequests(3))[2]).to.include({ path: '/3', status: 503, code: undefined });
  });

  it('whose answer is complete before they are, end with it, and the next one is found behind their rest', async () => {
    const { client, peer, awaitRequests } = await rig.scene();
    client.write('POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nab');
    await peer.readUntil('ab');
    peer.write(answer('', 413));
    expect((await awaitRequests(1))[0]).to.include({ status: 413 });
    client.write(`cd${get('/2')}`);
    await peer.readUntil(`cd${noted(get('/2'))}`);
    peer.write(answer(''));
    expect((await awaitRequests(2))[1]).to.include({ status: 200, path: '/2' });
  });

  it('without an answer end as failures when the upstream closes, and the client sees no more than that', async () => {
    const { client, peer, awaitRequests } = await rig.scene();
    client.write(get('/1') + get('/2'));
    await peer.readUntil('/2\r\n\r\n');
    peer.end(answer('only'));
    expect((await client.awaitEnd()).toString()).to.equal(answer('only'));
    const [, second] = await awaitRequests(2);
    expect(second).to.include({ path: '/2', status: 0, code: 'MESH_ERR_UPSTREAM_RESET', aborted: false });
  });

  it('whose answer breaks off end as failures with its status, and the client sees the reset', async () => {
    const { client, peer, awaitRequests } = await rig.scene();
    client.write(get('/1'));
    await peer.readUntil('\r\n\r\n');
    peer.write(answer('abc').slice(0, -1));
    await client.readUntil('ab');
    peer.reset();
    await client.awaitClose();
    expect(client.error?.code).to.equal('ECONNRESET');
    expect((await awaitRequests(1))[0]).to.include({ status: 200, code: 'MESH_ERR_UPSTREAM_RESET', aborted: false });
  });

  it('whose client leaves are nobody’s failure', async () => {
    const { client, peer, awaitRequests } = await rig.scene();
    client.write(get('/1') + get('/2'));
    await peer.readUntil('/2\r\n\r\n');
    client.reset();
    for (const outcome of await awaitRequests(2))
      expect(outcome).to.include({ status: 0, code: undefined, aborted: true });
    await peer.awaitClose();
  });

  it('to a destination that refuses are failures, and the client sees a reset and no answer', async () => {
    for (const isEarly of [true, false]) {
      const proxy = await rig.listen(1);
      const client = await rig.proxies.connect(proxy);
      if (!isEarly) await until(() => proxy.proxy.stats.upstreamConnectFailures === 1);
      client.write(get('/1'));
      await client.awaitClose();
      expect(client.error?.code).to.equal('ECONNRESET');
      expect(client.length).to.equal(0);
      const [outcome] = await requestsOf(proxy).awaitRequests(1);
      expect(outcome).to.include({ path: '/1', status: 0, code: 'MESH_ERR_CONNECT', aborted: false });
    }
  });

  it('wait for the connection together, and their fields with them', async () => {
    let connect: (() => void) | undefined;
    const waiting: Partial<CallHandler> = {
      begin: (call: Invocation) =>
        call.method === ''
          ? new Promise<Endpoint>((resolve) => (connect = () => resolve(new Endpoint('127.0.0.1', upstream.port))))
          : new Rejection('MESH_ERR_DENIED', 'what an observer returns means nothing'),
    };
    const upstream = await rig.proxies.upstream();
    const proxy = await rig.listen(upstream.port, { handler: waiting });
    const client = await rig.proxies.connect(proxy);
    client.end(get('/1') + get('/2') + 'GET /3');
    await proxy.awaitBegun(3);
    connect?.();
    const peer = await upstream.awaitConnection();
    expect((await peer.awaitEnd()).toString()).to.equal(`${noted(get('/1'))}${noted(get('/2'))}GET /3`);
    peer.end(answer('1') + answer('2'));
    expect((await client.awaitEnd()).toString()).to.equal(answer('1') + answer('2'));
  });

  it('pass as they came when the observer fails', async () => {
    const logger = new RecordingLogger();
    const fail = (call: Invocation): never => {
      throw new Error(call.path);
    };
    const observed = { direction: 'outbound', begin: fail, end: fail } as const;
    const { client, peer } = await rig.scene({ route: { observed }, logger });
    client.write(get('/1'));
    expect(await peer.readUntil('\r\n\r\n')).to.equal(get('/1'));
    peer.write(answer('fine'));
    await client.readUntil('fine');
    expect(logger.lines.filter(({ level }) => level === 'error')).to.have.length(2);
  });

  it('are looked for no longer when too many of them wait for an answer', async () => {
    const { client, peer, awaitRequests } = await rig.scene({ options: { maxPipelinedBytes: DROP } });
    const heads = ['/1', '/2', '/3', '/4', '/5'].map((path) => get(path, 'X-Some: long value\r\n'));
    client.write(heads.join(''));
    const seen = heads.map((head, index) => (index < 3 ? noted(head) : head)).join('');
    expect(await peer.readUntil('/5 HTTP/1.1\r\nHost: h\r\nX-Some: long value\r\n\r\n')).to.equal(seen);
    peer.write(heads.map(() => answer('x')).join(''));
    await client.readUntil(heads.map(() => answer('x')).join(''));
    expect(await awaitRequests(3)).to.have.length(3);
  });

  it('keep no more than their heads in memory until they are answered, whatever came with them', async () => {
    const { client, peer, proxy } = await rig.scene();
    const count = 50;
    const body = Buffer.alloc(60_000, 'b');
    const head = `POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${body.length}\r\n\r\n`;
    // What the peer of this test has got is kept in memory, too.
    peer.socket.removeAllListeners('data').resume();
    await settleSockets();
    const before = memoryOfBuffers();
    for (let i = 1; i <= count; i++) {
      client.write(Buffer.concat([Buffer.from(head), body]));
      await until(() => proxy.proxy.stats.bytesToUpstream >= i * (head.length + body.length));
    }
    // V8 gives the memory of buffers back beside the program, a moment after it has collected them.
    await until(() => memoryOfBuffers() - before < (count * body.length) / 4);
    client.reset();
    await requestsOf(proxy).awaitRequests(count);
  });

  it('stop keeping their connection open when the listener drains, once they are answered', async () => {
    const { client, peer, proxy } = await rig.scene();
    client.write(get('/1'));
    await peer.readUntil('\r\n\r\n');
    const drained = proxy.listener.drain();
    rig.proxies.pass(60_000);
    peer.write(answer('last'));
    await client.readUntil('last');
    expect(client.ended).to.equal(false);
    rig.proxies.pass(1_000);
    await client.awaitEnd();
    await peer.awaitEnd();
    await settleSockets();
    // The listener waits as long for connections that nobody has begun yet.
    rig.proxies.pass(1_000);
    await drained;
  });
});
