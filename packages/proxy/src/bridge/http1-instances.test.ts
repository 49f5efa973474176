import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Endpoint, Rejection } from '@mesher/core';
import { expect } from 'chai';
import { HeaderBlock } from '../http2/hpack/header-block.js';
import { HeaderField } from '../http2/hpack/header-field.js';
import { RawSession } from '../http2/testing/raw-session.js';
import { connectHttp2, openStream, readAnswer, requestHttp2 } from '../testing/http2-peers.js';
import { answerEach, answerOf, type RawPeer } from '../testing/proxy-harness.js';
import { untilStill, until, useProxyRig } from '../testing/proxy-rig.js';

const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';

describe('an HTTP/2 call to an instance that speaks HTTP/1', () => {
  const rig = useProxyRig();

  /** A proxy in front of an instance that answers each request without a body with this text. */
  async function answered(text: string): Promise<Awaited<ReturnType<typeof pairOf>>> {
    return pairOf((peer) => answerEach(peer, () => text));
  }

  async function pairOf(onConnection?: (peer: RawPeer, index: number) => void) {
    const { upstream, proxy } = await rig().pair(onConnection, { speaks: 'http1' });
    return { upstream, proxy, session: connectHttp2(rig(), proxy) };
  }

  it('arrives as HTTP/1 has it, and several share one connection', async () => {
    const { upstream, session } = await answered(answerOf('ok'));
    for (let i = 0; i < 3; i++) {
      const answer = await requestHttp2(session, { ':path': `/${i}`, 'x-a': '1', te: 'trailers' });
      expect([answer.status, answer.body.toString()]).to.deep.equal([200, 'ok']);
    }
    expect(upstream.connections).to.have.length(1);
    expect(upstream.connections[0].text).to.equal(
      [0, 1, 2].map((i) => `GET /${i} HTTP/1.1\r\nhost: a\r\nx-a: 1\r\n\r\n`).join(''),
    );
  });

  it('gets a connection for each call that is under way at once', async () => {
    const { upstream, session } = await pairOf();
    const answers = [1, 2, 3].map(() => requestHttp2(session));
    await upstream.awaitConnection(3);
    for (const peer of upstream.connections) {
      await peer.readUntil('\r\n\r\n');
      peer.write(answerOf('ok'));
    }
    expect((await Promise.all(answers)).map(({ status }) => status)).to.deep.equal([200, 200, 200]);
  });

  it('sends a body in chunks, with its trailers behind the last one', async () => {
    const { upstream, session } = await pairOf();
    const stream = session.request({ ':path': '/', ':authority': 'a', ':method': 'POST' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '42' }));
    const answer = readAnswer(stream);
    stream.end('hello');
    const peer = await upstream.awaitConnection();
    await peer.readUntil('x-sum: 42\r\n\r\n');
    expect(peer.text).to.match(
      /^POST \/ HTTP\/1\.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n/,
    );
    peer.write(answerOf('ok'));
    expect((await answer).body.toString()).to.equal('ok');
  });

  it('sends a body of known length as it is', async () => {
    const { upstream, session } = await pairOf();
    const answer = requestHttp2(session, { ':method': 'PUT', 'content-length': '5' }, 'hello');
    const peer = await upstream.awaitConnection();
    await peer.readUntil('hello');
    expect(peer.text).to.equal('PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello');
    peer.write(answerOf('ok'));
    expect((await answer).status).to.equal(200);
  });

  it('brings an answer in chunks as data, and its trailers as trailers', async () => {
    const { session } = await answered(`${CHUNKED}3;x=y\r\nabc\r\n3\r\ndef\r\n0\r\nX-Sum: 42\r\nX-Two:\r\n\r\n`);
    const { body, headers, trailers } = await requestHttp2(session);
    expect(body.toString()).to.equal('abcdef');
    expect(headers).to.not.have.property('transfer-encoding');
    expect({ ...trailers }).to.deep.include({ 'x-sum': '42', 'x-two': '' });
  });

  it('reads an answer that comes byte by byte', async () => {
    const { upstream, session } = await pairOf();
    const answer = requestHttp2(session);
    const peer = await upstream.awaitConnection();
    await peer.readUntil('\r\n\r\n');
    await peer.writePieces(`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${CHUNKED}3\r\nabc\r\n0\r\nx-t: 1\r\n\r\n`);
    const { body, trailers, interim } = await answer;
    expect(interim.map((block) => [block[':status'], block.link])).to.deep.equal([[103, '</a>']]);
    expect([body.toString(), trailers['x-t']]).to.deep.equal(['abc', '1']);
  });

  it('leaves out the fields of the connection to the instance, those that Connection names too', async () => {
    const { session } = await answered(
      'HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Hop\r\nKeep-Alive: timeout=9\r\nX-Hop: 1\r\nUpgrade: h2c\r\n' +
        'X-Two:  a \r\nX-Two: b\r\nContent-Length: 0\r\n\r\n',
    );
    const { headers } = await requestHttp2(session);
    expect(Object.entries(headers)).to.deep.equal([
      [':status', 200],
      ['x-two', 'a, b'],
      ['content-length', '0'],
    ]);
  });

  it('knows that answers to HEAD, 204 and 304 have no body, whatever their fields say', async () => {
    const { upstream, session } = await pairOf((peer) =>
      answerEach(peer, (head) => {
        if (head.startsWith('HEAD')) return 'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n';
        return head.includes('/304') ? 'HTTP/1.1 304 X\r\nContent-Length: 99\r\n\r\n' : 'HTTP/1.1 204 X\r\n\r\n';
      }),
    );
    const head = await requestHttp2(session, { ':method': 'HEAD' });
    expect([head.status, head.headers['content-length'], head.body.length]).to.deep.equal([200, '99', 0]);
    expect((await requestHttp2(session, { ':path': '/304' })).status).to.equal(304);
    expect((await requestHttp2(session, { ':path': '/204' })).status).to.equal(204);
    expect(upstream.connections).to.have.length(1);
  });

  it('takes the end of the connection for the end of the answer where nothing else tells it', async () => {
    const { session } = await pairOf((peer) => {
      answerEach(peer, () => undefined);
      peer.socket.once('data', () => peer.end('HTTP/1.0 200 OK\r\nX: 1\r\n\r\nall of it'));
    });
    const { body, headers } = await requestHttp2(session);
    expect([body.toString(), headers.x]).to.deep.equal(['all of it', '1']);
  });

  it('is repeated over a new connection when a reused one turns out to be closed', async () => {
    const { upstream, session, proxy } = await pairOf((peer, index) => {
      let answeredOne = false;
      peer.socket.on('data', () => {
        if (index === 0 && answeredOne) peer.reset();
        else peer.write(answerOf('ok'));
        answeredOne = true;
      });
    });
    await requestHttp2(session);
    expect((await requestHttp2(session)).status).to.equal(200);
    expect(upstream.connections).to.have.length(2);
    expect(proxy.proxy.stats.reusedConnectionRetries).to.equal(1);
  });

  it('that nobody waits for any more ends the connection to the instance', async () => {
    const { upstream, session, proxy } = await pairOf();
    const stream = openStream(session);
    const peer = await upstream.awaitConnection();
    await peer.readUntil('\r\n\r\n');
    stream.close(8);
    await peer.awaitEnd();
    expect((await proxy.awaitOutcomes(1))[0].aborted).to.equal(true);
  });

  it('fails with 502 when the answer is none', async () => {
    const { session, proxy } = await answered('SMTP ready\r\n\r\n');
    const { status, headers } = await requestHttp2(session);
    expect([status, headers['x-mesher-error']]).to.deep.equal([502, 'MESH_ERR_BAD_UPSTREAM']);
    expect(proxy.proxy.stats.malformedResponses).to.equal(1);
  });

  it('is reset when the instance breaks off in the middle of its answer', async () => {
    const { session, proxy } = await pairOf((peer) => {
      peer.socket.once('data', () => peer.end(`${CHUNKED}5\r\nhel`));
    });
    const answer = await requestHttp2(session);
    expect(answer.status).to.equal(200);
    expect(answer.resetCode).to.not.equal(0);
    expect((await proxy.awaitOutcomes(1))[0].code).to.equal('MESH_ERR_BAD_UPSTREAM');
  });

  it('that cannot be connected is tried elsewhere, body and all', async () => {
    const { upstream } = await rig().pair();
    const dead = new Endpoint('127.0.0.1', 1, undefined, 1, undefined, 'http1');
    const alive = new Endpoint('127.0.0.1', upstream.port, undefined, 1, undefined, 'http1');
    const proxy = await rig().proxy({
      handler: {
        begin: () => dead,
        again: (call, failure) => (call.attempts < 2 ? alive : new Rejection(failure.code, failure.message)),
      },
    });
    const answer = requestHttp2(connectHttp2(rig(), proxy), { ':method': 'POST' }, 'hello');
    const peer = await upstream.awaitConnection();
    await peer.readUntil('5\r\nhello\r\n0\r\n\r\n');
    peer.write(answerOf('ok'));
    expect((await answer).status).to.equal(200);
  });

  it('of gRPC is refused with a status that says why', async () => {
    const { session, upstream } = await pairOf();
    const { headers } = await requestHttp2(session, { ':method': 'POST', 'content-type': 'application/grpc' }, 'x');
    expect(headers['grpc-status']).to.equal('14');
    expect(headers['grpc-message']).to.match(/gRPC is not translated/);
    expect(upstream.connections).to.have.length(0);
  });

  it('passes 100 Continue on to a client that waits for it', async () => {
    const server = createServer((incoming, outgoing) => {
      incoming.pipe(outgoing);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    rig().atEnd(() => void server.close());
    const proxy = await rig().proxy({ upstreamPort: (server.address() as AddressInfo).port, speaks: 'http1' });
    const stream = openStream(connectHttp2(rig(), proxy), { ':method': 'POST', expect: '100-continue' }, false);
    const answer = readAnswer(stream);
    await once(stream, 'continue');
    stream.end('body');
    expect((await answer).body.toString()).to.equal('body');
  });

  it('is held back while the instance does not read, and goes on when it does', async () => {
    const { upstream, session, proxy } = await pairOf((peer) => peer.socket.pause());
    const stream = openStream(session, { ':method': 'POST' }, false);
    await upstream.awaitConnection();
    const total = 32 * 1024 * 1024;
    stream.end(Buffer.alloc(total));
    const { stats } = proxy.proxy;
    const taken = await untilStill(() => stats.bytesToUpstream);
    // What the kernel holds, and one window of the stream.
    expect(taken).to.be.lessThan(total / 2);
    const [peer] = upstream.connections;
    peer.socket.resume();
    await until(() => stats.bytesToUpstream >= total);
    await peer.readUntil((bytes) => bytes.subarray(-5).toString('latin1') === '0\r\n\r\n');
    const answer = readAnswer(stream);
    peer.write(answerOf('ok'));
    expect((await answer).status).to.equal(200);
  });

  it('holds an instance back while the client does not read', async () => {
    const total = 32 * 1024 * 1024;
    let written = 0;
    const { session } = await pairOf((peer) => {
      peer.socket.once('data', () => {
        peer.write(`HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n`);
        const more = (): void => {
          while (written < total) {
            written += 65_536;
            if (!peer.write(Buffer.alloc(65_536))) break;
          }
          if (written < total) peer.socket.once('drain', more);
        };
        more();
      });
    });
    const stream = openStream(session);
    await once(stream, 'response');
    expect(await untilStill(() => written)).to.be.lessThan(total / 2);
    const answer = readAnswer(stream);
    expect((await answer).body.length).to.equal(total);
  });

  it('cannot bring a second request in through its body', async () => {
    const { upstream, session } = await pairOf();
    const smuggled = '0\r\n\r\nGET /admin HTTP/1.1\r\nHost: a\r\n\r\n';
    const answer = requestHttp2(session, { ':method': 'POST' }, smuggled);
    const peer = await upstream.awaitConnection();
    await peer.readUntil(/\r\n0\r\n\r\n$/);
    const body = peer.text.slice(peer.text.indexOf('\r\n\r\n') + 4);
    expect(body).to.equal(`${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`);
    peer.write(answerOf('ok'));
    expect((await answer).status).to.equal(200);
  });
});

describe('a CONNECT over HTTP/2', () => {
  const rig = useProxyRig();

  it('is a tunnel to the instance, in which each side ends by itself', async () => {
    const { upstream, proxy } = await rig().pair();
    const session = connectHttp2(rig(), proxy);
    const stream = session.request({ ':method': 'CONNECT', ':authority': 'svc:443' }, { endStream: false });
    const answer = readAnswer(stream);
    await once(stream, 'response');
    const peer = await upstream.awaitConnection();
    stream.write('from the client');
    await peer.readUntil('from the client');
    stream.end();
    await peer.awaitEnd();
    peer.end('from the instance');
    const { status, body, resetCode } = await answer;
    expect([status, body.toString(), resetCode]).to.deep.equal([200, 'from the instance', 0]);
    expect((await proxy.awaitOutcomes(1))[0]).to.include({ status: 200, aborted: false, code: undefined });
  });

  it('goes on towards the instance when that has ended its own side', async () => {
    const { upstream, proxy } = await rig().pair((peer) => peer.end('all I say'));
    const client = await RawSession.connect(proxy.port);
    const connect = [new HeaderField(':method', 'CONNECT'), new HeaderField(':authority', 'svc:443')];
    client.writer.headers(1, HeaderBlock.of(connect), false);
    await until(() => client.events.some((event) => /^data 1 .* end$/.test(event)));
    const late = Buffer.from('late');
    client.writer.data(1, late, 0, late.length, false);
    const peer = await upstream.awaitConnection();
    await peer.readUntil('late');
    expect(proxy.outcomes).to.have.length(0);
    client.writer.data(1, late, 0, late.length, true);
    await peer.readUntil('latelate');
    await peer.awaitEnd();
    expect((await proxy.awaitOutcomes(1))[0]).to.include({ status: 200, aborted: false, code: undefined });
    expect(client.events.filter((event) => event.startsWith('reset'))).to.deep.equal([]);
    client.socket.destroy();
  });

  it('ends when nothing moves for too long', async () => {
    const { upstream, proxy } = await rig().pair(undefined, { options: { tunnelIdleTimeout: 5000 } });
    const session = connectHttp2(rig(), proxy);
    const stream = openStream(session, { ':method': 'CONNECT', ':path': undefined }, false);
    await once(stream, 'response');
    rig().pass(5000);
    expect((await readAnswer(stream)).resetCode).to.not.equal(0);
    expect((await proxy.awaitOutcomes(1))[0].code).to.equal('MESH_ERR_TIMEOUT');
    await (await upstream.awaitConnection()).awaitEnd();
  });

  it('passes a reset of the client on as a reset', async () => {
    const { upstream, proxy } = await rig().pair();
    const client = await RawSession.connect(proxy.port);
    const connect = [new HeaderField(':method', 'CONNECT'), new HeaderField(':authority', 'svc:443')];
    client.writer.headers(1, HeaderBlock.of(connect), false);
    expect((await client.nextBlock()).first(':status')).to.equal('200');
    const peer = await upstream.awaitConnection();
    client.writer.reset(1, 8);
    await peer.awaitClose();
    expect(peer.error?.code).to.equal('ECONNRESET');
    client.socket.destroy();
  });

  it('fails with 502 when the instance cannot be reached', async () => {
    const proxy = await rig().proxy({ upstreamPort: 1 });
    const session = connectHttp2(rig(), proxy);
    const stream = openStream(session, { ':method': 'CONNECT', ':path': undefined }, false);
    expect((await readAnswer(stream)).status).to.equal(502);
  });
});
