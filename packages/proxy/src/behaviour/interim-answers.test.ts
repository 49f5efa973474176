import { request } from 'node:http';
import { expect } from 'chai';
import { answerEach, answerOf } from '../testing/proxy-harness.js';
import { settleSockets, untilStill, useProxyRig } from '../testing/proxy-rig.js';
import { queuedBytes } from '../testing/unread-tail.js';

describe('interim answers', () => {
  const rig = useProxyRig();

  it('passes Expect: 100-continue on, and the body only after the upstream has agreed', async () => {
    const head = 'PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n';
    const { upstream, proxy } = await rig().pair();
    const client = await rig().send(proxy, head);
    const peer = await upstream.awaitConnection();
    await peer.readUntil('\r\n\r\n');
    expect(peer.text).to.equal(head);
    peer.write('HTTP/1.1 100 Continue\r\n\r\n');
    await client.readUntil('100 Continue\r\n\r\n');
    client.write('body');
    await peer.readUntil('\r\n\r\nbody');
    peer.write(answerOf('stored'));
    await client.readUntil('stored');
    expect(client.text).to.equal(`HTTP/1.1 100 Continue\r\n\r\n${answerOf('stored')}`);
  });

  it('passes a refusal of the body on while the client waits with it', async () => {
    const { upstream, proxy } = await rig().pair((peer) =>
      answerEach(peer, () => 'HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n'),
    );
    const client = await rig().send(
      proxy,
      'PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n',
    );
    await client.readUntil('\r\n\r\n');
    // Whether the body comes is open, so the connection cannot be used again.
    expect(client.text).to.equal('HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
    upstream.connections[0].end();
    await client.awaitEnd();
  });

  it('works with the Expect of a node:http client and a node:http server', async () => {
    const server = await rig().nodeServer((incoming, outgoing) => incoming.pipe(outgoing));
    const proxy = await rig().proxy({ upstreamPort: server.port });
    const body = await new Promise<string>((resolve, reject) => {
      const outgoing = request(
        {
          host: '127.0.0.1',
          port: proxy.port,
          method: 'POST',
          agent: false,
          headers: { expect: '100-continue', 'content-length': 5 },
        },
        (answer) => {
          let text = '';
          answer.on('data', (piece: Buffer) => (text += piece.toString()));
          answer.on('end', () => resolve(text));
        },
      );
      outgoing.on('error', reject);
      outgoing.on('continue', () => outgoing.end('hello'));
      outgoing.flushHeaders();
    });
    expect(body).to.equal('hello');
  });

  it('passes several interim answers on in their order, together or one by one, with their fields', async () => {
    const hints = 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nLink: </b.js>; rel=preload\r\n\r\n';
    const { upstream, proxy } = await rig().pair();
    const client = await rig().send(proxy, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const peer = await upstream.awaitConnection();
    await peer.readUntil('\r\n\r\n');
    peer.write(hints);
    await client.readUntil('b.js>; rel=preload\r\n\r\n');
    peer.write(`HTTP/1.1 102 Processing\r\n\r\n${hints}${answerOf('page')}`);
    await client.readUntil('page');
    expect(client.text).to.equal(`${hints}HTTP/1.1 102 Processing\r\n\r\n${hints}${answerOf('page')}`);
    expect(proxy.outcomes[0].status).to.equal(200);
  });

  it('holds back an upstream that sends them faster than the client reads', async () => {
    const hint = `HTTP/1.1 103 Early Hints\r\nX-Filler: ${'x'.repeat(60_000)}\r\n\r\n`;
    const count = 250;
    const { upstream, proxy } = await rig().pair();
    const client = await rig().connect(proxy);
    client.socket.pause();
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const peer = await upstream.awaitConnection();
    await peer.readUntil('\r\n\r\n');
    for (let i = 0; i < count; i++) peer.write(hint);
    peer.write(answerOf('page'));
    expect(await untilStill(() => peer.socket.writableLength)).to.be.greaterThan(1_000_000);
    expect(queuedBytes(proxy.port)).to.be.lessThan(200_000);
    client.socket.resume();
    await client.awaitLength(hint.length * count + answerOf('page').length);
    expect(client.text.endsWith(answerOf('page'))).to.equal(true);
  });

  it('does not send interim answers to HTTP/1.0', async () => {
    const { proxy } = await rig().pair((peer) =>
      answerEach(
        peer,
        () => `HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n${answerOf('page')}`,
      ),
    );
    const client = await rig().send(proxy, 'GET / HTTP/1.0\r\nHost: a\r\n\r\n');
    await client.awaitEnd();
    expect(client.text).to.equal('HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\npage');
  });

  it('drops the fields of the upstream hop from an interim answer', async () => {
    const { proxy } = await rig().pair((peer) =>
      answerEach(
        peer,
        () => `HTTP/1.1 103 Early Hints\r\nConnection: x-hop\r\nX-Hop: 1\r\nX-End: 2\r\n\r\n${answerOf('page')}`,
      ),
    );
    const client = await rig().send(proxy, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.readUntil('page');
    expect(client.text).to.equal(`HTTP/1.1 103 Early Hints\r\nX-End: 2\r\n\r\n${answerOf('page')}`);
  });

  it('gives an upstream that announces itself again and again the whole response timeout each time', async () => {
    const { upstream, proxy } = await rig().pair(undefined, { options: { responseTimeout: 30_000 } });
    const client = await rig().send(proxy, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const peer = await upstream.awaitConnection();
    await peer.readUntil('\r\n\r\n');
    for (let i = 1; i <= 3; i++) {
      rig().time.advance(25_000);
      peer.write('HTTP/1.1 102 Processing\r\n\r\n');
      await client.readUntil(new RegExp(`(102 Processing[^]*){${i}}`));
    }
    peer.write(answerOf('at last'));
    await client.readUntil('at last');
    await settleSockets();
    expect(proxy.proxy.stats.timeouts).to.equal(0);
  });
});
