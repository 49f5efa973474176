import { expect } from 'chai';
import { noted, ObservedRig } from '../../testing/observed-rig.js';
import { settleSockets } from '../../testing/proxy-rig.js';

const GET = 'GET /a HTTP/1.1\r\nHost: h\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const UPGRADE = 'GET /ws HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n';
const SWITCHED = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n';
const FRAME = '\x81\x05hello';

/** Requests that a strict reader refuses; what is wrong with them is for the server to say. */
const STRANGE_REQUESTS: readonly (readonly [string, string])[] = [
  ['both lengths', 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['no Host', 'GET / HTTP/1.1\r\n\r\n'],
  ['bare LF', 'GET / HTTP/1.1\nHost: h\n\n'],
  ['a folded line', 'GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n'],
  ['an unknown coding', 'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
  ['another version', 'GET / HTTP/1.2\r\nHost: h\r\n\r\n'],
  ['a large head', `GET / HTTP/1.1\r\nHost: h\r\nX: ${'x'.repeat(3000)}\r\n\r\n`],
  ['something else', 'x\0y'],
];

/** Answers that a strict reader refuses. */
const STRANGE_ANSWERS: readonly (readonly [string, string, status: number])[] = [
  ['a body with 204', 'HTTP/1.1 204 No\r\nContent-Length: 2\r\n\r\nok', 204],
  ['both lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 200],
  ['an unknown coding', 'HTTP/1.1 203 OK\r\nTransfer-Encoding: gzip\r\n\r\nzz', 203],
  ['bare LF', 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok', 200],
  ['broken chunks', 'HTTP/1.1 201 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n', 201],
  ['no head at all', 'hello, I am no HTTP server', 0],
  ['a large head', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(3000)}\r\n\r\n`, 200],
];

const SMALL_HEADS = { maxHeadBytes: 2048 };

describe('what an observer does not understand', () => {
  const rig = ObservedRig.use();

  for (const [what, strange] of STRANGE_REQUESTS) {
    it(`passes as it is: a request with ${what}, and all that follows`, async () => {
      const { client, peer, awaitRequests } = await rig.scene({ options: SMALL_HEADS });
      const sent = `${GET}${strange}${GET}`;
      await client.writePieces(sent, 41);
      await peer.awaitLength(noted(GET).length + strange.length + GET.length);
      expect(peer.text).to.equal(`${noted(GET)}${strange}${GET}`);
      const answers = `${OK}HTTP/1.1 400 Bad\r\nConnection: close\r\n\r\nno`;
      peer.end(answers);
      expect((await client.awaitEnd()).toString('latin1')).to.equal(answers);
      expect(await awaitRequests(1)).to.have.length(1);
    });
  }

  for (const [what, strange, status] of STRANGE_ANSWERS) {
    it(`passes as it is: an answer with ${what}, and all that follows`, async () => {
      const { client, peer, awaitRequests } = await rig.scene({ options: SMALL_HEADS });
      client.write(GET);
      await peer.readUntil('\r\n\r\n');
      await peer.writePieces(strange, 40);
      await client.awaitLength(strange.length);
      client.write(GET);
      await peer.readUntil(noted(GET) + GET);
      peer.write('what ever');
      expect(await client.readUntil('what ever')).to.equal(`${strange}what ever`);
      expect((await awaitRequests(1))[0]).to.include({ status, aborted: false });
    });
  }

  it('passes as it is: what a server says that was not asked', async () => {
    const { client, peer, requests } = await rig.scene();
    client.write('GET /slow HTTP/1.1\r\n');
    const timeout = 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n';
    client.write(GET.slice(0, 3));
    await settleSockets();
    peer.write(timeout);
    await client.readUntil(timeout);
    await peer.readUntil('GET /slow HTTP/1.1\r\nGET');
    client.write('the rest');
    await peer.readUntil('GETthe rest');
    expect(requests()).to.have.length(0);
  });

  it('passes as it is: bytes that nobody can place behind an answer', async () => {
    const { client, peer, awaitRequests } = await rig.scene();
    client.write(GET);
    await peer.readUntil('\r\n\r\n');
    // A body with the answer to HEAD, say, or a length that is too short.
    peer.write(`${OK}more`);
    await client.readUntil(`${OK}more`);
    client.write(GET);
    await peer.readUntil(noted(GET) + GET);
    expect(await awaitRequests(1)).to.have.length(1);
  });

  it('a head that is never completed goes on after a while, and when its client ends', async () => {
    const { client, peer, requests } = await rig.scene();
    client.write('GET /slow HTTP/1.1\r\nHost: h\r\n');
    await settleSockets();
    rig.proxies.pass(10_000);
    expect(await peer.readUntil('h\r\n')).to.equal('GET /slow HTTP/1.1\r\nHost: h\r\n');
    expect(requests()).to.have.length(0);
    const second = await rig.scene();
    second.client.end('GET /cut HTTP/1.1\r\nHo');
    expect((await second.peer.awaitEnd()).toString()).to.equal('GET /cut HTTP/1.1\r\nHo');
  });

  for (const chunked of [true, false]) {
    it(`a switch to another protocol passes${chunked ? ' byte by byte' : ''}, without a byte twice`, async () => {
      const { client, peer, proxy, awaitRequests } = await rig.scene();
      client.write(UPGRADE);
      expect(await peer.readUntil('\r\n\r\n')).to.equal(noted(UPGRADE));
      if (chunked) await peer.writePieces(SWITCHED + FRAME);
      else peer.write(SWITCHED + FRAME);
      expect(await client.readUntil(FRAME)).to.equal(SWITCHED + FRAME);
      client.write(`${FRAME}${GET}`);
      expect(await peer.readUntil(GET)).to.equal(`${noted(UPGRADE)}${FRAME}${GET}`);
      peer.write(OK);
      await client.readUntil(OK);
      client.end();
      await peer.awaitEnd();
      peer.end();
      expect((await awaitRequests(1))[0]).to.include({ status: 101, code: undefined, aborted: false });
      const call = [...proxy.ends.keys()][1];
      expect(call).to.include({ requestBytes: (FRAME + GET).length, responseBytes: (FRAME + OK).length });
    });
  }

  it('a lone letter, which may begin a request, does not wait for long', async () => {
    const { client, peer, requests } = await rig.scene({ options: { detectTimeout: 10_000, observeTimeout: 100 } });
    client.write('G');
    await settleSockets();
    rig.proxies.time.advance(200);
    expect(await peer.readUntil('G')).to.equal('G');
    client.write('O\n');
    expect(await peer.readUntil('\n')).to.equal('GO\n');
    peer.write('go');
    await client.readUntil('go');
    expect(requests()).to.deep.equal([]);
  });

  it('a switch that is not granted leaves the connection to further requests', async () => {
    const { client, peer, awaitRequests } = await rig.scene();
    client.write(UPGRADE);
    await peer.readUntil('\r\n\r\n');
    peer.write(OK);
    await client.readUntil(OK);
    client.write(GET);
    await peer.readUntil(noted(UPGRADE) + noted(GET));
    peer.write(OK);
    expect((await awaitRequests(2)).map(({ path }) => path)).to.deep.equal(['/ws', '/a']);
  });

  it('a client that speaks the other protocol before it is granted is not held up', async () => {
    const { client, peer, awaitRequests } = await rig.scene();
    client.write(`${UPGRADE}${FRAME}`);
    await peer.readUntil(noted(UPGRADE) + FRAME);
    peer.write(OK);
    await client.readUntil(OK);
    expect((await awaitRequests(1))[0]).to.include({ status: 200 });
  });

  it('a tunnel of CONNECT passes, also when only one side goes on', async () => {
    const { client, peer, awaitRequests, requests } = await rig.scene();
    const connect = 'CONNECT far:443 HTTP/1.1\r\nHost: far:443\r\n\r\n';
    client.write(connect);
    expect(await peer.readUntil('\r\n\r\n')).to.include(connect.slice(0, -2));
    peer.write('HTTP/1.1 200 Granted\r\n\r\n\x16\x03');
    await client.readUntil('\x16\x03');
    peer.end();
    await client.awaitEnd();
    client.write(GET);
    await peer.readUntil(GET);
    expect(requests()).to.have.length(0);
    client.end();
    expect((await awaitRequests(1))[0]).to.include({ status: 200, method: 'CONNECT', aborted: false });
  });
});
