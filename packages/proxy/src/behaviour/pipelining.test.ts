import { Rejection } from '@mesher/core';
import { expect } from 'chai';
import { answerEach, answerOf } from '../testing/proxy-harness.js';
import { settleSockets, untilStill, useProxyRig } from '../testing/proxy-rig.js';

function get(path: string, fields = ''): string {
  return `GET ${path} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;
}

describe('pipelining', () => {
  const rig = useProxyRig();

  it('answers requests that came in one packet one after another and in their order', async () => {
    const { upstream, proxy } = await rig().pair();
    const client = await rig().send(proxy, get('/1') + get('/2') + get('/3'));
    const peer = await upstream.awaitConnection();
    for (const path of ['/1', '/2', '/3']) {
      await peer.readUntil(`GET ${path} `);
      await settleSockets();
      expect(peer.text.endsWith(get(path)), `the next request waits for the answer to ${path}`).to.equal(true);
      peer.write(answerOf(`[${path}]`));
    }
    await client.readUntil('[/3]');
    expect(client.text.match(/\[\/\d\]/g)).to.deep.equal(['[/1]', '[/2]', '[/3]']);
    expect(upstream.connections).to.have.lengthOf(1);
  });

  it('tells requests with bodies apart wherever the bytes are cut', async () => {
    const requests =
      'POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello' +
      'POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n' +
      get('/3') +
      'POST /4 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n';
    const server = await rig().nodeServer((incoming, outgoing) => {
      let body = '';
      incoming.on('data', (piece: Buffer) => (body += piece.toString()));
      incoming.on('end', () => outgoing.end(`[${incoming.url}=${body}]`));
    });
    const proxy = await rig().proxy({ upstreamPort: server.port });
    for (const size of [1, 7, 64, requests.length]) {
      const client = await rig().connect(proxy);
      await client.writePieces(requests, size);
      await client.readUntil('[/4=]');
      expect(client.text.match(/\[\/\d=\w*\]/g)).to.deep.equal(['[/1=hello]', '[/2=abc]', '[/3=]', '[/4=]']);
    }
  });

  it('reads a client that sends far ahead no further until it gets its answers, and loses nothing', async () => {
    const { upstream, proxy } = await rig().pair();
    const client = await rig().connect(proxy);
    const count = 400;
    for (let i = 0; i < count; i++) client.write(get(`/${i}`, `X-Filler: ${'x'.repeat(60_000)}\r\n`));
    const waiting = await untilStill(() => client.socket.writableLength);
    expect(waiting, 'bytes that the client cannot send').to.be.greaterThan(1_000_000);
    const peer = await upstream.awaitConnection();
    let answered = 0;
    let tail = peer.text.slice(-3);
    const answer = (): void => void peer.write(answerOf(`[/${answered++}]`));
    peer.socket.on('data', (chunk: Buffer) => {
      const text = tail + chunk.toString('latin1');
      tail = text.slice(-3);
      for (let at = text.indexOf('\r\n\r\n'); at >= 0; at = text.indexOf('\r\n\r\n', at + 4)) answer();
    });
    // The first request is there already.
    answer();
    await client.readUntil(`[/${count - 1}]`);
    expect(client.text.match(/\[\/\d+\]/g)).to.deep.equal(Array.from({ length: count }, (_, i) => `[/${i}]`));
  });

  it('does not forward what came behind a request that closes the connection', async () => {
    const { upstream, proxy } = await rig().pair((peer) => answerEach(peer, () => answerOf('only')));
    const client = await rig().send(proxy, get('/1', 'Connection: close\r\n') + get('/2'));
    await client.awaitEnd();
    expect(client.text).to.match(/only$/);
    expect(upstream.connections[0].text).to.not.contain('/2');
  });

  it('answers the requests before a malformed one, then 400, and forwards nothing of it', async () => {
    const { upstream, proxy } = await rig().pair((peer) => answerEach(peer, () => answerOf('fine')));
    const client = await rig().send(proxy, `${get('/1')}GET /2 HTTP/1.1\r\nHost : a\r\n\r\n${get('/3')}`);
    await client.awaitEnd();
    expect(client.text).to.match(/^HTTP\/1\.1 200 [^]*fineHTTP\/1\.1 400 [^]*"code":"MESH_ERR_BAD_REQUEST"/);
    expect(upstream.receivedBytes).to.equal(get('/1').length);
    expect(proxy.outcomes).to.have.lengthOf(1);
  });

  it('refuses the requests of one packet one by one when none can be forwarded', async () => {
    const proxy = await rig().proxy({ handler: { begin: () => new Rejection('MESH_ERR_NO_INSTANCE') } });
    const client = await rig().send(proxy, get('/1') + get('/2') + get('/3', 'Connection: close\r\n'));
    await client.awaitEnd();
    expect(client.text.match(/HTTP\/1\.1 503 /g)).to.have.lengthOf(3);
    expect(proxy.outcomes.map(({ path }) => path)).to.deep.equal(['/1', '/2', '/3']);
  });

  it('answers all requests of a client that has ended its side after the last', async () => {
    const { upstream, proxy } = await rig().pair();
    const client = await rig().send(proxy, get('/1') + get('/2') + get('/3'));
    client.end();
    const peer = await upstream.awaitConnection();
    for (const path of ['/1', '/2', '/3']) {
      await peer.readUntil(`GET ${path} `);
      peer.write(answerOf(`[${path}]`));
    }
    await client.awaitEnd();
    expect(client.text.match(/\[\/\d\]/g)).to.deep.equal(['[/1]', '[/2]', '[/3]']);
    expect(proxy.outcomes.map(({ status }) => status)).to.deep.equal([200, 200, 200]);
  });
});
