import { Metadata, status as Status, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js';
import type { AnswerView, CallHandler } from '@mesher/core';
import { expect } from 'chai';
import { callUnary, grpcClient, startGrpcServer } from '../../testing/grpc-peers.js';
import { startRawHttp2Server } from '../../testing/http2-peers.js';
import type { ProxyHarness } from '../../testing/proxy-harness.js';
import { useProxyRig } from '../../testing/proxy-rig.js';
import { HeaderBlock } from '../hpack/header-block.js';
import { HeaderField } from '../hpack/header-field.js';
import type { RawSession } from '../testing/raw-session.js';

type Answer = sendUnaryData<Buffer>;

const HEAD = blockOf([':status', '200'], ['content-type', 'application/grpc']);
const UNAVAILABLE = blockOf(['grpc-status', '14'], ['grpc-message', 'later'], ['x-mesher-error', 'MESH_ERR_CONNECT']);
const OK = blockOf(['grpc-status', '0']);
/** A message of one byte. */
const MESSAGE = Buffer.from([0, 0, 0, 0, 1, 120]);

function blockOf(...fields: [string, string][]): HeaderBlock {
  return HeaderBlock.of(fields.map(([name, value]) => new HeaderField(name, value)));
}

function answerWell({ writer }: RawSession, streamId: number): void {
  writer.headers(streamId, HEAD, false);
  writer.data(streamId, MESSAGE, 0, MESSAGE.length, false);
  writer.headers(streamId, OK, true);
}

describe('retries of gRPC calls', () => {
  const rig = useProxyRig();

  /** What the handler was shown of answers. */
  let shown: { readonly grpcStatus: number | undefined; readonly message: string | undefined }[] = [];

  beforeEach(() => {
    shown = [];
  });

  /** Tries again for UNAVAILABLE, at most three times in all. */
  async function retrying(upstreamPort: number, handler: Partial<CallHandler> = {}): Promise<ProxyHarness> {
    const proxy: ProxyHarness = await rig().proxy({
      upstreamPort,
      handler: {
        begin: (call) => {
          call.watchesAnswer = true;
          return proxy.endpoint;
        },
        answered: (call, answer: AnswerView) => {
          shown.push({ grpcStatus: answer.grpcStatus, message: answer.header('grpc-message') });
          return answer.grpcStatus === 14 && call.attempts < 3 ? proxy.endpoint : undefined;
        },
        ...handler,
      },
    });
    return proxy;
  }

  it('do not reset the streams of answers that are complete', async () => {
    for (const [head, trailers] of [
      [blockOf([':status', '200'], ['content-type', 'application/grpc'], ['grpc-status', '14']), undefined],
      [HEAD, UNAVAILABLE],
    ] as const) {
      let requests = 0;
      const { port } = await startRawHttp2Server(rig(), (session, streamId) => {
        if (++requests === 3) answerWell(session, streamId);
        else {
          session.writer.headers(streamId, head, trailers === undefined);
          if (trailers !== undefined) session.writer.headers(streamId, trailers, true);
        }
      });
      const proxy = await retrying(port);
      expect((await callUnary(grpcClient(rig(), proxy))).code).to.equal(Status.OK);
      expect([requests, proxy.proxy.stats.http2ResetsSent]).to.deep.equal([3, 0]);
    }
  });

  it('happen when a server answers with a status alone, with the same message and fresh metadata', async () => {
    const received: string[] = [];
    const upstreamPort = await startGrpcServer(rig(), {
      unary: (call: ServerUnaryCall<Buffer, Buffer>, answer: Answer) => {
        received.push(`${String(call.request)} ${call.metadata.get('x-id').join()}`);
        if (received.length < 3) answer({ code: Status.UNAVAILABLE, details: `no-${received.length}` });
        else answer(null, Buffer.from('yes'));
      },
    });
    const proxy = await retrying(upstreamPort);
    const metadata = new Metadata();
    metadata.set('x-id', '7');
    const result = await callUnary(grpcClient(rig(), proxy), 'hello', metadata);
    expect(result.code).to.equal(Status.OK);
    expect(String(result.message)).to.equal('yes');
    expect(received).to.deep.equal(['hello 7', 'hello 7', 'hello 7']);
    expect(shown).to.deep.equal([
      { grpcStatus: 14, message: 'no-1' },
      { grpcStatus: 14, message: 'no-2' },
      { grpcStatus: undefined, message: undefined },
    ]);
    expect((await proxy.awaitOutcomes(1))[0]).to.deep.include({ attempts: 3, grpcStatus: 0 });
  });

  it('leave the last answer as the server gave it', async () => {
    const upstreamPort = await startGrpcServer(rig(), {
      unary: (_call: unknown, answer: Answer) => answer({ code: Status.UNAVAILABLE, details: 'never' }),
    });
    const proxy = await retrying(upstreamPort);
    const result = await callUnary(grpcClient(rig(), proxy));
    expect(result).to.deep.include({ code: Status.UNAVAILABLE, details: 'never' });
    expect((await proxy.awaitOutcomes(1))[0]).to.deep.include({ attempts: 3, grpcStatus: 14, code: undefined });
  });

  it('happen when head and status come one behind the other without a message', async () => {
    let calls = 0;
    const { port } = await startRawHttp2Server(rig(), (session, streamId) => {
      calls++;
      if (calls > 1) return answerWell(session, streamId);
      session.writer.headers(streamId, HEAD, false);
      session.writer.headers(streamId, UNAVAILABLE, true);
    });
    const proxy = await retrying(port);
    const result = await callUnary(grpcClient(rig(), proxy));
    expect(result).to.deep.include({ code: Status.OK });
    expect(shown).to.deep.equal([
      { grpcStatus: 14, message: 'later' },
      { grpcStatus: undefined, message: undefined },
    ]);
  });

  it('do not happen once a message was seen, and the client gets message and status', async () => {
    const { port } = await startRawHttp2Server(rig(), (session, streamId) => {
      session.writer.headers(streamId, HEAD, false);
      session.writer.data(streamId, MESSAGE, 0, MESSAGE.length, false);
      session.writer.headers(streamId, UNAVAILABLE, true);
    });
    const proxy = await retrying(port);
    const call = grpcClient(rig(), proxy).serverStream(Buffer.from('x'));
    const messages: string[] = [];
    call.on('data', (message: Buffer) => messages.push(String(message)));
    const code = await new Promise((resolve) =>
      call.on('error', (error) => resolve((error as { code?: number }).code)),
    );
    expect(code).to.equal(Status.UNAVAILABLE);
    expect(messages).to.deep.equal(['x']);
    expect(shown).to.deep.equal([{ grpcStatus: undefined, message: undefined }]);
    expect((await proxy.awaitOutcomes(1))[0]).to.deep.include({ attempts: 1, grpcStatus: 14 });
  });

  it('do not hold up the head of an answer whose first message takes its time', async () => {
    let finish: (() => void) | undefined;
    const { port } = await startRawHttp2Server(rig(), (session, streamId) => {
      session.writer.headers(streamId, HEAD, false);
      finish = () => {
        session.writer.data(streamId, MESSAGE, 0, MESSAGE.length, false);
        session.writer.headers(streamId, OK, true);
      };
    });
    const proxy = await retrying(port);
    const call = grpcClient(rig(), proxy).serverStream(Buffer.from('x'));
    await new Promise((resolve) => call.once('metadata', resolve));
    finish?.();
    const messages: string[] = [];
    for await (const message of call) messages.push(String(message));
    expect(messages).to.deep.equal(['x']);
    expect(shown).to.deep.equal([{ grpcStatus: undefined, message: undefined }]);
  });

  it('happen when the head was held and the stream is reset right behind it', async () => {
    let calls = 0;
    const { port } = await startRawHttp2Server(rig(), (session, streamId) => {
      calls++;
      if (calls > 1) return answerWell(session, streamId);
      session.writer.headers(streamId, HEAD, false);
      session.writer.reset(streamId, 2);
    });
    const codes: string[] = [];
    const proxy = await retrying(port, {
      again: (_call, failure) => {
        codes.push(failure.code);
        return proxy.endpoint;
      },
    });
    const result = await callUnary(grpcClient(rig(), proxy));
    expect(result.code).to.equal(Status.OK);
    expect(codes).to.deep.equal(['MESH_ERR_UPSTREAM_RESET']);
  });

  it('happen when the sidecar of the peer says that it could not deliver the call', async () => {
    let calls = 0;
    const trailersOnly = blockOf(
      [':status', '200'],
      ['content-type', 'application/grpc'],
      ['grpc-status', '14'],
      ['x-mesher-error', 'MESH_ERR_CONNECT'],
    );
    const { port } = await startRawHttp2Server(rig(), (session, streamId) => {
      calls++;
      if (calls > 1) answerWell(session, streamId);
      else session.writer.headers(streamId, trailersOnly, true);
    });
    const failures: unknown[] = [];
    const proxy: ProxyHarness = await rig().proxy({
      upstreamPort: port,
      handler: {
        again: (_call, { code, sent }) => {
          failures.push({ code, sent });
          return proxy.endpoint;
        },
      },
    });
    expect((await callUnary(grpcClient(rig(), proxy))).code).to.equal(Status.OK);
    expect(failures).to.deep.equal([{ code: 'MESH_ERR_CONNECT', sent: false }]);
  });

  it('do not believe an application that says so in its trailers', async () => {
    const { port } = await startRawHttp2Server(rig(), (session, streamId) => {
      session.writer.headers(streamId, HEAD, false);
      session.writer.headers(streamId, UNAVAILABLE, true);
    });
    const proxy = await retrying(port, { answered: () => undefined, again: () => expect.fail('asked again') });
    expect((await callUnary(grpcClient(rig(), proxy))).code).to.equal(Status.UNAVAILABLE);
  });
});
