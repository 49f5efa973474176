import { Metadata, status as Status } from '@grpc/grpc-js';
import { ERRORS, Rejection, type ErrorCode } from '@mesher/core';
import { expect } from 'chai';
import { callUnary, grpcClient, startGrpcServer } from '../../testing/grpc-peers.js';
import { connectHttp2, requestHttp2, startHttp2Server } from '../../testing/http2-peers.js';
import { useProxyRig } from '../../testing/proxy-rig.js';

describe('a gRPC call that Mesher answers itself', () => {
  const rig = useProxyRig();

  it('gets the gRPC status of the error table, for each of its errors', async () => {
    const codes = Object.keys(ERRORS) as ErrorCode[];
    let code: ErrorCode = codes[0];
    const proxy = await rig().proxy({ handler: { begin: () => new Rejection(code, `about ${code}`, 3) } });
    const client = grpcClient(rig(), proxy);
    for (code of codes) {
      const { trailing, ...result } = await callUnary(client);
      const details = `${code}: about ${code}. ${ERRORS[code].remedy}`;
      expect(result, code).to.deep.include({ code: ERRORS[code].grpcStatus, details });
      expect(trailing.get('x-mesher-error'), code).to.deep.equal(code.startsWith('MESH_ERR_') ? [code] : []);
      expect(trailing.get('retry-after'), code).to.deep.equal(['3']);
    }
    const outcomes = await proxy.awaitOutcomes(codes.length);
    expect(outcomes.map((outcome) => [outcome.code, outcome.grpcStatus, outcome.status])).to.deep.equal(
      codes.map((one) => [one, ERRORS[one].grpcStatus, 200]),
    );
  });

  it('is answered with trailers alone, whose message may be any text', async () => {
    const proxy = await rig().proxy({
      handler: {
        begin: (call) => {
          call.addResponseField('x-policy', 'p');
          call.addResponseField('grpc-status', '0');
          return new Rejection('MESH_ERR_DENIED', 'nö: 100%\nreally', undefined, 'ask');
        },
      },
    });
    const answer = await requestHttp2(
      connectHttp2(rig(), proxy),
      { ':method': 'POST', 'content-type': 'application/grpc+proto', te: 'trailers', 'x-request-id': 'r7' },
      'ignored',
    );
    expect(Object.fromEntries(Object.entries(answer.headers))).to.deep.equal({
      ':status': 200,
      'content-type': 'application/grpc',
      'grpc-status': '7',
      'grpc-message': 'MESH_ERR_DENIED: n%C3%B6: 100%25%0Areally. ask',
      'x-mesher-error': 'MESH_ERR_DENIED',
      'x-request-id': 'r7',
      'x-policy': 'p',
    });
    expect(Object.keys(answer.trailers)).to.deep.equal([]);
    expect(answer.body.length).to.equal(0);
    expect((await callUnary(grpcClient(rig(), proxy))).details).to.equal('MESH_ERR_DENIED: nö: 100%\nreally. ask');
  });

  it('is told that no connection can be made (UNAVAILABLE)', async () => {
    const gone = await startHttp2Server(rig());
    await new Promise((resolve) => gone.server.close(resolve));
    const proxy = await rig().proxy({ upstreamPort: gone.port });
    const result = await callUnary(grpcClient(rig(), proxy));
    expect(result.code).to.equal(Status.UNAVAILABLE);
    expect(result.trailing.get('x-mesher-error')).to.deep.equal(['MESH_ERR_CONNECT']);
  });

  it('is told that its deadline is over (DEADLINE_EXCEEDED), and the server that nobody waits', async () => {
    let onCancelled: (() => void) | undefined;
    const cancelled = new Promise<void>((resolve) => (onCancelled = resolve));
    let onStarted: (() => void) | undefined;
    const started = new Promise<void>((resolve) => (onStarted = resolve));
    const upstreamPort = await startGrpcServer(rig(), {
      unary: (call: NodeJS.EventEmitter) => {
        call.on('cancelled', () => onCancelled?.());
        onStarted?.();
      },
    });
    const proxy = await rig().proxy({
      upstreamPort,
      handler: {
        begin: (call) => {
          call.deadlineAt = call.startedAt + 250;
          return proxy.endpoint;
        },
      },
    });
    const result = callUnary(grpcClient(rig(), proxy));
    await started;
    rig().pass(250);
    await cancelled;
    expect(await result).to.deep.include({ code: Status.DEADLINE_EXCEEDED });
    expect((await result).details).to.match(/within the deadline of 250 ms/);
    expect(proxy.proxy.stats.timeouts).to.equal(1);
  });

  it('is told of a plugin that fails (INTERNAL)', async () => {
    const proxy = await rig().proxy({
      handler: {
        begin: () => {
          throw new Error('broken plugin');
        },
      },
    });
    const result = await callUnary(grpcClient(rig(), proxy), 'x', new Metadata());
    const details = `MESH_ERR_PLUGIN: broken plugin. ${ERRORS.MESH_ERR_PLUGIN.remedy}`;
    expect(result).to.deep.include({ code: Status.INTERNAL, details });
  });

  it('is no answer of gRPC for application/grpc-web, which is another protocol', async () => {
    const proxy = await rig().proxy({ handler: { begin: () => new Rejection('MESH_ERR_DENIED') } });
    const answer = await requestHttp2(connectHttp2(rig(), proxy), { 'content-type': 'application/grpc-web' });
    expect(answer.status).to.equal(403);
    expect(JSON.parse(String(answer.body))).to.deep.include({ code: 'MESH_ERR_DENIED' });
  });
});
