import { once } from 'node:events';
import type { ClientHttp2Stream } from 'node:http2';
import { expect } from 'chai';
import { connectHttp2, readAnswer, startHttp2Server } from '../testing/http2-peers.js';
import type { ProxyHarness, RawPeer } from '../testing/proxy-harness.js';
import { useProxyRig } from '../testing/proxy-rig.js';
import { webSocketAccept } from './websocket-handshake.js';

/** Key and answer of the example in RFC 6455, 1.3. */
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';
const UPGRADE =
  `GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: ${KEY}\r\n` +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: chat\r\n\r\n';
/** A masked text message "Hello" and its echo (RFC 6455, 5.7). */
const HELLO = Buffer.from('818537fa213d7f9f4d5158', 'hex');
const ECHO = Buffer.from('810548656c6c6f', 'hex');

describe('a WebSocket', () => {
  const rig = useProxyRig();

  /** Asks for one over HTTP/2, as RFC 8441 has it. */
  async function openOverHttp2(proxy: ProxyHarness): Promise<ClientHttp2Stream> {
    const session = connectHttp2(rig(), proxy);
    await once(session, 'remoteSettings');
    const stream = session.request(
      {
        ':method': 'CONNECT',
        ':protocol': 'websocket',
        ':path': '/chat',
        ':scheme': 'http',
        ':authority': 'a',
        'sec-websocket-version': '13',
        'sec-websocket-protocol': 'chat',
      },
      { endStream: false },
    );
    stream.on('error', () => undefined);
    return stream;
  }

  /** Answers the upgrade request that came to an instance of HTTP/1. */
  async function accept(peer: RawPeer, early: Uint8Array | string = ''): Promise<string> {
    const request = await peer.readUntil('\r\n\r\n');
    const key = /sec-websocket-key: (.*)\r\n/.exec(request)?.[1] ?? '';
    peer.write(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        `Sec-WebSocket-Accept: ${webSocketAccept(key)}\r\nSec-WebSocket-Protocol: chat\r\n\r\n`,
    );
    if (early.length > 0) peer.write(early);
    return request;
  }

  it('knows the answer to the key of the RFC', () => {
    expect(webSocketAccept(KEY)).to.equal(ACCEPT);
  });

  it('over HTTP/2 becomes an upgrade request to an instance that speaks HTTP/1', async () => {
    const { upstream, proxy } = await rig().pair();
    const stream = await openOverHttp2(proxy);
    stream.write(HELLO);
    const peer = await upstream.awaitConnection();
    const request = await accept(peer, ECHO);
    expect(request).to.match(/^GET \/chat HTTP\/1\.1\r\nhost: a\r\n/);
    expect(request).to.contain('\r\nconnection: upgrade\r\nupgrade: websocket\r\n');
    expect(request).to.contain('\r\nsec-websocket-version: 13\r\n');
    const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
    expect(headers[':status']).to.equal(200);
    expect(headers['sec-websocket-protocol']).to.equal('chat');
    expect(headers).to.not.have.any.keys('sec-websocket-accept', 'upgrade', 'connection');
    expect((await once(stream, 'data'))[0]).to.deep.equal(ECHO);
    await peer.readUntil((bytes) => bytes.subarray(request.length).equals(HELLO));
    const answer = readAnswer(stream);
    stream.end();
    await peer.awaitEnd();
    peer.end('bye');
    const { body, resetCode } = await answer;
    expect([body.toString(), resetCode]).to.deep.equal(['bye', 0]);
    expect((await proxy.awaitOutcomes(1))[0]).to.include({ status: 200, code: undefined, aborted: false });
  });

  it('has a new key for each request', async () => {
    const { upstream, proxy } = await rig().pair();
    const keys = new Set<string>();
    for (const count of [1, 2]) {
      const stream = await openOverHttp2(proxy);
      const peer = await upstream.awaitConnection(count);
      keys.add(/sec-websocket-key: (.*)\r\n/.exec(await peer.readUntil('\r\n\r\n'))?.[1] ?? '');
      stream.close(8);
    }
    expect(keys.size).to.equal(2);
    for (const key of keys) expect(Buffer.from(key, 'base64')).to.have.length(16);
  });

  it('is refused when the instance answers with the accept of another key', async () => {
    const { upstream, proxy } = await rig().pair();
    const stream = await openOverHttp2(proxy);
    const answer = readAnswer(stream);
    const peer = await upstream.awaitConnection();
    await peer.readUntil('\r\n\r\n');
    peer.write(
      `HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${ACCEPT}\r\n\r\n`,
    );
    expect((await answer).status).to.equal(502);
  });

  it('that the instance does not want gets its answer', async () => {
    const { upstream, proxy } = await rig().pair();
    const answer = readAnswer(await openOverHttp2(proxy));
    const peer = await upstream.awaitConnection();
    await peer.readUntil('\r\n\r\n');
    peer.write('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno');
    const { status, body } = await answer;
    expect([status, body.toString()]).to.deep.equal([403, 'no']);
  });

  it('is not open when the instance answers 200 instead of 101', async () => {
    const { upstream, proxy } = await rig().pair();
    const answer = readAnswer(await openOverHttp2(proxy));
    const peer = await upstream.awaitConnection();
    await peer.readUntil('\r\n\r\n');
    peer.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    expect((await answer).status).to.equal(502);
  });

  it('over HTTP/1 becomes an extended CONNECT to an instance that speaks HTTP/2', async () => {
    const instance = await startHttp2Server(rig(), undefined, { settings: { enableConnectProtocol: true } });
    const proxy = await rig().proxy({ upstreamPort: instance.port, speaks: 'http2' });
    const client = await rig().send(proxy, UPGRADE);
    const stream = await instance.awaitStream(1);
    expect({ ...instance.requests[0] }).to.deep.include({
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':scheme': 'http',
      ':path': '/chat',
      ':authority': 'a',
      'sec-websocket-version': '13',
    });
    expect(instance.requests[0]).to.not.have.any.keys('sec-websocket-key', 'upgrade', 'connection');
    stream.respond({ ':status': 200, 'sec-websocket-protocol': 'chat' });
    const head = await client.readUntil('\r\n\r\n');
    expect(head).to.match(/^HTTP\/1\.1 101 Switching Protocols\r\n/);
    expect(head).to.contain(`\r\nsec-websocket-accept: ${ACCEPT}\r\n`);
    expect(head).to.contain('\r\nsec-websocket-protocol: chat\r\n');
    client.write(HELLO);
    expect((await once(stream, 'data'))[0]).to.deep.equal(HELLO);
    stream.write(ECHO);
    await client.readUntil((bytes) => bytes.subarray(-ECHO.length).equals(ECHO));
    client.end();
    await once(stream, 'end');
    stream.end('bye');
    await client.awaitEnd();
    expect(client.text.endsWith('bye')).to.equal(true);
    expect((await proxy.awaitOutcomes(1))[0]).to.include({ status: 101, code: undefined, aborted: false });
  });

  it('gets 501 with the reason when the instance does not take extended CONNECT', async () => {
    const instance = await startHttp2Server(rig());
    const proxy = await rig().proxy({ upstreamPort: instance.port, speaks: 'http2' });
    const client = await rig().send(proxy, UPGRADE);
    await client.readUntil('"code":"MESH_ERR_NOT_IMPLEMENTED"');
    expect(client.text).to.match(/^HTTP\/1\.1 501 /);
    expect(instance.streams).to.have.length(0);
  });

  it('gets the answer of an instance that refuses it', async () => {
    const instance = await startHttp2Server(
      rig(),
      (stream) => stream.respond({ ':status': 403 }, { endStream: true }),
      {
        settings: { enableConnectProtocol: true },
      },
    );
    const proxy = await rig().proxy({ upstreamPort: instance.port, speaks: 'http2' });
    const client = await rig().send(proxy, UPGRADE);
    await client.readUntil('\r\n\r\n');
    expect(client.text).to.match(/^HTTP\/1\.1 403 Forbidden\r\n/);
  });

  it('passes from HTTP/2 to HTTP/2 as it is', async () => {
    const instance = await startHttp2Server(
      rig(),
      (stream) => (stream.respond({ ':status': 200 }), stream.pipe(stream)),
      {
        settings: { enableConnectProtocol: true },
      },
    );
    const proxy = await rig().proxy({ upstreamPort: instance.port, speaks: 'http2' });
    const stream = await openOverHttp2(proxy);
    stream.write(HELLO);
    expect((await once(stream, 'data'))[0]).to.deep.equal(HELLO);
    expect(instance.requests[0][':protocol']).to.equal('websocket');
    const answer = readAnswer(stream);
    stream.end();
    expect((await answer).resetCode).to.equal(0);
  });

  it('crosses two proxies that speak HTTP/2 between them', async () => {
    const { upstream, proxy: inbound } = await rig().pair();
    const outbound = await rig().proxy({ upstreamPort: inbound.port, speaks: 'http2' });
    const client = await rig().send(outbound, UPGRADE);
    const peer = await upstream.awaitConnection();
    await accept(peer);
    await client.readUntil('\r\n\r\n');
    client.write(HELLO);
    await peer.readUntil((bytes) => bytes.subarray(-HELLO.length).equals(HELLO));
    peer.end(ECHO);
    await client.readUntil((bytes) => bytes.subarray(-ECHO.length).equals(ECHO));
    await client.awaitEnd();
    client.end();
    await peer.awaitEnd();
  });
});
