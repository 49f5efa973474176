import { Server, ServerCredentials, status, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js';
import { expect } from 'chai';
import type { HealthResult } from '@mesher/core';
import { freePort, targetOf, tcpServer } from '../testing/local-servers.js';
import { GRPC_CHECKER } from './grpc-checker.js';

const NEVER = new AbortController().signal;

/** What the server answers about a service: bytes of a HealthCheckResponse, a gRPC status, or nothing at all. */
type Answer = { readonly bytes: readonly number[] } | { readonly code: status } | 'silence';

describe('a check by gRPC', () => {
  let server: Server;
  let port: number;
  let answers: Record<string, Answer>;
  const asked: string[] = [];
  before(async () => {
    server = new Server();
    server.addService(
      {
        check: {
          path: '/grpc.health.v1.Health/Check',
          requestStream: false,
          responseStream: false,
          requestSerialize: (bytes: Buffer) => bytes,
          requestDeserialize: (bytes: Buffer) => bytes,
          responseSerialize: (bytes: Buffer) => bytes,
          responseDeserialize: (bytes: Buffer) => bytes,
        },
      },
      {
        check: ({ request }: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>) => {
          const service = request.subarray(2).toString();
          asked.push(service);
          const answer = answers[service] ?? { code: status.NOT_FOUND };
          if (answer === 'silence') return;
          if ('bytes' in answer) callback(null, Buffer.from(answer.bytes));
          else callback({ code: answer.code });
        },
      },
    );
    port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
  });
  beforeEach(() => (answers = {}));
  after(() => server.forceShutdown());

  function check(uri?: string, signal = NEVER): Promise<HealthResult> {
    return GRPC_CHECKER.check(targetOf(port, uri === undefined ? {} : { uri }), signal);
  }

  it('is passed by a server that serves, as a whole or the service that uri names', async () => {
    answers = { '': { bytes: [0x08, 1] }, 'shop.Orders': { bytes: [0x08, 2] } };
    expect(await check()).to.deep.equal({ healthy: true, detail: 'SERVING' });
    expect(await check('/shop.Orders')).to.deep.equal({ healthy: false, detail: 'NOT_SERVING' });
    expect(asked.slice(-2)).to.deep.equal(['', 'shop.Orders']);
  });

  it('says what to do when the server does not know the service, or has no health at all', async () => {
    expect((await check('/nobody')).detail).to.include('does not know the service');
    answers = { '': { code: status.UNIMPLEMENTED } };
    expect((await check()).detail).to.include('no grpc.health.v1.Health');
  });

  it('fails for an answer that is none', async () => {
    answers = { '': { bytes: [0x08] } };
    expect((await check()).healthy).to.equal(false);
    const web = await tcpServer((socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'));
    const result = await GRPC_CHECKER.check(targetOf(web.port), NEVER);
    expect(result.healthy).to.equal(false);
    await web.close();
  });

  it('says that nobody listens, and finds the server when it is there a moment later', async () => {
    expect(await GRPC_CHECKER.check(targetOf(await freePort()), NEVER)).to.include({ healthy: false, refused: true });
    answers = { '': { bytes: [0x08, 1] } };
    expect((await check()).healthy).to.equal(true);
  });

  it('ends when it is told to', async () => {
    answers = { '': 'silence' };
    const stop = new AbortController();
    const result = check(undefined, stop.signal);
    stop.abort();
    expect((await result).healthy).to.equal(false);
    expect((await check(undefined, AbortSignal.abort())).healthy).to.equal(false);
  });
});
