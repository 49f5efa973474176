import { createHash, type Hash } from 'node:crypto';
import { expect } from 'chai';
import { answerEach, type RawPeer } from '../testing/proxy-harness.js';
import { until, untilStill, useProxyRig } from '../testing/proxy-rig.js';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const MB = 1024 * 1024;
/** What the buffers of the kernel on both connections and those of this process can hold at most, with a wide margin. */
const BUFFERED = 24 * MB;

/** Sends `total` bytes that differ everywhere, as fast as the peer takes them. */
async function pour(peer: RawPeer, total: number, hash: Hash): Promise<void> {
  const piece = Buffer.alloc(65_536);
  for (let sent = 0; sent < total && !peer.closed; sent += piece.length) {
    for (let i = 0; i < piece.length; i += 1024) piece.writeUInt32LE(sent + i, i);
    const copy = Buffer.from(piece.subarray(0, Math.min(piece.length, total - sent)));
    hash.update(copy);
    await new Promise<void>((resolve) => peer.socket.write(copy, () => resolve()));
  }
}

describe('streaming', () => {
  const rig = useProxyRig();

  it('forwards each server-sent event as it comes', async () => {
    const { upstream, proxy } = await rig().pair();
    const client = await rig().send(proxy, GET);
    const peer = await upstream.awaitConnection();
    await peer.readUntil('\r\n\r\n');
    peer.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n');
    await client.readUntil('\r\n\r\n');
    for (let i = 0; i < 5; i++) {
      peer.write(`9\r\ndata: ${i}\n\n\r\n`);
      await client.readUntil(`data: ${i}\n\n`);
    }
    peer.write('0\r\n\r\n');
    await client.readUntil('\r\n0\r\n\r\n');
    expect(proxy.outcomes).to.have.lengthOf(1);
  });

  it('carries an upload and its echo at once: the first bytes come back before the upload ends', async () => {
    const server = await rig().nodeServer((incoming, outgoing) => {
      outgoing.writeHead(200, { 'content-type': 'application/octet-stream' });
      incoming.pipe(outgoing);
    });
    const proxy = await rig().proxy({ upstreamPort: server.port });
    const client = await rig().send(proxy, 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
    for (let i = 0; i < 5; i++) {
      client.write(`7\r\npiece-${i}\r\n`);
      await client.readUntil(`piece-${i}`);
      expect(proxy.outcomes).to.have.lengthOf(0);
    }
    client.write('0\r\n\r\n');
    await client.readUntil('\r\n0\r\n\r\n');
    await proxy.awaitOutcomes(1);
    expect(proxy.outcomes[0]).to.include({ status: 200, code: undefined });
  });

  it('goes on with an upload whose answer was complete before it, and keeps both connections', async () => {
    const { upstream, proxy } = await rig().pair();
    const client = await rig().send(proxy, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello');
    const peer = await upstream.awaitConnection();
    await peer.readUntil('hello');
    peer.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    await client.readUntil('ok');
    expect(proxy.outcomes).to.have.lengthOf(0);
    client.write('world');
    await peer.readUntil('helloworld');
    await proxy.awaitOutcomes(1);
    client.write(GET);
    await peer.readUntil('GET /');
    peer.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext');
    await client.readUntil('next');
    expect(upstream.connections).to.have.lengthOf(1);
  });

  it('does not read an upstream faster than the client reads, and delivers everything', async () => {
    const total = 64 * MB;
    const sent = createHash('sha256');
    const { upstream, proxy } = await rig().pair();
    const client = await rig().connect(proxy);
    client.socket.pause();
    client.write(GET);
    const peer = await upstream.awaitConnection();
    await peer.readUntil('\r\n\r\n');
    peer.write(`HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n`);
    const poured = pour(peer, total, sent);
    const taken = await untilStill(() => proxy.proxy.stats.bytesToDownstream);
    expect(taken, 'bytes taken from the upstream for a client that does not read').to.be.lessThan(BUFFERED);
    client.socket.resume();
    await poured;
    const headLength = (await client.readUntil('\r\n\r\n')).indexOf('\r\n\r\n') + 4;
    await client.awaitLength(headLength + total);
    const received = createHash('sha256').update(client.received.subarray(headLength));
    expect(received.digest('hex')).to.equal(sent.digest('hex'));
    await until(() => proxy.proxy.stats.upstreamIdle === 1);
  });

  it('does not read a client faster than the upstream reads, and delivers everything', async () => {
    const total = 64 * MB;
    const sent = createHash('sha256');
    const { upstream, proxy } = await rig().pair((peer) => peer.socket.pause());
    const client = await rig().send(proxy, `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${total}\r\n\r\n`);
    const poured = pour(client, total, sent);
    const peer = await upstream.awaitConnection();
    const taken = await untilStill(() => proxy.proxy.stats.bytesToUpstream);
    expect(taken, 'bytes taken from the client for an upstream that does not read').to.be.lessThan(BUFFERED);
    peer.socket.resume();
    await poured;
    const headLength = (await peer.readUntil('\r\n\r\n')).indexOf('\r\n\r\n') + 4;
    await peer.awaitLength(headLength + total);
    const received = createHash('sha256').update(peer.received.subarray(headLength));
    expect(received.digest('hex')).to.equal(sent.digest('hex'));
    peer.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    await client.readUntil((bytes) => bytes.toString('latin1').endsWith('ok'));
  });

  it('takes apart the chunks of a large answer for a slow HTTP/1.0 client without losing a byte', async () => {
    const chunk = Buffer.alloc(10_000);
    const count = 1000;
    const { upstream, proxy } = await rig().pair();
    const client = await rig().connect(proxy);
    client.socket.pause();
    client.write('GET / HTTP/1.0\r\nHost: a\r\n\r\n');
    const peer = await upstream.awaitConnection();
    await peer.readUntil('\r\n\r\n');
    peer.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    const expected = createHash('sha256');
    for (let i = 0; i < count; i++) {
      chunk.fill(i % 251);
      chunk.writeUInt32LE(i, 0);
      expected.update(chunk);
      peer.write(Buffer.concat([Buffer.from('2710\r\n'), chunk, Buffer.from('\r\n')]));
    }
    peer.write('0\r\n\r\n');
    await untilStill(() => proxy.proxy.stats.bytesToDownstream);
    client.socket.resume();
    await client.awaitEnd();
    const body = client.received.subarray(client.received.indexOf('\r\n\r\n') + 4);
    expect(body.length).to.equal(count * chunk.length);
    expect(createHash('sha256').update(body).digest('hex')).to.equal(expected.digest('hex'));
  });

  it('gives a slow client its own answer although the upstream connection serves others meanwhile', async () => {
    // The last bytes of the first answer wait in this process while the next answer is read over the same upstream connection.
    const size = 12 * MB;
    const bodies = [Buffer.alloc(size, 'first '), Buffer.alloc(200_000, 'second')];
    const { upstream, proxy } = await rig().pair((peer) =>
      answerEach(peer, (_, index) => {
        peer.write(`HTTP/1.1 200 OK\r\nContent-Length: ${bodies[index].length}\r\n\r\n`);
        peer.write(bodies[index]);
        return undefined;
      }),
    );
    const slow = await rig().connect(proxy);
    slow.socket.pause();
    slow.write(GET);
    await until(() => proxy.proxy.stats.bytesToDownstream > 0);
    await untilStill(() => proxy.proxy.stats.bytesToDownstream);
    // Read just so much that the rest fits into the buffers on the way: the upstream is free then, the client is not done.
    slow.socket.resume();
    await slow.awaitLength(size / 2);
    slow.socket.pause();
    await untilStill(() => proxy.proxy.stats.bytesToDownstream);
    const other = await rig().send(proxy, GET);
    await other.awaitLength(bodies[1].length);
    slow.socket.resume();
    const headLength = slow.received.indexOf('\r\n\r\n') + 4;
    await slow.awaitLength(headLength + size);
    expect(slow.received.subarray(headLength).equals(bodies[0])).to.equal(true);
    expect(upstream.connections.length).to.be.within(1, 2);
  });

  it('streams a body through in memory that does not grow with it', async () => {
    const total = Number(process.env['MESHER_TEST_STREAM_MB'] ?? 256) * MB;
    const { upstream, proxy } = await rig().pair();
    const client = await rig().connect(proxy);
    let received = 0;
    // Not a RawPeer's business: it would keep everything.
    client.socket.removeAllListeners('data');
    client.socket.on('data', (piece: Buffer) => (received += piece.length));
    client.write(GET);
    const peer = await upstream.awaitConnection();
    await peer.readUntil('\r\n\r\n');
    peer.write(`HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n`);
    const piece = Buffer.alloc(65_536, 'x');
    let peak = 0;
    let base = 0;
    for (let sent = 0; sent < total; sent += piece.length) {
      await new Promise<void>((resolve) => peer.socket.write(piece, () => resolve()));
      if (sent === 8 * MB) base = process.memoryUsage().arrayBuffers;
      if (sent > 8 * MB) peak = Math.max(peak, process.memoryUsage().arrayBuffers);
    }
    await until(() => received > total);
    // The client of this test leaves its pieces to the garbage collector, which comes every 32 MB.
    expect(peak - base).to.be.lessThan(96 * MB);
  });
});
