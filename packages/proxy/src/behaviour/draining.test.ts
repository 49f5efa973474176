import { expect } from 'chai';
import { ForwardToOne, RawClient, answerEach, answerOf } from '../testing/proxy-harness.js';
import { settleSockets, until, useProxyRig } from '../testing/proxy-rig.js';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

describe('draining a listener', () => {
  const rig = useProxyRig();

  it('refuses new connections and closes idle ones after drainGrace', async () => {
    const { proxy } = await rig().pair((peer) => answerEach(peer, () => answerOf('x')));
    const idle = await rig().send(proxy, GET);
    await idle.readUntil('\r\n\r\nx');
    const silent = await rig().connect(proxy);
    await until(() => proxy.listener.openConnections === 2);
    const draining = proxy.listener.drain();
    await settleSockets();
    expect(proxy.listener.openConnections).to.equal(2);
    rig().pass(1_000);
    await draining;
    await Promise.all([idle.awaitEnd(), silent.awaitEnd()]);
    const refused = await RawClient.connect(proxy.port).then(
      () => undefined,
      (error: NodeJS.ErrnoException) => error.code,
    );
    expect(refused).to.equal('ECONNREFUSED');
  });

  it('answers one more request on a connection that was idle, so that none is lost on its way', async () => {
    const { proxy } = await rig().pair((peer) => answerEach(peer, () => answerOf('x')));
    const client = await rig().send(proxy, GET);
    await client.readUntil('\r\n\r\nx');
    const silent = await rig().connect(proxy);
    await until(() => proxy.listener.openConnections === 2);
    const draining = proxy.listener.drain();
    client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi');
    silent.write(GET);
    await Promise.all([client.awaitEnd(), silent.awaitEnd()]);
    await draining;
    expect(client.text).to.match(/200 OK[^]*200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx$/);
    expect(silent.text).to.match(/200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx$/);
  });

  it('finishes what is under way with Connection: close, and resolves then', async () => {
    const { upstream, proxy } = await rig().pair();
    const client = await rig().send(proxy, GET);
    const peer = await upstream.awaitConnection();
    await peer.readUntil('\r\n\r\n');
    let drained = false;
    const draining = proxy.listener.drain().then(() => (drained = true));
    await settleSockets();
    expect(drained).to.equal(false);
    peer.write(answerOf('last answer'));
    await client.awaitEnd();
    expect(client.text).to.equal('HTTP/1.1 200 OK\r\nContent-Length: 11\r\nConnection: close\r\n\r\nlast answer');
    await draining;
  });

  it('finishes an answer whose head was sent before, and closes behind it', async () => {
    const { upstream, proxy } = await rig().pair();
    const client = await rig().send(proxy, GET);
    const peer = await upstream.awaitConnection();
    await peer.readUntil('\r\n\r\n');
    peer.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello');
    await client.readUntil('hello');
    const draining = proxy.listener.drain();
    peer.write('world');
    await client.awaitEnd();
    await draining;
    expect(client.text).to.match(/helloworld$/);
  });

  it('answers a request whose head has begun', async () => {
    const { proxy } = await rig().pair((peer) => answerEach(peer, () => answerOf('x')));
    const client = await rig().send(proxy, GET.slice(0, 20));
    await until(() => proxy.proxy.stats.detectedHttp1 === 1);
    const draining = proxy.listener.drain();
    client.write(GET.slice(20));
    await client.awaitEnd();
    await draining;
    expect(client.text).to.match(/^HTTP\/1\.1 200 [^]*Connection: close\r\n/);
  });

  it('gives a client that reads slowly all of its answer', async () => {
    const size = 3_000_000;
    const { upstream, proxy } = await rig().pair();
    const client = await rig().connect(proxy);
    client.socket.pause();
    client.write(GET);
    const peer = await upstream.awaitConnection();
    await peer.readUntil('\r\n\r\n');
    peer.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
    peer.write(Buffer.alloc(size, 'x'));
    await until(() => proxy.proxy.stats.bytesToDownstream > 100_000);
    await settleSockets();
    const draining = proxy.listener.drain();
    rig().pass(1_000);
    client.socket.resume();
    await client.awaitEnd();
    await draining;
    expect(client.length).to.equal(size + client.text.indexOf('\r\n\r\n') + 4);
  });

  it('waits for tunnels and relays, which only their peers can end', async () => {
    const { upstream, proxy } = await rig().pair();
    const client = await rig().send(proxy, 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n');
    await client.readUntil('200 Connection established');
    const relayed = await rig().send(proxy, '\x00binary');
    const peer = await upstream.awaitConnection(2);
    await peer.readUntil('binary');
    let drained = false;
    const draining = proxy.listener.drain().then(() => (drained = true));
    client.write('ping');
    await upstream.connections[0].readUntil('ping');
    expect(drained).to.equal(false);
    client.end();
    relayed.end();
    for (const connection of upstream.connections) connection.end();
    await draining;
  });

  it('may be asked for twice', async () => {
    const { upstream, proxy } = await rig().pair();
    const client = await rig().send(proxy, GET);
    const peer = await upstream.awaitConnection();
    await peer.readUntil('\r\n\r\n');
    const both = Promise.all([proxy.listener.drain(), proxy.listener.drain()]);
    peer.write(answerOf('x'));
    await both;
    await client.awaitEnd();
  });

  it('leaves other listeners of the proxy as they are', async () => {
    const { proxy } = await rig().pair((peer) => answerEach(peer, () => answerOf('x')));
    const other = await proxy.proxy.listen({ host: '127.0.0.1', port: 0, handler: new ForwardToOne(proxy.endpoint) });
    const client = await rig().send(other.port, GET);
    await client.readUntil('\r\n\r\nx');
    await proxy.listener.drain();
    client.write(GET);
    await client.readUntil(/\r\n\r\nx[^]*\r\n\r\nx/);
    expect(client.text).to.not.match(/^connection:/im);
  });

  it('ends at once when the proxy is closed meanwhile', async () => {
    const { upstream, proxy } = await rig().pair();
    const client = await rig().send(proxy, GET);
    await (await upstream.awaitConnection()).readUntil('\r\n\r\n');
    const draining = proxy.listener.drain();
    proxy.close();
    await draining;
    await client.awaitEnd();
  });
});
