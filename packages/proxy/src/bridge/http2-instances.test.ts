import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { Endpoint, Rejection } from '@mesher/core';
import { expect } from 'chai';
import { HeaderBlock } from '../http2/hpack/header-block.js';
import { HeaderField } from '../http2/hpack/header-field.js';
import { startHttp2Server, startRawHttp2Server } from '../testing/http2-peers.js';
import { answerEach, answerOf } from '../testing/proxy-harness.js';
import { untilStill, until, useProxyRig } from '../testing/proxy-rig.js';

const MB = 1024 * 1024;

/** Reads all of a request, and gives its body. */
function bodyOf(stream: ServerHttp2Stream): Promise<string> {
  return new Promise((resolve) => {
    let body = '';
    stream.setEncoding('latin1');
    stream.on('data', (piece: string) => (body += piece));
    stream.on('end', () => resolve(body));
  });
}

function blockOf(...pairs: readonly (readonly [string, string])[]): HeaderBlock {
  return HeaderBlock.of(pairs.map(([name, value]) => new HeaderField(name, value)));
}

describe('an HTTP/1 call to an instance that speaks HTTP/2', () => {
  const rig = useProxyRig();

  async function pairOf(onStream?: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void) {
    const instance = await startHttp2Server(rig(), onStream);
    const proxy = await rig().proxy({ upstreamPort: instance.port, speaks: 'http2' });
    return { instance, proxy };
  }

  /** An instance that says what it likes, frame by frame. */
  async function rawPair(...answer: readonly (readonly [string, string])[]) {
    const instance = await startRawHttp2Server(rig(), (session, id) =>
      session.writer.headers(id, blockOf(...answer), false),
    );
    const proxy = await rig().proxy({ upstreamPort: instance.port, speaks: 'http2' });
    return { instance, proxy };
  }

  it('arrives with its names in lower case, Host as :authority, and nothing of its connection', async () => {
    const { instance, proxy } = await pairOf((stream) => {
      stream.respond({ 'x-answer': '1', 'content-length': '2' }, { sendDate: false } as never);
      stream.end('ok');
    });
    const client = await rig().send(
      proxy,
      'GET /a?b=c HTTP/1.1\r\nHost: Shop:8080\r\nX-A: 1\r\nCookie: a=1; b=2\r\nTE: trailers\r\n' +
        'Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 9\r\nX-B: 2\r\n\r\n',
    );
    await client.readUntil('\r\n\r\nok');
    expect(client.text).to.match(/^HTTP\/1\.1 200 OK\r\nx-answer: 1\r\n/);
    expect(client.text).to.contain('\r\ncontent-length: 2\r\n');
    expect(Object.entries(instance.requests[0])).to.deep.equal([
      [':method', 'GET'],
      [':scheme', 'http'],
      [':path', '/a?b=c'],
      [':authority', 'Shop:8080'],
      ['x-a', '1'],
      ['cookie', 'a=1; b=2'],
      ['x-b', '2'],
    ]);
  });

  it('shares one connection to the instance with others', async () => {
    const { instance, proxy } = await pairOf();
    const clients = await Promise.all([1, 2, 3].map(() => rig().send(proxy, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')));
    await instance.awaitStream(3);
    for (const stream of instance.streams) {
      stream.respond();
      stream.end('ok');
    }
    for (const client of clients) await client.readUntil('ok');
    expect(instance.sessions).to.have.length(1);
  });

  it('brings its body out of the chunks, and its trailers as trailers', async () => {
    const { instance, proxy } = await pairOf();
    const client = await rig().connect(proxy);
    void client.writePieces(
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nX-Sum: 42\r\n\r\n',
    );
    const stream = await instance.awaitStream(1);
    const trailers = once(stream, 'trailers');
    expect(await bodyOf(stream)).to.equal('hello world');
    expect((await trailers)[0]).to.include({ 'x-sum': '42' });
    expect(instance.requests[0]).to.not.have.property('transfer-encoding');
    stream.respond();
    stream.end('ok');
    await client.readUntil('ok\r\n0\r\n\r\n');
  });

  it('gets an answer of unknown length in chunks, with its trailers behind them', async () => {
    const { proxy } = await pairOf((stream) => {
      stream.respond({}, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '42' }));
      stream.end('abc');
    });
    const client = await rig().send(proxy, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.readUntil('3\r\nabc\r\n0\r\nx-sum: 42\r\n\r\n');
    expect(client.text).to.contain('\r\ntransfer-encoding: chunked\r\n\r\n');
  });

  it('of HTTP/1.0 gets an answer that ends with the connection', async () => {
    const { proxy } = await pairOf((stream) => {
      stream.respond();
      stream.end('abc');
    });
    const client = await rig().send(proxy, 'GET / HTTP/1.0\r\n\r\n');
    const text = (await client.awaitEnd()).toString();
    expect(text).to.match(/\r\n\r\nabc$/);
    expect(text).to.not.match(/chunked|content-length/);
  });

  it('knows that answers to HEAD, 204 and 304 have no body', async () => {
    const { proxy } = await pairOf((stream, headers) => {
      const status = Number(String(headers[':path']).slice(1));
      stream.respond({ ':status': status, ...(status === 204 ? {} : { 'content-length': '99' }) }, { endStream: true });
    });
    const client = await rig().send(
      proxy,
      'HEAD /200 HTTP/1.1\r\nHost: a\r\n\r\nGET /204 HTTP/1.1\r\nHost: a\r\n\r\nGET /304 HTTP/1.1\r\nHost: a\r\n\r\n',
    );
    const text = await client.readUntil(/304 Not Modified[^]*\r\n\r\n$/);
    expect(text.match(/content-length: 99/g)).to.have.length(2);
    expect(text).to.not.contain('chunked');
  });

  it('gets interim answers as they come', async () => {
    const { proxy } = await pairOf((stream) => {
      stream.additionalHeaders({ ':status': 103, link: '</a>' });
      stream.respond();
      stream.end('ok');
    });
    const client = await rig().send(proxy, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.readUntil('ok');
    expect(client.text).to.match(/^HTTP\/1\.1 103 Early Hints\r\nlink: <\/a>\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
  });

  it('that is aborted resets the stream', async () => {
    const { instance, proxy } = await pairOf();
    const client = await rig().send(proxy, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const stream = await instance.awaitStream(1);
    client.reset();
    await once(stream, 'close');
    expect(stream.rstCode).to.equal(8);
    expect((await proxy.awaitOutcomes(1))[0].aborted).to.equal(true);
  });

  it('fails with 502 when the instance resets it, and its connection goes on', async () => {
    const { instance, proxy } = await pairOf((stream, headers) => {
      if (headers[':path'] === '/bad') stream.close(2);
      else {
        stream.respond();
        stream.end('ok');
      }
    });
    const client = await rig().send(proxy, 'GET /bad HTTP/1.1\r\nHost: a\r\n\r\nGET /good HTTP/1.1\r\nHost: a\r\n\r\n');
    const text = await client.readUntil('ok\r\n0\r\n\r\n');
    expect(text).to.match(/^HTTP\/1\.1 502 /);
    expect(instance.sessions).to.have.length(1);
  });

  it('is tried elsewhere when the instance cannot be connected', async () => {
    const { upstream } = await rig().pair((peer) => answerEach(peer, () => answerOf('ok')));
    const dead = new Endpoint('127.0.0.1', 1, undefined, 1, undefined, 'http2');
    const alive = new Endpoint('127.0.0.1', upstream.port, undefined, 1, undefined, 'http1');
    const proxy = await rig().proxy({
      handler: {
        begin: () => dead,
        again: (call, failure) => (call.attempts < 2 ? alive : new Rejection(failure.code, failure.message)),
      },
    });
    const client = await rig().send(proxy, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.readUntil('\r\n\r\nok');
    expect(client.text).to.match(/^HTTP\/1\.1 200 /);
  });

  it('is broken off when a body turns out longer than announced, for the rest would be the next answer', async () => {
    const { instance, proxy } = await rawPair([':status', '200'], ['content-length', '2']);
    const client = await rig().send(proxy, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.readUntil('\r\n\r\n');
    const smuggled = Buffer.from('okHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    instance.sessions[0].writer.data(1, smuggled, 0, smuggled.length, true);
    await client.awaitClose();
    expect(client.text).to.not.contain('okHTTP');
    expect((await proxy.awaitOutcomes(1))[0].code).to.equal('MESH_ERR_BAD_UPSTREAM');
  });

  it('is broken off when a body turns out shorter than announced', async () => {
    const { instance, proxy } = await rawPair([':status', '200'], ['content-length', '9']);
    const client = await rig().send(proxy, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.readUntil('\r\n\r\n');
    instance.sessions[0].writer.data(1, Buffer.from('ok'), 0, 2, true);
    await client.awaitClose();
    expect((await proxy.awaitOutcomes(1))[0].code).to.equal('MESH_ERR_BAD_UPSTREAM');
  });

  for (const [what, name, value] of [
    ['a line break in a value', 'x-a', 'a\r\nSet-Cookie: b'],
    ['a blank in a name', 'x a', 'b'],
    ['a field of HTTP/1 connections', 'transfer-encoding', 'chunked'],
  ]) {
    it(`fails with 502 when the answer has ${what}`, async () => {
      const { proxy } = await rawPair([':status', '200'], [name, value]);
      const client = await rig().send(proxy, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await client.readUntil('"code":"MESH_ERR_BAD_UPSTREAM"');
      expect(client.text).to.match(/^HTTP\/1\.1 502 /);
    });
  }

  it('is held back while the instance does not read', async () => {
    const { instance, proxy } = await pairOf();
    const outgoing = request({ host: '127.0.0.1', port: proxy.port, method: 'POST', agent: false });
    outgoing.on('error', () => undefined);
    outgoing.write(Buffer.alloc(1));
    const stream = await instance.awaitStream(1);
    stream.pause();
    outgoing.end(Buffer.alloc(32 * MB));
    const { stats } = proxy.proxy;
    expect(await untilStill(() => stats.bytesToUpstream)).to.be.lessThan(16 * MB);
    let received = 0;
    stream.on('data', (piece: Buffer) => (received += piece.length));
    stream.resume();
    await until(() => received === 32 * MB + 1);
    outgoing.destroy();
  });

  it('holds an instance back while the client does not read', async () => {
    let written = 0;
    const { proxy } = await pairOf((stream) => {
      stream.respond();
      const more = (): void => {
        while (written < 32 * MB) {
          written += 65_536;
          if (!stream.write(Buffer.alloc(65_536))) break;
        }
        if (written < 32 * MB) stream.once('drain', more);
        else stream.end();
      };
      more();
    });
    const client = await rig().connect(proxy);
    client.socket.pause();
    client.write('GET / HTTP/1.0\r\n\r\n');
    await until(() => written > 0);
    expect(await untilStill(() => written)).to.be.lessThan(16 * MB);
    client.socket.resume();
    await client.awaitEnd();
    expect(client.length).to.be.greaterThan(32 * MB);
  });

  it('of gRPC is refused, since HTTP/1 cannot carry it', async () => {
    const { instance, proxy } = await pairOf();
    const client = await rig().send(
      proxy,
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc\r\nContent-Length: 1\r\n\r\nx',
    );
    await client.readUntil('"code":"MESH_ERR_NOT_IMPLEMENTED"');
    expect(instance.streams).to.have.length(0);
  });
});
