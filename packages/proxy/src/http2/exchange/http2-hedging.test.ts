import type { ServerHttp2Stream } from 'node:http2';
import { status as Status } from '@grpc/grpc-js';
import { Endpoint, Rejection, type CallHandler } from '@mesher/core';
import { expect } from 'chai';
import { callUnary, grpcClient } from '../../testing/grpc-peers.js';
import { HEDGED, HEDGE_AFTER } from '../../testing/hedged-calls.js';
import {
  connectHttp2,
  requestHttp2,
  startHttp2Server,
  startRawHttp2Server,
  type Http2TestServer,
} from '../../testing/http2-peers.js';
import type { ProxyHarness } from '../../testing/proxy-harness.js';
import { settleSockets, until, useProxyRig } from '../../testing/proxy-rig.js';
import { HeaderBlock } from '../hpack/header-block.js';
import { HeaderField } from '../hpack/header-field.js';

interface Pair {
  readonly proxy: ProxyHarness;
  readonly one: Http2TestServer;
  readonly two: Http2TestServer;
  readonly told: string[];
}

describe('a slow call over HTTP/2', () => {
  const rig = useProxyRig();

  /** Two servers that answer when the test says so; the second one is asked beside the first. */
  async function hedged(handler: Partial<CallHandler> = {}, tryTimeout = Infinity): Promise<Pair> {
    const [one, two] = [await startHttp2Server(rig()), await startHttp2Server(rig())];
    const told: string[] = [];
    const other = new Endpoint('127.0.0.1', two.port, undefined, 1, undefined, 'http2');
    const name = (endpoint: Endpoint | undefined): string => (endpoint === proxy.endpoint ? 'one' : 'two');
    const proxy: ProxyHarness = await rig().proxy({
      upstreamPort: one.port,
      speaks: 'http2',
      handler: {
        ...handler,
        begin: (call) => {
          call.hedgeAfter = HEDGE_AFTER;
          call.tryTimeout = tryTimeout;
          return proxy.endpoint;
        },
        again: (call, failure) => {
          told.push(`again ${name(call.endpoint)} ${failure.code}`);
          return handler.again?.(call, failure) ?? new Rejection(failure.code, failure.message);
        },
        hedge: (call) => (handler.hedge === undefined ? other : handler.hedge(call)),
        lost: (call, endpoint, failure) =>
          void told.push(`lost ${name(endpoint)} ${failure?.code ?? 'race'}, left ${name(call.endpoint)}`),
      },
    });
    return { proxy, one, two, told };
  }

  /** Sends a request and waits until both servers have it. */
  async function sendBoth({ proxy, one, two }: Pair): Promise<{
    readonly answer: ReturnType<typeof requestHttp2>;
    readonly first: ServerHttp2Stream;
    readonly second: ServerHttp2Stream;
  }> {
    const answer = requestHttp2(connectHttp2(rig(), proxy), { ':method': 'POST' }, 'body');
    const first = await one.awaitStream(1);
    await settleSockets();
    rig().time.advance(HEDGED);
    return { answer, first, second: await two.awaitStream(1) };
  }

  function reply(stream: ServerHttp2Stream, body: string, status = 200): void {
    stream.respond({ ':status': status });
    stream.end(body);
  }

  it('gets the answer of the second attempt when that comes first, and the first one is cancelled', async () => {
    const pair = await hedged();
    const { answer, first, second } = await sendBoth(pair);
    let body = '';
    second.on('data', (piece: Buffer) => (body += piece.toString()));
    second.on('end', () => reply(second, 'two'.repeat(100_000)));
    expect(String((await answer).body)).to.equal('two'.repeat(100_000));
    expect(body).to.equal('body');
    await until(() => first.closed);
    expect(pair.told).to.deep.equal(['lost one race, left two']);
    expect((await pair.proxy.awaitOutcomes(1))[0]).to.deep.include({ attempts: 2, status: 200 });
    const { hedgesWon, hedgesLost } = pair.proxy.proxy.stats;
    expect([hedgesWon, hedgesLost]).to.deep.equal([1, 0]);
  });

  it('gets the answer of the first attempt when that comes first, and the second one is cancelled', async () => {
    const pair = await hedged();
    const { answer, first, second } = await sendBoth(pair);
    reply(first, 'one');
    expect(String((await answer).body)).to.equal('one');
    await until(() => second.closed);
    expect(pair.told).to.deep.equal(['lost two race, left one']);
    expect(pair.proxy.proxy.stats.hedgesLost).to.equal(1);
  });

  it('goes on with the second attempt when the first one fails, and is tried again only after both', async () => {
    const pair = await hedged();
    const { answer, first, second } = await sendBoth(pair);
    first.close(2);
    await until(() => pair.told.length === 1);
    second.close(2);
    expect((await answer).status).to.equal(502);
    expect(pair.told).to.deep.equal([
      'lost one MESH_ERR_UPSTREAM_RESET, left two',
      'again two MESH_ERR_UPSTREAM_RESET',
    ]);
  });

  it('throws away an answer that is worth no more than a failure while the other one may still come', async () => {
    const pair = await hedged({ isFailure: (_call, { status }) => status === 503 });
    const { answer, first, second } = await sendBoth(pair);
    reply(second, 'no', 503);
    await until(() => pair.told.length === 1);
    reply(first, 'one');
    expect(String((await answer).body)).to.equal('one');
    expect(pair.told).to.deep.equal(['lost two MESH_ERR_STATUS, left one']);
  });

  it('gives both attempts up when its client is gone', async () => {
    const pair = await hedged();
    const session = connectHttp2(rig(), pair.proxy);
    const answer = requestHttp2(session);
    await pair.one.awaitStream(1);
    await settleSockets();
    rig().time.advance(HEDGED);
    const second = await pair.two.awaitStream(1);
    session.destroy();
    expect((await answer).status).to.equal(0);
    await until(() => pair.one.streams[0].closed && second.closed);
    expect((await pair.proxy.awaitOutcomes(1))[0]).to.deep.include({ aborted: true });
  });

  it('is tried again when an attempt takes longer than it may', async () => {
    const pair = await hedged({ hedge: () => undefined, again: () => pair.proxy.endpoint }, 80);
    const answer = requestHttp2(connectHttp2(rig(), pair.proxy));
    const first = await pair.one.awaitStream(1);
    await settleSockets();
    rig().time.advance(HEDGED);
    const second = await pair.one.awaitStream(2);
    await until(() => first.closed);
    reply(second, 'late');
    expect(String((await answer).body)).to.equal('late');
    expect(pair.told).to.deep.equal(['again one MESH_ERR_TRY_TIMEOUT']);
  });

  it('of gRPC does not take a status right behind its head for an answer that has begun', async () => {
    const [head, unavailable] = [blockOf([':status', '200']), blockOf(['grpc-status', '14'])];
    const { port } = await startRawHttp2Server(rig(), ({ writer }, streamId) => {
      writer.headers(streamId, head, false);
      writer.headers(streamId, unavailable, true);
    });
    const other = new Endpoint('127.0.0.1', port, undefined, 1, undefined, 'http2');
    const { proxy, one, told } = await hedged({
      hedge: () => other,
      isFailure: (_call, { grpcStatus }) => grpcStatus === 14,
    });
    const result = callUnary(grpcClient(rig(), proxy));
    const first = await one.awaitStream(1);
    await settleSockets();
    rig().time.advance(HEDGED);
    await until(() => told.length === 1);
    first.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    first.on('wantTrailers', () => first.sendTrailers({ 'grpc-status': '0' }));
    first.end(Buffer.from([0, 0, 0, 0, 1, 121]));
    expect(await result).to.deep.include({ code: Status.OK, message: Buffer.from('y') });
    expect(told).to.deep.equal(['lost two MESH_ERR_STATUS, left one']);
  });
});

function blockOf(...fields: [string, string][]): HeaderBlock {
  return HeaderBlock.of(fields.map(([name, value]) => new HeaderField(name, value)));
}
