import { Agent } from 'node:http';
import { Endpoint } from '@mesher/core';
import { expect } from 'chai';
import { answerEach, answerOf } from '../testing/proxy-harness.js';
import { settleSockets, until, useProxyRig } from '../testing/proxy-rig.js';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

describe('keep-alive', () => {
  const rig = useProxyRig();

  it('serves many requests of one client over one upstream connection', async () => {
    const { upstream, proxy } = await rig().pair((peer) => answerEach(peer, (_, index) => answerOf(`answer ${index}`)));
    const client = await rig().connect(proxy);
    for (let i = 0; i < 5; i++) {
      client.write(GET);
      await client.readUntil(`answer ${i}`);
    }
    expect(upstream.connections).to.have.lengthOf(1);
    expect(proxy.proxy.stats).to.include({ connectionsAccepted: 1, upstreamConnects: 1, upstreamIdle: 1 });
  });

  it('serves requests of different clients over one upstream connection', async () => {
    const { upstream, proxy } = await rig().pair((peer) => answerEach(peer, (_, index) => answerOf(`answer ${index}`)));
    for (let i = 0; i < 3; i++) await (await rig().send(proxy, GET)).readUntil(`answer ${i}`);
    expect(upstream.connections).to.have.lengthOf(1);
    expect(proxy.proxy.stats.connectionsOpen).to.equal(3);
  });

  it('opens another upstream connection while one is busy, and keeps both', async () => {
    const { upstream, proxy } = await rig().pair();
    const slow = await rig().send(proxy, GET);
    const first = await upstream.awaitConnection(1);
    await first.readUntil('\r\n\r\n');
    const quick = await rig().send(proxy, GET);
    const second = await upstream.awaitConnection(2);
    await second.readUntil('\r\n\r\n');
    second.write(answerOf('quick'));
    first.write(answerOf('slow'));
    await Promise.all([slow.readUntil('slow'), quick.readUntil('quick')]);
    expect(proxy.proxy.stats.upstreamIdle).to.equal(2);
  });

  it('uses the connection again that was used last, so that the surplus grows idle', async () => {
    const { upstream, proxy } = await rig().pair();
    const clients = [await rig().send(proxy, GET), await rig().send(proxy, GET)];
    const [first, second] = [await upstream.awaitConnection(1), await upstream.awaitConnection(2)];
    await Promise.all([first.readUntil('\r\n\r\n'), second.readUntil('\r\n\r\n')]);
    second.write(answerOf('x'));
    await until(() => proxy.proxy.stats.upstreamIdle === 1);
    first.write(answerOf('x'));
    await Promise.all(clients.map((client) => client.readUntil('\r\n\r\nx')));
    clients[0].write('GET /again HTTP/1.1\r\nHost: a\r\n\r\n');
    await first.readUntil('GET /again');
    first.write(answerOf('y'));
    await clients[0].readUntil('\r\n\r\ny');
    expect(second.text).to.not.contain('/again');
  });

  it('goes on with a client whose upstream closes after each answer', async () => {
    const { upstream, proxy } = await rig().pair((peer, index) =>
      answerEach(peer, () => answerOf(`answer ${index}`, 'HTTP/1.1 200 OK\r\nConnection: close\r\n')),
    );
    const client = await rig().connect(proxy);
    for (let i = 0; i < 3; i++) {
      client.write(GET);
      await client.readUntil(`answer ${i}`);
      // It does not close by itself: the proxy does as the field says.
      await upstream.connections[i].awaitEnd();
    }
    expect(client.text).to.not.match(/^connection:/im);
    expect(upstream.connections).to.have.lengthOf(3);
  });

  it('closes the connection of a client that asks for it, and keeps that of the upstream', async () => {
    const { proxy } = await rig().pair((peer) => answerEach(peer, () => answerOf('bye')));
    const client = await rig().send(proxy, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await client.awaitEnd();
    expect(client.text).to.equal('HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbye');
    expect(proxy.proxy.stats.upstreamIdle).to.equal(1);
  });

  it('closes an idle upstream connection after upstreamIdleTimeout', async () => {
    const { upstream, proxy } = await rig().pair((peer) => answerEach(peer, () => answerOf('x')), {
      options: { upstreamIdleTimeout: 4000 },
    });
    await (await rig().send(proxy, GET)).readUntil('\r\n\r\nx');
    rig().time.advance(3900);
    expect(proxy.proxy.stats.upstreamIdle).to.equal(1);
    rig().time.advance(300);
    await upstream.connections[0].awaitEnd();
    expect(proxy.proxy.stats.upstreamOpen).to.equal(0);
  });

  it('closes an idle upstream connection one second before the time that the upstream announces', async () => {
    const { upstream, proxy } = await rig().pair((peer) =>
      answerEach(peer, () => answerOf('x', 'HTTP/1.1 200 OK\r\nKeep-Alive: timeout=10, max=100\r\n')),
    );
    await (await rig().send(proxy, GET)).readUntil('\r\n\r\nx');
    rig().time.advance(8900);
    expect(proxy.proxy.stats.upstreamIdle).to.equal(1);
    rig().time.advance(300);
    await upstream.connections[0].awaitEnd();
  });

  it('closes the oldest idle connections beyond maxIdlePerEndpoint', async () => {
    const { upstream, proxy } = await rig().pair(undefined, { options: { maxIdlePerEndpoint: 1 } });
    const clients = [await rig().send(proxy, GET), await rig().send(proxy, GET)];
    await upstream.awaitConnection(2);
    for (const peer of upstream.connections) {
      await peer.readUntil('\r\n\r\n');
      peer.write(answerOf('x'));
    }
    await Promise.all(clients.map((client) => client.readUntil('\r\n\r\nx')));
    await until(() => upstream.connections.some((peer) => peer.ended));
    expect(proxy.proxy.stats.upstreamIdle).to.equal(1);
  });

  it('does not use a connection again on which more came than the answer', async () => {
    const { upstream, proxy } = await rig().pair((peer, index) =>
      answerEach(peer, () =>
        index === 0 ? `${answerOf('one')}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison` : answerOf('two'),
      ),
    );
    const client = await rig().send(proxy, GET);
    await client.readUntil('one');
    client.write(GET);
    await client.readUntil('two');
    expect(client.text).to.not.contain('poison');
    expect(upstream.connections).to.have.lengthOf(2);
  });

  it('closes an idle upstream connection on which something comes unasked', async () => {
    const { upstream, proxy } = await rig().pair((peer) => answerEach(peer, () => answerOf('x')));
    await (await rig().send(proxy, GET)).readUntil('\r\n\r\nx');
    upstream.connections[0].write('HTTP/1.1 408 Request Timeout\r\n\r\n');
    await upstream.connections[0].awaitEnd();
    expect(proxy.proxy.stats.upstreamOpen).to.equal(0);
  });

  it('closes the idle connections of an endpoint that has left the registry, and busy ones after their answer', async () => {
    const { upstream, proxy } = await rig().pair();
    const clients = [await rig().send(proxy, GET), await rig().send(proxy, GET)];
    const [first, second] = [await upstream.awaitConnection(1), await upstream.awaitConnection(2)];
    await Promise.all([first.readUntil('\r\n\r\n'), second.readUntil('\r\n\r\n')]);
    first.write(answerOf('x'));
    await until(() => proxy.proxy.stats.upstreamIdle === 1);
    proxy.endpoint.retired = true;
    proxy.proxy.retire(proxy.endpoint);
    await first.awaitEnd();
    expect(second.ended).to.equal(false);
    second.write(answerOf('x'));
    await second.awaitEnd();
    await Promise.all(clients.map((client) => client.readUntil('\r\n\r\nx')));
  });

  it('carries a keep-alive agent of node:http to a node:http server over one connection each', async () => {
    let connections = 0;
    const server = await rig().nodeServer((incoming, outgoing) => outgoing.end(incoming.url));
    server.on('connection', () => connections++);
    const proxy = await rig().proxy({ upstreamPort: server.port });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (const path of ['/a', '/b', '/c']) {
      const answer = await rig().nodeRequest(proxy, { path, agent });
      expect(answer.body.toString()).to.equal(path);
    }
    agent.destroy();
    expect(connections).to.equal(1);
    expect(proxy.proxy.stats.connectionsAccepted).to.equal(1);
  });

  it('sends the requests of a client to the endpoint that is chosen for each', async () => {
    const one = await rig().upstream((peer) => answerEach(peer, () => answerOf('one')));
    const two = await rig().upstream((peer) => answerEach(peer, () => answerOf('two')));
    const endpoints = [one, two].map(({ port }) => new Endpoint('127.0.0.1', port, undefined));
    const proxy = await rig().proxy({ handler: { begin: (call) => endpoints[call.path === '/one' ? 0 : 1] } });
    const client = await rig().send(proxy, 'GET /one HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.readUntil('one');
    client.write('GET /two HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.readUntil('two');
    await settleSockets();
    expect([one.connections.length, two.connections.length]).to.deep.equal([1, 1]);
  });
});
