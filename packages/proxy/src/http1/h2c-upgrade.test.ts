import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect } from 'chai';
import { HeaderBlock } from '../http2/hpack/header-block.js';
import { HeaderField } from '../http2/hpack/header-field.js';
import { RawSession } from '../http2/testing/raw-session.js';
import { answerEach, answerOf, type ProxyHarness } from '../testing/proxy-harness.js';
import { until, useProxyRig } from '../testing/proxy-rig.js';
import { SWITCHED_TO_H2C } from './h2c-upgrade.js';

/** MAX_CONCURRENT_STREAMS 100, as a client would say it. */
const SETTINGS = 'AAMAAABk';
const FIELDS = `Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: ${SETTINGS}\r\n`;

function upgradeRequest(fields = FIELDS, requestLine = 'GET /first?a=b HTTP/1.1'): string {
  return `${requestLine}\r\nHost: shop\r\nX-A: 1\r\n${fields}\r\n`;
}

/** Sends the request, reads the 101, and goes on in HTTP/2. */
async function upgraded(proxy: ProxyHarness, text: string): Promise<RawSession> {
  const socket: Socket = connect(proxy.port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(text, 'latin1');
  let received = Buffer.alloc(0);
  while (received.length < SWITCHED_TO_H2C.length) {
    received = Buffer.concat([received, ...((await once(socket, 'data')) as Buffer[])]);
  }
  socket.pause();
  expect(received.toString('latin1', 0, SWITCHED_TO_H2C.length)).to.equal(SWITCHED_TO_H2C);
  socket.unshift(received.subarray(SWITCHED_TO_H2C.length));
  socket.removeAllListeners('data');
  const session = new RawSession(socket, false);
  session.ended.catch(() => undefined);
  socket.resume();
  return session;
}

/** All DATA so far. */
function payloadOf({ events }: RawSession): string {
  const payloads = events.filter((event) => event.startsWith('payload '));
  return payloads.map((event) => Buffer.from(event.slice('payload '.length), 'hex').toString('latin1')).join('');
}

function get(path: string): HeaderBlock {
  const pairs = [
    [':method', 'GET'],
    [':scheme', 'http'],
    [':path', path],
    [':authority', 'shop'],
  ];
  return HeaderBlock.of(pairs.map(([name, value]) => new HeaderField(name, value)));
}

describe('an upgrade to h2c', () => {
  const rig = useProxyRig();

  function pair() {
    return rig().pair((peer) => answerEach(peer, (head) => answerOf(head.split(' ')[1])));
  }

  it('makes the request stream 1 of HTTP/2, and the connection goes on', async () => {
    const { upstream, proxy } = await pair();
    const session = await upgraded(proxy, upgradeRequest());
    await until(() => session.blocks.length === 1);
    expect(session.blocks[0].first(':status')).to.equal('200');
    session.writer.headers(3, get('/second'), true);
    await until(() => session.blocks.length === 2);
    expect(upstream.connections[0].text).to.equal(
      'GET /first?a=b HTTP/1.1\r\nhost: shop\r\nx-a: 1\r\n\r\nGET /second HTTP/1.1\r\nhost: shop\r\n\r\n',
    );
    session.socket.destroy();
    const outcomes = await proxy.awaitOutcomes(2);
    expect(outcomes.map(({ path, status }) => [path, status])).to.deep.equal([
      ['/first?a=b', 200],
      ['/second', 200],
    ]);
  });

  it('works for a URL as proxies get it', async () => {
    const { upstream, proxy } = await pair();
    const session = await upgraded(proxy, upgradeRequest(FIELDS, 'GET http://shop/abs HTTP/1.1'));
    await until(() => session.blocks.length === 1);
    expect(upstream.connections[0].text).to.match(/^GET \/abs HTTP\/1\.1\r\nhost: shop\r\n/);
    session.socket.destroy();
  });

  it('puts the settings of the request into effect for stream 1', async () => {
    const { proxy } = await rig().pair((peer) => answerEach(peer, () => answerOf('0123456789')));
    // INITIAL_WINDOW_SIZE 4
    const payload = Buffer.from([0, 4, 0, 0, 0, 4]).toString('base64url');
    const session = await upgraded(proxy, upgradeRequest(FIELDS.replace(SETTINGS, payload)));
    await until(() => session.blocks.length === 1);
    await until(() => payloadOf(session) !== '');
    expect(payloadOf(session)).to.equal('0123');
    session.writer.windowUpdate(1, 100);
    await until(() => payloadOf(session) === '0123456789');
    session.socket.destroy();
  });

  it('of a second request on the connection works, too', async () => {
    const { proxy } = await pair();
    const client = await rig().send(proxy, `GET /h1 HTTP/1.1\r\nHost: a\r\n\r\n${upgradeRequest()}`);
    await client.readUntil(SWITCHED_TO_H2C);
    expect(client.text).to.match(/^HTTP\/1\.1 200 OK\r\nContent-Length: 3\r\n\r\n\/h1HTTP\/1\.1 101 /);
    client.destroy();
  });

  const REFUSED: readonly (readonly [what: string, text: string])[] = [
    ['without settings', upgradeRequest('Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n')],
    ['whose Connection does not name the settings', upgradeRequest(FIELDS.replace(', HTTP2-Settings', ''))],
    ['with two fields of settings', upgradeRequest(`${FIELDS}HTTP2-Settings: ${SETTINGS}\r\n`)],
    ['with settings that are no base64', upgradeRequest(FIELDS.replace(SETTINGS, 'AAM=AABk'))],
    ['with settings of a wrong length', upgradeRequest(FIELDS.replace(SETTINGS, 'AAMAAA'))],
    // INITIAL_WINDOW_SIZE 2^32-1
    ['with settings that are forbidden', upgradeRequest(FIELDS.replace(SETTINGS, 'AAT_____'))],
    ['with a body', `${upgradeRequest(`${FIELDS}Content-Length: 2\r\n`)}hi`],
    ['with a body in chunks', `${upgradeRequest(`${FIELDS}Transfer-Encoding: chunked\r\n`)}0\r\n\r\n`],
    ['of HTTP/1.0', upgradeRequest(FIELDS, 'GET /first?a=b HTTP/1.0')],
  ];
  for (const [what, text] of REFUSED) {
    it(`${what} is answered as a request of HTTP/1`, async () => {
      const { upstream, proxy } = await rig().pair((peer) =>
        peer.socket.once('data', () => peer.write(answerOf('ok'))),
      );
      const client = await rig().send(proxy, text);
      await client.readUntil('\r\n\r\nok');
      expect(client.text).to.match(/^HTTP\/1\.1 200 OK\r\n/);
      expect(upstream.connections[0].text).to.not.match(/upgrade|http2-settings/i);
    });
  }

  it('is not made while the listener drains', async () => {
    const { proxy } = await pair();
    const client = await rig().send(proxy, 'GET /h1 HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.readUntil('/h1');
    const drained = proxy.listener.drain();
    client.write(upgradeRequest());
    await client.readUntil('/first?a=b');
    expect(client.text).to.not.contain('101');
    await client.awaitEnd();
    client.end();
    await drained;
  });

  it('with settings that no client may send one after the other ends its connection, and nothing else', async () => {
    const { proxy } = await pair();
    // ENABLE_CONNECT_PROTOCOL 1, then 0 (RFC 8441, 3)
    const fields = FIELDS.replace(SETTINGS, Buffer.from([0, 8, 0, 0, 0, 1, 0, 8, 0, 0, 0, 0]).toString('base64url'));
    const session = await upgraded(proxy, upgradeRequest(fields));
    await session.ended;
    expect(session.events.some((event) => event.startsWith('goaway 0 1'))).to.equal(true);
    const other = await upgraded(proxy, upgradeRequest());
    await until(() => other.blocks.length === 1);
    other.socket.destroy();
  });
});
