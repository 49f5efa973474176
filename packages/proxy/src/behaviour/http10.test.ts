import { expect } from 'chai';
import { answerEach, answerOf } from '../testing/proxy-harness.js';
import { until, useProxyRig } from '../testing/proxy-rig.js';

describe('HTTP/1.0', () => {
  const rig = useProxyRig();

  it('closes the connection of a 1.0 client after the answer, and speaks 1.1 upstream', async () => {
    const { upstream, proxy } = await rig().pair((peer) => answerEach(peer, () => answerOf('old')));
    const client = await rig().send(proxy, 'GET /x HTTP/1.0\r\nHost: a\r\n\r\n');
    await client.awaitEnd();
    expect(client.text).to.equal('HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nold');
    expect(upstream.connections[0].text).to.equal('GET /x HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(proxy.proxy.stats.upstreamIdle).to.equal(1);
  });

  it('keeps the connection of a 1.0 client that asks for it, and says so', async () => {
    const { proxy } = await rig().pair((peer) => answerEach(peer, (_, index) => answerOf(`answer ${index}`)));
    const client = await rig().connect(proxy);
    for (let i = 0; i < 3; i++) {
      client.write('GET / HTTP/1.0\r\nHost: a\r\nConnection: Keep-Alive\r\n\r\n');
      await client.readUntil(`Content-Length: 8\r\nConnection: keep-alive\r\n\r\nanswer ${i}`);
    }
    expect(proxy.proxy.stats.connectionsAccepted).to.equal(1);
  });

  it('takes the chunks of an answer apart for a 1.0 client and ends the connection', async () => {
    const answer =
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-After: 1\r\n\r\n5;ext=1\r\nhello\r\n6\r\n world\r\n0\r\nX-Trailer: 1\r\n\r\n';
    for (const fields of ['', 'Connection: keep-alive\r\n']) {
      for (const size of [1, 9, answer.length]) {
        const { upstream, proxy } = await rig().pair();
        const client = await rig().send(proxy, `GET / HTTP/1.0\r\nHost: a\r\n${fields}\r\n`);
        const peer = await upstream.awaitConnection();
        await peer.readUntil('\r\n\r\n');
        for (let i = 0; i < answer.length; i += size) {
          peer.write(answer.slice(i, i + size));
          await new Promise((resolve) => setImmediate(resolve));
        }
        await client.awaitEnd();
        expect(client.text).to.equal('HTTP/1.1 200 OK\r\nX-After: 1\r\nConnection: close\r\n\r\nhello world');
        await until(() => proxy.proxy.stats.upstreamIdle === 1);
      }
    }
  });

  it('breaks off when the chunks that it takes apart are malformed or incomplete', async () => {
    for (const rest of ['zz\r\n', undefined]) {
      const { upstream, proxy } = await rig().pair();
      const client = await rig().send(proxy, 'GET / HTTP/1.0\r\nHost: a\r\n\r\n');
      const peer = await upstream.awaitConnection();
      await peer.readUntil('\r\n\r\n');
      peer.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
      await client.readUntil('abc');
      if (rest === undefined) peer.end();
      else peer.write(rest);
      await client.awaitClose();
      expect(client.error?.code).to.equal('ECONNRESET');
    }
  });

  it('reads an answer of a 1.0 server to its end and does not use the connection again', async () => {
    const { upstream, proxy } = await rig().pair((peer, index) =>
      answerEach(peer, () => {
        peer.end(`HTTP/1.0 200 OK\r\nX-Old: ${index}\r\n\r\nbody ${index}`);
        return undefined;
      }),
    );
    for (let i = 0; i < 2; i++) {
      const client = await rig().send(proxy, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await client.awaitEnd();
      expect(client.text).to.equal(`HTTP/1.1 200 OK\r\nX-Old: ${i}\r\nConnection: close\r\n\r\nbody ${i}`);
    }
    expect(upstream.connections).to.have.lengthOf(2);
  });

  it('does not use the connection of a 1.0 server again that sent a length but did not ask to keep it', async () => {
    const { upstream, proxy } = await rig().pair((peer) =>
      answerEach(peer, () => answerOf('x', 'HTTP/1.0 200 OK\r\n')),
    );
    const client = await rig().send(proxy, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.readUntil('\r\n\r\nx');
    await upstream.connections[0].awaitEnd();
    expect(client.ended).to.equal(false);
    expect(proxy.proxy.stats.upstreamOpen).to.equal(0);
  });

  it('uses the connection of a 1.0 server again that asks to keep it', async () => {
    const { upstream, proxy } = await rig().pair((peer) =>
      answerEach(peer, (_, index) => answerOf(`answer ${index}`, 'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n')),
    );
    const client = await rig().connect(proxy);
    for (let i = 0; i < 2; i++) {
      client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await client.readUntil(`answer ${i}`);
    }
    expect(upstream.connections).to.have.lengthOf(1);
  });

  it('does not switch protocols for a 1.0 client', async () => {
    const { upstream, proxy } = await rig().pair((peer) => answerEach(peer, () => answerOf('plain')));
    const client = await rig().send(
      proxy,
      'GET / HTTP/1.0\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    );
    await client.awaitEnd();
    expect(client.text).to.match(/plain$/);
    expect(upstream.connections[0].text).to.equal('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  });
});
