import { once } from 'node:events';
import { Metadata, status as Status, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js';
import type { ServerDuplexStream, ServerReadableStream, ServerWritableStream } from '@grpc/grpc-js';
import { expect } from 'chai';
import { callUnary, grpcClient, startGrpcServer, type EchoClient } from '../../testing/grpc-peers.js';
import type { ProxyHarness } from '../../testing/proxy-harness.js';
import { startHttp2Server, startRawHttp2Server } from '../../testing/http2-peers.js';
import { settleSockets, useProxyRig } from '../../testing/proxy-rig.js';
import { HeaderBlock } from '../hpack/header-block.js';
import { HeaderField } from '../hpack/header-field.js';

type Unary = ServerUnaryCall<Buffer, Buffer>;
type Answer = sendUnaryData<Buffer>;

const TEN_MEGABYTES = 10 * 1024 * 1024;

function metadataOf(fields: Readonly<Record<string, string | Buffer>>): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(fields)) metadata.add(name, value);
  return metadata;
}

describe('a gRPC call through the proxy', () => {
  const rig = useProxyRig();

  async function serving(
    implementation: Parameters<typeof startGrpcServer>[1],
  ): Promise<{ readonly proxy: ProxyHarness; readonly client: EchoClient }> {
    const upstreamPort = await startGrpcServer(rig(), implementation);
    const proxy = await rig().proxy({ upstreamPort });
    return { proxy, client: grpcClient(rig(), proxy) };
  }

  it('brings message, metadata, binary metadata and trailers to the other side as they were sent', async () => {
    let received: Metadata | undefined;
    const { proxy, client } = await serving({
      unary: (call: Unary, answer: Answer) => {
        received = call.metadata;
        call.sendMetadata(metadataOf({ 'x-head': 'h', 'y-bin': Buffer.from([0, 255, 1]) }));
        answer(null, Buffer.concat([call.request, call.request]), metadataOf({ 'x-tail': 't' }));
      },
    });
    const sent = metadataOf({ 'x-one': 'a', 'x-bin': Buffer.from([1, 2, 250]) });
    sent.add('x-one', 'b');
    const result = await callUnary(client, 'ab', sent);
    expect(result.code).to.equal(Status.OK);
    expect(String(result.message)).to.equal('abab');
    expect(received?.get('x-one').join()).to.equal('a, b');
    expect(received?.get('x-bin')).to.deep.equal([Buffer.from([1, 2, 250])]);
    expect(result.initial?.get('x-head')).to.deep.equal(['h']);
    expect(result.initial?.get('y-bin')).to.deep.equal([Buffer.from([0, 255, 1])]);
    expect(result.trailing.get('x-tail')).to.deep.equal(['t']);
    const [outcome] = await proxy.awaitOutcomes(1);
    expect(outcome).to.deep.include({ status: 200, grpcStatus: 0, code: undefined, aborted: false, method: 'POST' });
    expect(outcome.path).to.equal('/test.Echo/Unary');
  });

  it('is of the protocol grpc, and its bytes are counted with their framing', async () => {
    const upstreamPort = await startGrpcServer(rig(), {
      unary: (_call: Unary, answer: Answer) => answer(null, Buffer.alloc(100)),
    });
    const seen: unknown[] = [];
    const proxy = await rig().proxy({
      upstreamPort,
      handler: {
        begin: (call) => {
          seen.push(call.protocol, call.header('host') === call.authority, call.header('content-type'));
          return proxy.endpoint;
        },
        end: ({ requestBytes, responseBytes }) => void seen.push(requestBytes, responseBytes),
      },
    });
    await callUnary(grpcClient(rig(), proxy), 'abc');
    expect(seen).to.deep.equal(['grpc', true, 'application/grpc', 8, 105]);
  });

  it('passes on an error with its message and trailers, also when it is all of the answer', async () => {
    const { proxy, client } = await serving({
      unary: (_call: Unary, answer: Answer) =>
        answer({ code: Status.FAILED_PRECONDITION, details: 'nö: 100%', metadata: metadataOf({ 'x-why': 'because' }) }),
    });
    const result = await callUnary(client);
    expect(result).to.deep.include({ code: Status.FAILED_PRECONDITION, details: 'nö: 100%', message: undefined });
    expect(result.trailing.get('x-why')).to.deep.equal(['because']);
    const [outcome] = await proxy.awaitOutcomes(1);
    expect(outcome).to.deep.include({ status: 200, grpcStatus: 9, code: undefined });
  });

  it('passes on an error that comes after messages, with its trailers', async () => {
    const { proxy, client } = await serving({
      serverStream: (call: ServerWritableStream<Buffer, Buffer>) => {
        call.write(Buffer.from('one'));
        call.emit('error', { code: Status.DATA_LOSS, details: 'gone', metadata: metadataOf({ 'x-at': '1' }) });
      },
    });
    const call = client.serverStream(Buffer.from('x'));
    const messages: string[] = [];
    call.on('data', (message: Buffer) => messages.push(String(message)));
    const [error] = (await once(call, 'error')) as [{ code: number; details: string; metadata: Metadata }];
    expect(messages).to.deep.equal(['one']);
    expect(error).to.deep.include({ code: Status.DATA_LOSS, details: 'gone' });
    expect(error.metadata.get('x-at')).to.deep.equal(['1']);
    expect((await proxy.awaitOutcomes(1))[0]).to.deep.include({ status: 200, grpcStatus: 15 });
  });

  it('streams from the server: the first message arrives before the last is sent', async () => {
    let sendLast: (() => void) | undefined;
    const { client } = await serving({
      serverStream: (call: ServerWritableStream<Buffer, Buffer>) => {
        call.write(Buffer.from('first'));
        sendLast = () => {
          call.write(Buffer.from('last'));
          call.end();
        };
      },
    });
    const call = client.serverStream(Buffer.from('x'));
    const [first] = (await once(call, 'data')) as [Buffer];
    expect(String(first)).to.equal('first');
    sendLast?.();
    const [last] = (await once(call, 'data')) as [Buffer];
    expect(String(last)).to.equal('last');
    await once(call, 'end');
  });

  it('streams from the client: the server has the first message before the last is sent', async () => {
    const received: string[] = [];
    let onFirst: (() => void) | undefined;
    const hasFirst = new Promise<void>((resolve) => (onFirst = resolve));
    const { client } = await serving({
      clientStream: (call: ServerReadableStream<Buffer, Buffer>, answer: Answer) => {
        call.on('data', (message: Buffer) => {
          received.push(String(message));
          onFirst?.();
        });
        call.on('end', () => answer(null, Buffer.from(received.join())));
      },
    });
    const result = new Promise<Buffer | undefined>((resolve) => {
      const call = client.clientStream(new Metadata(), {}, (_error, message) => resolve(message));
      call.write(Buffer.from('first'));
      void hasFirst.then(() => {
        expect(received).to.deep.equal(['first']);
        call.write(Buffer.from('last'));
        call.end();
      });
    });
    expect(String(await result)).to.equal('first,last');
  });

  it('streams both ways in turn', async () => {
    const { client } = await serving({
      bidirectional: (call: ServerDuplexStream<Buffer, Buffer>) => {
        call.on('data', (message: Buffer) => call.write(Buffer.from(`re: ${message.toString()}`)));
        call.on('end', () => call.end());
      },
    });
    const call = client.bidirectional();
    for (let i = 0; i < 20; i++) {
      call.write(Buffer.from(`${i}`));
      const [answer] = (await once(call, 'data')) as [Buffer];
      expect(String(answer)).to.equal(`re: ${i}`);
    }
    call.end();
    call.resume();
    await once(call, 'end');
  });

  it('carries 10 MB each way at once, byte for byte', async () => {
    const { proxy, client } = await serving({
      unary: (call: Unary, answer: Answer) => answer(null, call.request),
    });
    const message = Buffer.alloc(TEN_MEGABYTES);
    for (let i = 0; i < message.length; i += 997) message[i] = i & 0xff;
    const [one, two] = await Promise.all([callUnary(client, message), callUnary(client, message)]);
    expect(one.message?.equals(message)).to.equal(true);
    expect(two.message?.equals(message)).to.equal(true);
    const outcomes = await proxy.awaitOutcomes(2);
    expect(outcomes.map(({ grpcStatus }) => grpcStatus)).to.deep.equal([0, 0]);
  });

  it('is cancelled at the server when the client cancels it', async () => {
    let onCancelled: (() => void) | undefined;
    const cancelled = new Promise<void>((resolve) => (onCancelled = resolve));
    let onStarted: (() => void) | undefined;
    const started = new Promise<void>((resolve) => (onStarted = resolve));
    const { proxy, client } = await serving({
      unary: (call: Unary) => {
        call.on('cancelled', () => onCancelled?.());
        onStarted?.();
      },
    });
    const result = callUnary(client, 'x', new Metadata(), {}, (call) => void started.then(() => call.cancel()));
    await cancelled;
    expect((await result).code).to.equal(Status.CANCELLED);
    const [outcome] = await proxy.awaitOutcomes(1);
    expect(outcome).to.deep.include({ status: 0, aborted: true, grpcStatus: undefined });
    expect(proxy.proxy.stats.clientAborts).to.equal(1);
  });

  it('is cancelled at the server in the midst of a stream, too', async () => {
    let onCancelled: (() => void) | undefined;
    const cancelled = new Promise<void>((resolve) => (onCancelled = resolve));
    const { proxy, client } = await serving({
      bidirectional: (call: ServerDuplexStream<Buffer, Buffer>) => {
        call.on('cancelled', () => onCancelled?.());
        call.write(Buffer.from('hello'));
      },
    });
    const call = client.bidirectional();
    call.on('error', () => undefined);
    await once(call, 'data');
    call.cancel();
    await cancelled;
    expect((await proxy.awaitOutcomes(1))[0]).to.deep.include({ status: 200, aborted: true });
  });

  it('tells how long its answer took to begin, and its status by that of HTTP where it says none', async () => {
    const upstream = await startHttp2Server(rig(), (stream, { ':path': path }) => {
      rig().time.advance(7);
      stream.respond({ ':status': path === '/test.Echo/Unary' ? 503 : 404, 'content-type': 'text/plain' });
      stream.write('no');
      void settleSockets().then(() => {
        rig().time.advance(5);
        stream.end();
      });
    });
    const begun: unknown[] = [];
    const proxy: ProxyHarness = await rig().proxy({
      upstreamPort: upstream.port,
      handler: {
        begin: (call) => {
          call.watchesBeginning = true;
          return proxy.endpoint;
        },
        begun: (_call, status, grpcStatus) => void begun.push([status, grpcStatus]),
      },
    });
    expect((await callUnary(grpcClient(rig(), proxy))).code).to.equal(Status.UNAVAILABLE);
    const [outcome] = await proxy.awaitOutcomes(1);
    expect(outcome).to.deep.include({ status: 503, grpcStatus: 14, code: undefined, durationMs: 12, beganAfterMs: 7 });
    expect(begun).to.deep.equal([[503, undefined]]);
  });

  it('ends with UNAVAILABLE when its instance is gone in the midst of a stream', async () => {
    const head = HeaderBlock.of([
      new HeaderField(':status', '200'),
      new HeaderField('content-type', 'application/grpc'),
    ]);
    const { port, sessions } = await startRawHttp2Server(rig(), ({ writer }, streamId) => {
      writer.headers(streamId, head, false);
      writer.data(streamId, Buffer.from([0, 0, 0, 0, 1, 120]), 0, 6, false);
    });
    const proxy = await rig().proxy({ upstreamPort: port });
    const call = grpcClient(rig(), proxy).bidirectional();
    await once(call, 'data');
    sessions[0].socket.destroy();
    const [error] = (await once(call, 'error')) as [{ code: number; metadata: Metadata }];
    expect(error.code).to.equal(Status.UNAVAILABLE);
    expect(error.metadata.get('x-mesher-error')).to.deep.equal(['MESH_ERR_BAD_UPSTREAM']);
    const [outcome] = await proxy.awaitOutcomes(1);
    expect(outcome).to.deep.include({ status: 200, grpcStatus: 14, code: 'MESH_ERR_BAD_UPSTREAM' });
  });

  it('ends with DEADLINE_EXCEEDED when both sides of a stream are silent for too long, before and after its head', async () => {
    const { proxy, client } = await serving({
      bidirectional: (call: ServerDuplexStream<Buffer, Buffer>) => {
        call.on('data', (message: Buffer) => call.write(message));
      },
    });
    for (const talks of [false, true]) {
      const call = client.bidirectional();
      const failed = once(call, 'error') as Promise<[{ code: number; details: string }]>;
      if (talks) {
        call.write(Buffer.from('x'));
        await once(call, 'data');
      } else await proxy.awaitBegun(1);
      await rig().passSlowly(299_000);
      expect(proxy.outcomes.length).to.equal(talks ? 1 : 0);
      await rig().passSlowly(1000);
      const [error] = await failed;
      expect(error.code).to.equal(Status.DEADLINE_EXCEEDED);
      if (!talks) expect(error.details).to.match(/Neither the client nor 127.0.0.1:\d+ said anything for 300000 ms/);
    }
  });

  it('without a deadline may wait for its first message as long as for another one, and with a deadline until then', async () => {
    const upstreamPort = await startGrpcServer(rig(), { serverStream: () => undefined });
    const proxy: ProxyHarness = await rig().proxy({
      upstreamPort,
      handler: {
        begin: (call) => {
          call.deadlineAt = call.startedAt + Number(call.header('x-deadline'));
          call.deadlineIsOurs = call.header('x-whose') === 'ours';
          return proxy.endpoint;
        },
      },
    });
    const client = grpcClient(rig(), proxy);
    const cases: [deadline: string, whose: string, isAfter: number, told: RegExp][] = [
      ['Infinity', 'nobody', 300_000, /:\d+ said nothing for 300000 ms/],
      ['60000', 'theirs', 60_000, /within the deadline of 60000 ms/],
      ['600000', 'theirs', 600_000, /within the deadline of 600000 ms/],
      ['600000', 'ours', 600_000, /within the deadline of 600000 ms/],
    ];
    for (const [i, [deadline, whose, endsAfter, told]] of cases.entries()) {
      const call = client.serverStream(Buffer.from('x'), metadataOf({ 'x-deadline': deadline, 'x-whose': whose }));
      const failed = once(call, 'error') as Promise<[{ code: number; details: string }]>;
      await proxy.awaitBegun(i + 1);
      await rig().passSlowly(endsAfter - 1000);
      expect(proxy.outcomes.length).to.equal(i);
      await rig().passSlowly(1000);
      const [error] = await failed;
      expect(error.code).to.equal(Status.DEADLINE_EXCEEDED);
      expect(error.details).to.match(told);
    }
  });

  it('goes over one upstream connection with a thousand others, and all are answered', async () => {
    const { proxy, client } = await serving({
      unary: (call: Unary, answer: Answer) => answer(null, call.request),
    });
    await callUnary(client);
    const results = await Promise.all(Array.from({ length: 1000 }, (_, i) => callUnary(client, `${i}`)));
    expect(results.map(({ message }) => String(message))).to.deep.equal(results.map((_, i) => `${i}`));
    expect(proxy.proxy.stats.upstreamConnects).to.be.lessThan(17);
    expect((await proxy.awaitOutcomes(1001)).every(({ grpcStatus }) => grpcStatus === 0)).to.equal(true);
  });
});
