import { once } from 'node:events';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { Endpoint, Rejection, type AttemptFailure, type CallHandler, type Verdict } from '@mesher/core';
import { expect } from 'chai';
import { DEFAULT_PROXY_OPTIONS } from '../../options.js';
import { connectHttp2, openStream, readAnswer, requestHttp2, startHttp2Server } from '../../testing/http2-peers.js';
import { NOWHERE, type ProxyHarness } from '../../testing/proxy-harness.js';
import { settleSockets, until, useProxyRig } from '../../testing/proxy-rig.js';

const NOWHERE_HTTP2 = new Endpoint(NOWHERE.host, NOWHERE.port, undefined, 1, undefined, 'http2');

/** What a server got of one stream. */
interface Received {
  readonly headers: IncomingHttpHeaders;
  body: string;
  trailers: IncomingHttpHeaders;
}

describe('the request of an HTTP/2 call', () => {
  const rig = useProxyRig();

  /** A server that reads each request to its end, and then does what the test says. */
  async function reading(
    onRequest: (stream: ServerHttp2Stream, count: number) => void,
    handler: (proxy: () => ProxyHarness) => Partial<CallHandler>,
    maxReplayBytes = 65_536,
  ): Promise<{ readonly proxy: ProxyHarness; readonly received: Received[] }> {
    const received: Received[] = [];
    const { port } = await startHttp2Server(rig(), (stream, headers) => {
      const one: Received = { headers, body: '', trailers: {} };
      received.push(one);
      const count = received.length;
      stream.on('trailers', (trailers: IncomingHttpHeaders) => (one.trailers = trailers));
      stream.on('data', (piece: Buffer) => (one.body += piece.toString()));
      stream.on('end', () => onRequest(stream, count));
    });
    const proxy: ProxyHarness = await rig().proxy({
      upstreamPort: port,
      speaks: 'http2',
      options: { maxReplayBytes },
      handler: handler(() => proxy),
    });
    return { proxy, received };
  }

  function ok(stream: ServerHttp2Stream): void {
    stream.respond({ ':status': 200 });
    stream.end('ok');
  }

  const twice =
    (failures: AttemptFailure[]) =>
    (proxy: () => ProxyHarness): Partial<CallHandler> => ({
      again: (call, failure) => {
        failures.push(failure);
        return call.attempts < 2 ? proxy().endpoint : new Rejection(failure.code, failure.message);
      },
    });

  it('is sent once more as it was, with body and trailers, when an attempt is reset', async () => {
    const failures: AttemptFailure[] = [];
    const { proxy, received } = await reading(
      (stream, count) => (count === 1 ? stream.close(2) : ok(stream)),
      twice(failures),
    );
    const session = connectHttp2(rig(), proxy);
    const stream = session.request(
      { ':method': 'POST', ':path': '/', ':authority': 'a', 'x-a': '1' },
      { waitForTrailers: true },
    );
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '5' }));
    stream.write('one ');
    await settleSockets();
    stream.end('two');
    const answer = await readAnswer(stream);
    expect([answer.status, String(answer.body)]).to.deep.equal([200, 'ok']);
    expect(received.map(({ body, headers, trailers }) => [body, headers['x-a'], trailers['x-sum']])).to.deep.equal([
      ['one two', '1', '5'],
      ['one two', '1', '5'],
    ]);
    expect(failures.map(({ code, sent }) => [code, sent])).to.deep.equal([['MESH_ERR_UPSTREAM_RESET', true]]);
    expect((await proxy.awaitOutcomes(1))[0]).to.deep.include({ attempts: 2, status: 200 });
  });

  it('is sent once more byte for byte when it came in many small pieces', async () => {
    const { proxy, received } = await reading(
      (stream, count) => (count === 1 ? stream.close(2) : ok(stream)),
      twice([]),
    );
    const stream = openStream(connectHttp2(rig(), proxy), { ':method': 'POST' }, false);
    const answer = readAnswer(stream);
    const pieces = Array.from({ length: 60 }, (_, i) => String(i).padStart(1 + ((i * i) % 300), '.'));
    for (const piece of pieces) {
      stream.write(piece);
      await settleSockets();
    }
    stream.end();
    expect((await answer).status).to.equal(200);
    expect(received.map(({ body }) => body)).to.deep.equal([pieces.join(''), pieces.join('')]);
  });

  it('is not sent again when it was too large to be kept', async () => {
    const failures: AttemptFailure[] = [];
    const { proxy, received } = await reading((stream) => stream.close(2), twice(failures), 1000);
    const session = connectHttp2(rig(), proxy);
    const answer = await requestHttp2(session, { ':method': 'POST' }, 'x'.repeat(1001));
    expect(answer.status).to.equal(502);
    expect(answer.headers['x-mesher-error']).to.equal('MESH_ERR_UPSTREAM_RESET');
    expect(received.length).to.equal(1);
  });

  it('waits with its body while a policy decides, and is sent in its order then', async () => {
    let decide: ((verdict: Verdict) => void) | undefined;
    const { proxy, received } = await reading(
      (stream) => ok(stream),
      () => ({ begin: () => new Promise<Verdict>((resolve) => (decide = resolve)) }),
    );
    const stream = openStream(connectHttp2(rig(), proxy), { ':method': 'POST' }, false);
    const answer = readAnswer(stream);
    stream.write('before ');
    await settleSockets();
    expect(received.length).to.equal(0);
    decide?.(proxy.endpoint);
    await until(() => received.length === 1);
    stream.end('after');
    expect((await answer).status).to.equal(200);
    expect(received[0].body).to.equal('before after');
  });

  it('goes elsewhere when it has waited for a connection to an instance that accepts and says nothing', async () => {
    const frozen = await rig().upstream();
    const endpoint = new Endpoint('127.0.0.1', frozen.port, undefined, 1, undefined, 'http2');
    const failures: AttemptFailure[] = [];
    const { proxy } = await reading(
      (stream) => ok(stream),
      () => ({
        begin: () => endpoint,
        again: (_call, failure) => {
          failures.push(failure);
          return proxy.endpoint;
        },
      }),
    );
    const session = connectHttp2(rig(), proxy);
    const first = openStream(session);
    void readAnswer(first);
    await proxy.awaitBegun(1);
    const second = requestHttp2(session);
    await proxy.awaitBegun(2);
    await frozen.awaitConnection();
    await settleSockets();
    rig().pass(5000);
    expect((await second).status).to.equal(200);
    expect(failures).to.have.length(1);
    expect(failures[0]).to.include({ code: 'MESH_ERR_CONNECT', sent: false, reusedConnection: false });
  });

  it('waits for a policy no longer than allowed', async () => {
    const { proxy } = await reading(
      (stream) => ok(stream),
      () => ({ begin: () => new Promise<Verdict>(() => undefined) }),
    );
    const answer = requestHttp2(connectHttp2(rig(), proxy));
    await proxy.awaitBegun(1);
    await rig().passSlowly(30_000);
    expect((await answer).status).to.equal(504);
  });

  it('begins nothing when its client has left while a policy decided', async () => {
    let decide: ((verdict: Verdict) => void) | undefined;
    const { proxy, received } = await reading(
      (stream) => ok(stream),
      () => ({ begin: () => new Promise<Verdict>((resolve) => (decide = resolve)) }),
    );
    const stream = openStream(connectHttp2(rig(), proxy));
    await proxy.awaitBegun(1);
    stream.close(8);
    expect((await proxy.awaitOutcomes(1))[0]).to.deep.include({ aborted: true, attempts: 0 });
    decide?.(proxy.endpoint);
    await settleSockets();
    expect(received.length).to.equal(0);
  });

  it('reads its client no further than a slow instance takes it, and no other call waits for that', async () => {
    const streams: ServerHttp2Stream[] = [];
    const { port } = await startHttp2Server(rig(), (stream, headers) => {
      if (headers[':path'] === '/slow') streams.push(stream);
      else ok(stream);
    });
    const proxy = await rig().proxy({ upstreamPort: port, speaks: 'http2' });
    const session = connectHttp2(rig(), proxy);
    const body = Buffer.alloc(4_000_000, 97);
    const slow = openStream(session, { ':method': 'POST', ':path': '/slow' }, false);
    const answer = readAnswer(slow);
    let isWritten = false;
    slow.end(body, () => (isWritten = true));
    await until(() => streams.length === 1);
    await settleSockets();
    expect((await requestHttp2(session, { ':path': '/quick' })).status).to.equal(200);
    expect(isWritten).to.equal(false);
    let bytes = 0;
    streams[0].on('data', (piece: Buffer) => (bytes += piece.length));
    await once(streams[0], 'end');
    ok(streams[0]);
    expect((await answer).status).to.equal(200);
    expect(bytes).to.equal(body.length);
    const outcomes = await proxy.awaitOutcomes(2);
    expect(outcomes.every(({ status }) => status === 200)).to.equal(true);
  });

  it('is answered when no body comes any more (408)', async () => {
    const { proxy } = await reading(
      () => undefined,
      () => ({}),
    );
    const stream = openStream(connectHttp2(rig(), proxy), { ':method': 'POST' }, false);
    const answer = readAnswer(stream);
    stream.write('some');
    await proxy.awaitBegun(1);
    await rig().passSlowly(60_000);
    expect((await answer).status).to.equal(408);
  });

  it('goes to another endpoint when the first one cannot be reached', async () => {
    const gone = await startHttp2Server(rig());
    await new Promise((resolve) => gone.server.close(resolve));
    const nobody = new Endpoint('127.0.0.1', gone.port, undefined, 1, undefined, 'http2');
    const { proxy, received } = await reading(
      (stream) => ok(stream),
      (it) => ({ begin: () => nobody, again: () => it().endpoint }),
    );
    const answer = await requestHttp2(connectHttp2(rig(), proxy), { ':method': 'POST' }, 'body');
    expect(answer.status).to.equal(200);
    expect(received.map(({ body }) => body)).to.deep.equal(['body']);
  });

  it('goes there whole also when it is too large to be kept: nothing of it was sent', async () => {
    let decide: ((verdict: Verdict) => void) | undefined;
    const { proxy, received } = await reading(
      (stream) => ok(stream),
      (it) => ({
        begin: () => new Promise<Verdict>((resolve) => (decide = resolve)),
        again: () => it().endpoint,
      }),
    );
    const answer = requestHttp2(connectHttp2(rig(), proxy), { ':method': 'POST' }, 'x'.repeat(400_000));
    await proxy.awaitBegun(1);
    // As much as the window of the stream lets through is here before anything is decided.
    await settleSockets();
    decide?.(NOWHERE_HTTP2);
    await settleSockets();
    rig().pass(DEFAULT_PROXY_OPTIONS.connectTimeout);
    expect((await answer).status).to.equal(200);
    expect(received.map(({ body }) => body.length)).to.deep.equal([400_000]);
    expect(proxy.outcomes[0]).to.deep.include({ attempts: 2 });
  });

  it('is tried again for the status of its answer when its handler says so', async () => {
    const { proxy, received } = await reading(
      (stream, count) => {
        stream.respond({ ':status': count === 1 ? 503 : 200 });
        stream.end('x'.repeat(100_000));
      },
      (it) => ({
        begin: (call) => {
          call.watchesAnswer = true;
          return it().endpoint;
        },
        answered: (_call, { status }) => (status === 503 ? it().endpoint : undefined),
      }),
    );
    const answer = await requestHttp2(connectHttp2(rig(), proxy), { ':method': 'POST' }, 'body');
    expect([answer.status, answer.body.length]).to.deep.equal([200, 100_000]);
    expect(received.map(({ body }) => body)).to.deep.equal(['body', 'body']);
  });
});
