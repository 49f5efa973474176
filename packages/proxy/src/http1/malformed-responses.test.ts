import { expect } from 'chai';
import { MALFORMED_RESPONSES } from '../testing/malformed/responses.js';
import {
  RawClient,
  startProxy,
  startRawUpstream,
  type ProxyHarness,
  type RawPeer,
  type RawUpstream,
} from '../testing/proxy-harness.js';

const GOOD = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood';
/** Small answers go byte by byte; the few large ones in about this many pieces. */
const MOST_PIECES = 400;

function get(path: string, method = 'GET'): string {
  return `${method} ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
}

function statusesOf(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1])).filter((status) => status >= 200);
}

describe('malformed answers', () => {
  let upstream: RawUpstream;
  let proxy: ProxyHarness;
  /** What the upstream does about the first request of each connection to `/bad`; others get a good answer. */
  let misbehave: (peer: RawPeer) => void = () => undefined;

  beforeEach(async () => {
    upstream = await startRawUpstream((peer) => {
      let seen = 0;
      peer.socket.on('data', () => {
        const request = peer.text.slice(seen);
        if (!request.endsWith('\r\n\r\n')) return;
        seen = peer.text.length;
        if (request.includes(' /bad ')) misbehave(peer);
        else peer.write(GOOD);
      });
    });
    proxy = await startProxy({ upstreamPort: upstream.port });
  });

  afterEach(async () => {
    proxy.close();
    await upstream.close();
  });

  /** The connection that misbehaved is closed, and the next request gets its own answer over another one. */
  async function expectNotReused(client: RawClient): Promise<void> {
    await upstream.connections[0].awaitEnd();
    expect(proxy.proxy.stats.upstreamIdle, 'idle connections').to.equal(0);
    const next = client.closed || client.ended ? await RawClient.connect(proxy.port) : client;
    const from = next.text.length;
    next.write(get('/next'));
    await next.readUntil((received) => received.toString('latin1', from).endsWith('\r\n\r\ngood'));
    expect(next.text.slice(from)).to.equal(GOOD);
    expect(upstream.connections.length).to.equal(2);
    next.destroy();
  }

  it('are many, each with a name of its own', () => {
    expect(MALFORMED_RESPONSES.length).to.be.greaterThan(60);
    expect(new Set(MALFORMED_RESPONSES.map(({ name }) => name)).size).to.equal(MALFORMED_RESPONSES.length);
  });

  describe('in one piece become a 502, and their connection is not used again', () => {
    for (const { name, bytes } of MALFORMED_RESPONSES) {
      it(name, async () => {
        misbehave = (peer) => peer.write(bytes);
        const client = await RawClient.connect(proxy.port);
        client.write(get('/bad'));
        await client.readUntil(/HTTP\/1\.1 502 [^]*\r\n\r\n\{.*\}\n$/);
        expect(statusesOf(client.text)).to.deep.equal([502]);
        expect(client.text).to.contain('x-mesher-error: MESH_ERR_BAD_UPSTREAM');
        expect(proxy.proxy.stats.malformedResponses).to.equal(1);
        await expectNotReused(client);
      });
    }
  });

  describe('byte by byte are refused just the same, or broken off behind their head', () => {
    for (const { name, bytes, inBody } of MALFORMED_RESPONSES) {
      it(name, async () => {
        misbehave = (peer) => void peer.writePieces(bytes, Math.ceil(bytes.length / MOST_PIECES));
        const client = await RawClient.connect(proxy.port);
        client.write(get('/bad'));
        if (inBody === true) {
          await client.awaitClose();
          expect(client.error?.code, 'error').to.equal('ECONNRESET');
          expect(statusesOf(client.text)).to.deep.equal([200]);
          expect(client.text).not.to.match(/\r\n0+\r\n(?:[^\r\n]*\r\n)*\r\n$/);
        } else {
          await client.readUntil(/HTTP\/1\.1 502 [^]*\r\n\r\n\{.*\}\n$/);
          expect(statusesOf(client.text)).to.deep.equal([502]);
        }
        expect(proxy.proxy.stats.malformedResponses).to.equal(1);
        await expectNotReused(client);
      });
    }
  });

  describe('that end too early', () => {
    for (const [name, bytes, status] of [
      ['before their first byte', '', 502],
      ['within their status line', 'HTTP/1.1 2', 502],
      ['within their fields', 'HTTP/1.1 200 OK\r\nContent-Le', 502],
      ['before the last line end of their head', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r', 502],
      ['behind an interim answer', 'HTTP/1.1 103 Early Hints\r\n\r\n', 502],
      ['before a body of known length', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n', 200],
      ['within a body of known length', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcd', 200],
      ['before the first chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', 200],
      ['before the last chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n', 200],
      ['within the last chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n', 200],
      ['within their trailers', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n', 200],
    ] as const) {
      it(`${name} are ${status === 502 ? 'a 502' : 'broken off'}`, async () => {
        misbehave = (peer) => peer.end(bytes);
        const client = await RawClient.connect(proxy.port);
        client.write(get('/bad'));
        if (status === 502) await client.readUntil(/HTTP\/1\.1 502 [^]*\}\n$/);
        else {
          await client.awaitClose();
          expect(client.error?.code, 'error').to.equal('ECONNRESET');
        }
        expect(statusesOf(client.text)).to.deep.equal([status]);
        await expectNotReused(client);
      });
    }

    it('by a reset are not taken for complete when their end is the end of the connection', async () => {
      misbehave = (peer) => peer.write('HTTP/1.1 200 OK\r\n\r\nabc');
      const client = await RawClient.connect(proxy.port);
      client.write(get('/bad'));
      await client.readUntil('\r\n\r\nabc');
      upstream.connections[0].reset();
      await client.awaitClose();
      expect(client.error?.code).to.equal('ECONNRESET');
    });
  });

  describe('that go on behind their end', () => {
    for (const [name, method, bytes, passed] of [
      [
        'bytes behind a body',
        'GET',
        'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokEXTRA',
        'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
      ],
      [
        'a second answer',
        'GET',
        `HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok${GOOD}`,
        'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
      ],
      [
        'bytes behind the last chunk',
        'GET',
        `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${GOOD}`,
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      ],
      ['a body of an answer to HEAD', 'HEAD', GOOD, GOOD.slice(0, -4)],
      [
        'a body behind status 204',
        'GET',
        'HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\n\r\n',
        'HTTP/1.1 204 No Content\r\n\r\n',
      ],
      [
        'a body behind status 304',
        'GET',
        `HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\ngood`,
        'HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\n',
      ],
    ] as const) {
      it(`reach the client without the rest, over a connection that is not used again: ${name}`, async () => {
        misbehave = (peer) => peer.write(bytes);
        const client = await RawClient.connect(proxy.port);
        client.write(get('/bad', method));
        await client.readUntil((received) => received.length >= passed.length);
        expect(client.text).to.equal(passed);
        await expectNotReused(client);
      });
    }

    it('reach the client without what comes while the connection is idle, which closes it', async () => {
      misbehave = (peer) => peer.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      const client = await RawClient.connect(proxy.port);
      client.write(get('/bad'));
      await client.readUntil('\r\n\r\nok');
      upstream.connections[0].write(GOOD.replace('good', 'evil'));
      await expectNotReused(client);
      expect(client.text).not.to.contain('evil');
    });
  });

  it('to a method that only begins like HEAD keep their body, and leave nothing behind for the next request', async () => {
    misbehave = (peer) =>
      peer.write('HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi');
    const client = await RawClient.connect(proxy.port);
    client.write(get('/bad', 'HELP'));
    await client.readUntil('\r\n\r\nhi');
    client.write(get('/next'));
    await client.readUntil('\r\n\r\ngood');
    expect(client.text.endsWith(`hi${GOOD}`)).to.equal(true);
    expect(upstream.connections.length).to.equal(1);
    client.destroy();
  });
});
