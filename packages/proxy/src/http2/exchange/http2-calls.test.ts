import { once } from 'node:events';
import { constants } from 'node:http2';
import { Endpoint, Rejection, type CallHandler, type Invocation } from '@mesher/core';
import { expect } from 'chai';
import type { ProxyOptions } from '../../options.js';
import type { ProxyHarness } from '../../testing/proxy-harness.js';
import { until, useProxyRig } from '../../testing/proxy-rig.js';
import {
  connectHttp2,
  openStream,
  readAnswer,
  requestHttp2,
  startHttp2Server,
  startRawHttp2Server,
  type Http2TestServer,
} from '../../testing/http2-peers.js';
import { HeaderBlock } from '../hpack/header-block.js';
import { HeaderField } from '../hpack/header-field.js';

type OnStream = Parameters<typeof startHttp2Server>[1];

const FIELDS_OF_NODE = new Set(['date']);

function fieldsOf(headers: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !FIELDS_OF_NODE.has(name)));
}

describe('a call over HTTP/2', () => {
  const rig = useProxyRig();

  async function pair(
    onStream?: OnStream,
    handler: Partial<CallHandler> & { readonly prepare?: (call: Invocation) => void } = {},
    options: Partial<ProxyOptions> = {},
  ): Promise<{ readonly server: Http2TestServer; readonly proxy: ProxyHarness }> {
    const server = await startHttp2Server(rig(), onStream);
    const proxy: ProxyHarness = await rig().proxy({
      upstreamPort: server.port,
      speaks: 'http2',
      options,
      handler: {
        ...handler,
        begin: (call) => {
          handler.prepare?.(call);
          return handler.begin === undefined ? proxy.endpoint : handler.begin(call);
        },
      },
    });
    return { server, proxy };
  }

  it('brings all fields to the other side in both directions, cookies and trailers too', async () => {
    const { server, proxy } = await pair((stream) => {
      stream.respond({ ':status': 201, 'x-a': '1', 'set-cookie': ['c=1', 'd=2'] }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '9' }));
      stream.end('hello');
    });
    const answer = await requestHttp2(connectHttp2(rig(), proxy), {
      ':path': '/p?q=1',
      ':authority': 'orders:8080',
      cookie: ['a=1', 'b=2'],
      'x-one': 'y',
      te: 'trailers',
    });
    expect(fieldsOf(server.requests[0])).to.deep.equal({
      ':method': 'GET',
      ':scheme': 'http',
      ':path': '/p?q=1',
      ':authority': 'orders:8080',
      cookie: 'a=1; b=2',
      'x-one': 'y',
      te: 'trailers',
    });
    expect(fieldsOf(answer.headers)).to.deep.equal({ ':status': 201, 'x-a': '1', 'set-cookie': ['c=1', 'd=2'] });
    expect(fieldsOf(answer.trailers)).to.deep.equal({ 'x-sum': '9' });
    expect(String(answer.body)).to.equal('hello');
    const [outcome] = await proxy.awaitOutcomes(1);
    expect(outcome).to.deep.include({ status: 201, path: '/p?q=1', authority: 'orders:8080', code: undefined });
    expect(outcome.grpcStatus).to.equal(undefined);
  });

  it('carries trailers of the request behind its body', async () => {
    let trailers: object = {};
    const { proxy } = await pair((stream) => {
      stream.on('trailers', (received: object) => (trailers = received));
      stream.resume();
      stream.on('end', () => {
        stream.respond({ ':status': 200 });
        stream.end();
      });
    });
    const session = connectHttp2(rig(), proxy);
    const stream = session.request({ ':method': 'POST', ':path': '/', ':authority': 'a' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '7' }));
    stream.end('body');
    expect((await readAnswer(stream)).status).to.equal(200);
    expect(fieldsOf(trailers)).to.deep.equal({ 'x-sum': '7' });
  });

  it('goes upstream with the edits that policies make, and its answer comes back with theirs', async () => {
    const { server, proxy } = await pair(
      (stream) => {
        stream.respond({ ':status': 200, 'x-keep': 'k', 'x-drop': 'd' });
        stream.end();
      },
      {
        prepare: (call) => {
          call.setHeader('X-Set', 'new');
          call.addHeader('x-two', '2');
          call.removeHeader('x-gone');
          call.setHeader('host', 'other:1');
          call.setPath('/there?x');
          call.addResponseField('X-Added', 'a');
          call.removeResponseField('x-drop');
        },
      },
    );
    const session = connectHttp2(rig(), proxy);
    for (let i = 0; i < 3; i++) {
      const answer = await requestHttp2(session, { 'x-set': 'old', 'x-two': '1', 'x-gone': 'g' });
      expect(fieldsOf(server.requests[i])).to.deep.equal({
        ':method': 'GET',
        ':scheme': 'http',
        ':path': '/there?x',
        ':authority': 'other:1',
        'x-set': 'new',
        'x-two': '1, 2',
      });
      expect(fieldsOf(answer.headers)).to.deep.equal({ ':status': 200, 'x-keep': 'k', 'x-added': 'a' });
    }
    expect(proxy.outcomes[0]).to.deep.include({ path: '/', authority: 'a' });
  });

  it('says who the client is, through which hop it came, and how long it took, when it shall', async () => {
    const { server, proxy } = await pair(
      (stream) => {
        stream.respond({ ':status': 200 });
        stream.end();
      },
      {},
      { forwarding: { xForwardedFor: 'append', forwarded: true, via: true }, serverTiming: true },
    );
    const answer = await requestHttp2(connectHttp2(rig(), proxy), { 'x-forwarded-for': '10.0.0.1' });
    expect(server.requests[0]).to.include({
      'x-forwarded-for': '10.0.0.1, 127.0.0.1',
      forwarded: 'for=127.0.0.1;proto=http',
      via: '2.0 mesher',
    });
    expect(answer.headers.via).to.equal('2.0 mesher');
    expect(answer.headers['server-timing']).to.match(/^mesher;desc="outbound 127\.0\.0\.1:\d+";dur=0\.00$/);
  });

  it('is answered by Mesher with a status and a body that says what to do', async () => {
    const { proxy } = await pair(undefined, { begin: () => new Rejection('MESH_ERR_RATE_LIMITED', 'slow down', 2) });
    const session = connectHttp2(rig(), proxy);
    const answer = await requestHttp2(session, {}, 'some body');
    expect(answer.status).to.equal(429);
    expect(answer.headers).to.include({ 'x-mesher-error': 'MESH_ERR_RATE_LIMITED', 'retry-after': '2' });
    expect(JSON.parse(String(answer.body))).to.include({ code: 'MESH_ERR_RATE_LIMITED', message: 'slow down' });
    const head = await requestHttp2(session, { ':method': 'HEAD' });
    expect(head.status).to.equal(429);
    expect(head.body.length).to.equal(0);
    expect(Number(head.headers['content-length'])).to.equal(answer.body.length);
  });

  it('passes on interim answers', async () => {
    const { proxy } = await pair((stream) => {
      stream.additionalHeaders({ ':status': 103, link: '</a.css>' });
      stream.respond({ ':status': 200 });
      stream.end('x');
    });
    const answer = await requestHttp2(connectHttp2(rig(), proxy));
    expect(answer.interim.map(fieldsOf)).to.deep.equal([{ ':status': 103, link: '</a.css>' }]);
    expect(answer.status).to.equal(200);
  });

  it('may be answered before its request is complete, whose rest nobody needs', async () => {
    const { server, proxy } = await pair((stream) => {
      stream.respond({ ':status': 413 });
      stream.end('too much');
    });
    const stream = openStream(connectHttp2(rig(), proxy), { ':method': 'POST' }, false);
    const answer = readAnswer(stream);
    stream.write(Buffer.alloc(100_000));
    const { status, body, resetCode } = await answer;
    expect([status, String(body), resetCode]).to.deep.equal([413, 'too much', constants.NGHTTP2_NO_ERROR]);
    await until(() => server.streams[0].closed);
    expect((await proxy.awaitOutcomes(1))[0]).to.deep.include({ status: 413, aborted: false, code: undefined });
  });

  it('that was answered before its request was complete ends at its instance, too, which may go on waiting for the rest', async () => {
    // A server of Node ends such a stream itself.
    const { port, sessions } = await startRawHttp2Server(rig(), ({ writer }, streamId) => {
      writer.headers(streamId, HeaderBlock.of([new HeaderField(':status', '413')]), false);
      writer.data(streamId, Buffer.from('too much'), 0, 8, true);
    });
    const proxy = await rig().proxy({ upstreamPort: port, speaks: 'http2' });
    const stream = openStream(connectHttp2(rig(), proxy), { ':method': 'POST' }, false);
    const answer = readAnswer(stream);
    stream.write('some');
    expect((await answer).status).to.equal(413);
    await until(() => sessions[0].events.includes(`reset 1 ${constants.NGHTTP2_NO_ERROR}`));
    expect(proxy.proxy.stats.http2Upstream.streams).to.equal(0);
  });

  it('is cancelled upstream at once when its client is gone', async () => {
    const { server, proxy } = await pair();
    const session = connectHttp2(rig(), proxy);
    const stream = openStream(session);
    const upstream = await server.awaitStream(1);
    stream.close(constants.NGHTTP2_CANCEL);
    await once(upstream, 'close');
    expect(upstream.rstCode).to.equal(constants.NGHTTP2_CANCEL);
    const other = openStream(session);
    const second = await server.awaitStream(2);
    session.destroy();
    await once(second, 'close');
    expect(other.destroyed).to.equal(true);
    expect((await proxy.awaitOutcomes(2)).map(({ aborted, status }) => [aborted, status])).to.deep.equal([
      [true, 0],
      [true, 0],
    ]);
  });

  it('ends with the code of its instance when that resets it in the midst of its answer', async () => {
    const body = Buffer.from('half');
    let reset: (() => void) | undefined;
    const { port } = await startRawHttp2Server(rig(), ({ writer }, streamId) => {
      writer.headers(streamId, HeaderBlock.of([new HeaderField(':status', '200')]), false);
      writer.data(streamId, body, 0, body.length, false);
      reset = () => writer.reset(streamId, constants.NGHTTP2_ENHANCE_YOUR_CALM);
    });
    const proxy = await rig().proxy({ upstreamPort: port, speaks: 'http2' });
    const stream = openStream(connectHttp2(rig(), proxy));
    const answer = readAnswer(stream);
    await once(stream, 'data');
    reset?.();
    expect((await answer).resetCode).to.equal(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    expect((await proxy.awaitOutcomes(1))[0]).to.deep.include({ status: 200, code: 'MESH_ERR_UPSTREAM_RESET' });
  });

  it('cannot be told by an application that a sidecar has failed', async () => {
    const { proxy } = await pair(
      (stream) => {
        stream.respond({ ':status': 502, 'x-mesher-error': 'MESH_ERR_CONNECT' });
        stream.end();
      },
      { direction: 'inbound', again: () => expect.fail('asked again') },
    );
    const answer = await requestHttp2(connectHttp2(rig(), proxy));
    expect(fieldsOf(answer.headers)).to.deep.equal({ ':status': 502 });
  });

  it('goes elsewhere when the sidecar of its peer could not deliver it', async () => {
    const { server: other } = await pair((stream) => {
      stream.respond({ ':status': 200 });
      stream.end('here');
    });
    const { proxy } = await pair(
      (stream) => {
        stream.respond({ ':status': 502, 'x-mesher-error': 'MESH_ERR_CONNECT' });
        stream.end('no');
      },
      { again: () => new Endpoint('127.0.0.1', other.port, undefined, 1, undefined, 'http2') },
    );
    const answer = await requestHttp2(connectHttp2(rig(), proxy), { ':method': 'POST' }, 'body');
    expect([answer.status, String(answer.body)]).to.deep.equal([200, 'here']);
  });
});
