import { once } from 'node:events';
import { connect, constants } from 'node:http2';
import { Endpoint, Rejection, type AttemptFailure } from '@mesher/core';
import { expect } from 'chai';
import {
  connectHttp2,
  openStream,
  readAnswer,
  requestHttp2,
  startHttp2Server,
  startRawHttp2Server,
} from '../../testing/http2-peers.js';
import type { ProxyHarness } from '../../testing/proxy-harness.js';
import { settleSockets, until, untilStill, useProxyRig } from '../../testing/proxy-rig.js';
import { HeaderBlock } from '../hpack/header-block.js';
import { HeaderField } from '../hpack/header-field.js';

const LARGE = 8 * 1024 * 1024;

describe('an answer over HTTP/2', () => {
  const rig = useProxyRig();

  it('is read from its instance no faster than its client takes it, and other answers pass', async () => {
    const server = await startHttp2Server(rig(), (stream, headers) => {
      stream.respond({ ':status': 200 });
      stream.end(headers[':path'] === '/large' ? Buffer.alloc(LARGE, 97) : 'small');
    });
    const proxy = await rig().proxy({ upstreamPort: server.port, speaks: 'http2' });
    const session = connectHttp2(rig(), proxy);
    const large = openStream(session, { ':path': '/large' });
    await once(large, 'response');
    const passed = await untilStill(() => proxy.proxy.stats.bytesToDownstream);
    expect(passed).to.be.lessThan(LARGE / 4);
    expect(String((await requestHttp2(session, { ':path': '/small' })).body)).to.equal('small');
    const { body } = await readAnswer(large);
    expect(body.length).to.equal(LARGE);
    expect(body.equals(Buffer.alloc(LARGE, 97))).to.equal(true);
  });

  it('is given up when its client does not read it for too long, also when it is complete here', async () => {
    const server = await startHttp2Server(rig(), (stream) => {
      stream.respond({ ':status': 200 });
      stream.end(Buffer.alloc(200_000));
    });
    const proxy = await rig().proxy({ upstreamPort: server.port, speaks: 'http2' });
    const session = connect(`http://127.0.0.1:${proxy.port}`, { settings: { initialWindowSize: 1000 } });
    rig().atEnd(() => session.destroy());
    const stream = openStream(session);
    await once(stream, 'response');
    await proxy.awaitOutcomes(1);
    await rig().passSlowly(290_000);
    expect(stream.rstCode).to.equal(constants.NGHTTP2_NO_ERROR);
    await rig().passSlowly(10_000);
    await until(() => stream.destroyed || stream.rstCode !== constants.NGHTTP2_NO_ERROR);
    expect(stream.rstCode).to.equal(constants.NGHTTP2_CANCEL);
  });

  it('that pauses for too long is broken off, and its instance told', async () => {
    const server = await startHttp2Server(rig(), (stream) => {
      stream.respond({ ':status': 200 });
      stream.write('half');
    });
    const proxy = await rig().proxy({ upstreamPort: server.port, speaks: 'http2' });
    const stream = openStream(connectHttp2(rig(), proxy));
    const answer = readAnswer(stream);
    await once(stream, 'data');
    await rig().passSlowly(300_000);
    expect((await answer).resetCode).to.equal(constants.NGHTTP2_INTERNAL_ERROR);
    await until(() => server.streams[0].closed);
    expect((await proxy.awaitOutcomes(1))[0]).to.deep.include({ status: 200, code: 'MESH_ERR_TIMEOUT' });
  });

  it('is announced to who waits for its beginning, once, and not when it is thrown away', async () => {
    const begun: number[] = [];
    const server = await startHttp2Server(rig(), (stream) => {
      stream.respond({ ':status': server.streams.length === 1 ? 503 : 201 });
      stream.end();
    });
    const proxy: ProxyHarness = await rig().proxy({
      upstreamPort: server.port,
      speaks: 'http2',
      handler: {
        begin: (call) => {
          call.watchesBeginning = true;
          call.watchesAnswer = true;
          return proxy.endpoint;
        },
        begun: (_call, status) => void begun.push(status),
        answered: (_call, { status }) => (status === 503 ? proxy.endpoint : undefined),
      },
    });
    expect((await requestHttp2(connectHttp2(rig(), proxy))).status).to.equal(201);
    expect(begun).to.deep.equal([201]);
  });

  it('is an error of our own when a plugin fails as it begins, and other calls of the connection go on', async () => {
    const server = await startHttp2Server(rig(), (stream, headers) => {
      stream.respond({ ':status': 200 });
      if (headers[':path'] !== '/slow') stream.end('x');
    });
    const proxy: ProxyHarness = await rig().proxy({
      upstreamPort: server.port,
      speaks: 'http2',
      handler: {
        begin: (call) => {
          call.watchesBeginning = call.path === '/';
          return proxy.endpoint;
        },
        connected: () => {
          throw new Error('broken plugin');
        },
        begun: () => {
          throw new Error('broken plugin');
        },
      },
    });
    const session = connectHttp2(rig(), proxy);
    const slow = openStream(session, { ':path': '/slow' });
    const answer = readAnswer(slow);
    await once(slow, 'response');
    const failed = await requestHttp2(session);
    expect([failed.status, failed.headers['x-mesher-error']]).to.deep.equal([500, 'MESH_ERR_PLUGIN']);
    server.streams[0].end('late');
    expect(String((await answer).body)).to.equal('late');
  });

  it('of an instance that breaks the rules is a failed attempt (502)', async () => {
    const { port } = await startRawHttp2Server(rig(), ({ writer }, streamId) => {
      writer.headers(streamId, HeaderBlock.of([new HeaderField('x-no', 'status')]), true);
    });
    const failures: AttemptFailure[] = [];
    const proxy = await rig().proxy({
      upstreamPort: port,
      speaks: 'http2',
      handler: {
        again: (_call, failure) => {
          failures.push(failure);
          return new Rejection(failure.code, failure.message);
        },
      },
    });
    const answer = await requestHttp2(connectHttp2(rig(), proxy));
    expect([answer.status, answer.headers['x-mesher-error']]).to.deep.equal([502, 'MESH_ERR_BAD_UPSTREAM']);
    expect(failures.map(({ code, sent }) => [code, sent])).to.deep.equal([['MESH_ERR_BAD_UPSTREAM', true]]);
  });

  it('is a fallback when the handler knows something better than an error of the wire', async () => {
    const { port } = await startRawHttp2Server(rig(), () => undefined);
    const proxy = await rig().proxy({
      upstreamPort: port,
      speaks: 'http2',
      handler: { instead: (_call, { code }) => new Rejection('MESH_ERR_OVERLOADED', `instead of ${code}`) },
    });
    const answer = requestHttp2(connectHttp2(rig(), proxy));
    await proxy.awaitBegun(1);
    await settleSockets();
    await rig().passSlowly(30_000);
    expect((await answer).status).to.equal(503);
    expect(JSON.parse(String((await answer).body))).to.deep.include({ message: 'instead of MESH_ERR_TIMEOUT' });
  });

  it('comes although a plugin fails while it judges, looks for a fallback, or hears of the end', async () => {
    const server = await startHttp2Server(rig(), (stream) => {
      stream.respond({ ':status': 404 });
      stream.end();
    });
    const fail = (): never => {
      throw new Error('broken plugin');
    };
    const proxy: ProxyHarness = await rig().proxy({
      upstreamPort: server.port,
      speaks: 'http2',
      handler: {
        begin: (call) => {
          call.watchesAnswer = true;
          return call.path === '/nowhere'
            ? new Endpoint('127.0.0.1', 1, undefined, 1, undefined, 'http2')
            : proxy.endpoint;
        },
        again: fail,
        answered: fail,
        instead: fail,
        end: fail,
      },
    });
    const session = connectHttp2(rig(), proxy);
    expect((await requestHttp2(session)).status).to.equal(404);
    const refused = await requestHttp2(session, { ':path': '/nowhere' });
    expect([refused.status, refused.headers['x-mesher-error']]).to.deep.equal([500, 'MESH_ERR_PLUGIN']);
  });
});
