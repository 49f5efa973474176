import { expect } from 'chai';
import { answerEach, answerOf } from '../testing/proxy-harness.js';
import { until, useProxyRig } from '../testing/proxy-rig.js';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const CHUNKED =
  '5;name=value;q="a;b"\r\nhello\r\n' +
  '00A\r\n0123456789\r\n' +
  '0;last\r\nX-Checksum: abc\r\nx-checksum: def\r\nEmpty:\r\n\r\n';

describe('message bodies', () => {
  const rig = useProxyRig();

  it('passes a chunked request on byte for byte, extensions and trailers included, wherever it is cut', async () => {
    const head = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Checksum\r\n\r\n';
    for (const size of [1, 3, 40, head.length, head.length + CHUNKED.length]) {
      const { upstream, proxy } = await rig().pair();
      const client = await rig().connect(proxy);
      await client.writePieces(head + CHUNKED, size);
      const peer = await upstream.awaitConnection();
      await peer.readUntil('Empty:\r\n\r\n');
      peer.write(answerOf('done'));
      await client.readUntil('done');
      expect(peer.text).to.equal(head + CHUNKED);
    }
  });

  it('passes a chunked answer on byte for byte, extensions and trailers included, wherever it is cut', async () => {
    const answer = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKED}`;
    for (const size of [1, 3, 40, answer.length]) {
      const { upstream, proxy } = await rig().pair();
      const client = await rig().send(proxy, GET);
      const peer = await upstream.awaitConnection();
      await peer.readUntil('\r\n\r\n');
      for (let i = 0; i < answer.length; i += size) {
        peer.write(answer.slice(i, i + size));
        await new Promise((resolve) => setImmediate(resolve));
      }
      await client.readUntil('Empty:\r\n\r\n');
      expect(client.text).to.equal(answer);
      await until(() => proxy.proxy.stats.upstreamIdle === 1);
    }
  });

  it('passes trailers between a real client and a real server', async () => {
    const server = await rig().nodeServer((incoming, outgoing) => {
      incoming.resume();
      incoming.on('end', () => {
        outgoing.writeHead(200, { Trailer: 'X-Sum' });
        outgoing.write('body');
        outgoing.addTrailers({ 'X-Sum': '42' });
        outgoing.end();
      });
    });
    const proxy = await rig().proxy({ upstreamPort: server.port });
    const answer = await rig().nodeRequest(
      proxy,
      { method: 'POST', headers: { 'transfer-encoding': 'chunked' } },
      'upload',
    );
    expect(answer.body.toString()).to.equal('body');
    expect(answer.trailers).to.deep.equal(['X-Sum', '42']);
  });

  it('breaks off a request whose chunks are malformed after some were forwarded', async () => {
    const { upstream, proxy } = await rig().pair();
    const client = await rig().send(
      proxy,
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n',
    );
    const peer = await upstream.awaitConnection();
    await peer.readUntil('abc');
    client.write('zz\r\n');
    await peer.awaitEnd();
    await client.awaitEnd();
    expect(client.text).to.match(/^HTTP\/1\.1 400 /);
    expect(peer.text).to.not.contain('zz');
    expect(proxy.outcomes[0]).to.include({ status: 400, code: 'MESH_ERR_BAD_REQUEST', aborted: false });
  });

  it('answers 502 to an upstream whose answer is malformed, and closes that connection', async () => {
    for (const answer of [
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
      'HTTP/2 200\r\n\r\n',
      'SSH-2.0-OpenSSH_9\r\n',
      `HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(200)}\r\n`,
    ]) {
      const { upstream, proxy } = await rig().pair((peer) => answerEach(peer, () => answer));
      const client = await rig().send(proxy, GET);
      await client.readUntil('"code":"MESH_ERR_BAD_UPSTREAM"');
      expect(client.text).to.match(/^HTTP\/1\.1 502 /);
      await upstream.connections[0].awaitEnd();
      expect(proxy.proxy.stats.malformedResponses).to.equal(1);
    }
  });

  it('breaks off an answer whose chunks are malformed after some were forwarded', async () => {
    const { upstream, proxy } = await rig().pair();
    const client = await rig().send(proxy, GET);
    const peer = await upstream.awaitConnection();
    await peer.readUntil('\r\n\r\n');
    peer.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
    await client.readUntil('abc');
    peer.write('0\r\nbroken trailer\r\n\r\n');
    await client.awaitClose();
    expect(client.error?.code).to.equal('ECONNRESET');
    expect(proxy.outcomes[0]).to.include({ status: 200, code: 'MESH_ERR_BAD_UPSTREAM' });
  });

  for (const [what, request, answer] of [
    [
      'HEAD with Content-Length',
      'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n',
      'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n',
    ],
    ['HEAD with chunks', 'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['HEAD without a length', 'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n', 'HTTP/1.1 200 OK\r\n\r\n'],
    ['204', GET, 'HTTP/1.1 204 No Content\r\n\r\n'],
    ['204 with Content-Length', GET, 'HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n'],
    ['304 with Content-Length', GET, 'HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\nETag: "x"\r\n\r\n'],
    ['304 with chunks', GET, 'HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['Content-Length 0', GET, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
  ]) {
    it(`knows that an answer has no body: ${what}`, async () => {
      const { upstream, proxy } = await rig().pair((peer) =>
        answerEach(peer, (_, index) => (index === 0 ? answer : answerOf('next'))),
      );
      const client = await rig().send(proxy, request);
      await client.readUntil('\r\n\r\n');
      expect(client.text).to.equal(answer);
      client.write(GET);
      await client.readUntil('next');
      expect(client.text).to.equal(answer + answerOf('next'));
      expect(upstream.connections).to.have.lengthOf(1);
    });
  }

  it('ends the connection of the client where the body ends with that of the upstream', async () => {
    const { upstream, proxy } = await rig().pair();
    const client = await rig().send(proxy, GET);
    const peer = await upstream.awaitConnection();
    await peer.readUntil('\r\n\r\n');
    peer.write('HTTP/1.1 200 OK\r\n\r\nfirst ');
    await client.readUntil('first ');
    expect(client.ended).to.equal(false);
    peer.end('second');
    await client.awaitEnd();
    expect(client.text).to.equal('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nfirst second');
    expect(proxy.outcomes[0]).to.include({ status: 200, code: undefined, aborted: false });
  });

  it('gives a client all of a body that ends with the connection although it reads late', async () => {
    const body = 'x'.repeat(8_000_000);
    const { proxy } = await rig().pair((peer) =>
      answerEach(peer, () => {
        peer.end(`HTTP/1.1 200 OK\r\n\r\n${body}`);
        return undefined;
      }),
    );
    const client = await rig().connect(proxy);
    client.socket.pause();
    client.write(GET);
    await until(() => proxy.proxy.stats.bytesToDownstream > 100_000);
    client.socket.resume();
    await client.awaitEnd();
    expect(client.received.length).to.equal('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n'.length + body.length);
    expect(client.error).to.equal(undefined);
  });

  it('passes a body of 16 MB in both directions unchanged', async () => {
    const body = Buffer.alloc(16 * 1024 * 1024);
    for (let i = 0; i < body.length; i += 4) body.writeUInt32LE((i * 2_654_435_761) >>> 0, i);
    const server = await rig().nodeServer((incoming, outgoing) => {
      outgoing.writeHead(200, { 'content-length': String(body.length) });
      incoming.pipe(outgoing);
    });
    const proxy = await rig().proxy({ upstreamPort: server.port });
    const client = await rig().send(proxy, `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`);
    client.write(body);
    const headLength = (await client.readUntil('\r\n\r\n')).indexOf('\r\n\r\n') + 4;
    await client.awaitLength(headLength + body.length);
    expect(client.received.subarray(headLength).equals(body)).to.equal(true);
  });
});
