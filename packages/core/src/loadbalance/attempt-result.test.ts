import { expect } from 'chai';
import { GRPC_STATUS_NAMES, GRPC_STATUS } from '../grpc/status.js';
import { Endpoint } from '../registry/endpoint.js';
import { outcome } from '../testing/handler-rig.js';
import { resultOf } from './attempt-result.js';
import { FAILURE_LATENCY_MS, latencyOf } from './latency.js';

describe('what an attempt says about its endpoint', () => {
  it('goes by the status of gRPC, which stands under HTTP status 200', () => {
    const by = (result: string) =>
      GRPC_STATUS_NAMES.filter((name) => resultOf(outcome({ status: 200, grpcStatus: GRPC_STATUS[name] })) === result);
    expect(by('gateway-error')).to.deep.equal(['DEADLINE_EXCEEDED', 'UNAVAILABLE']);
    expect(by('server-error')).to.deep.equal(['UNKNOWN', 'INTERNAL', 'DATA_LOSS']);
    expect(by('nothing')).to.deep.equal(['CANCELLED']);
  });

  it('takes an answer for an error that lost a race of attempts because of its status', () => {
    expect(resultOf(outcome({ code: 'MESH_ERR_STATUS', status: 0 }))).to.equal('server-error');
    expect(resultOf(outcome({ code: 'MESH_ERR_STATUS', status: 429 }))).to.equal('success');
  });

  it('goes by what Mesher saw itself before any status', () => {
    expect(resultOf(outcome({ code: 'MESH_ERR_CONNECT', status: 200, grpcStatus: 14 }))).to.equal('gateway-error');
    expect(resultOf(outcome({ code: 'MESH_ERR_RATE_LIMITED', status: 200, grpcStatus: 8 }))).to.equal('nothing');
    expect(resultOf(outcome({ aborted: true, status: 200, grpcStatus: 13 }))).to.equal('nothing');
  });
});

describe('the duration that an attempt counts for', () => {
  it('is the time until the answer began where that is known, for a stream may last for hours', () => {
    const endpoint = new Endpoint('10.0.0.1', 80);
    const stream = { status: 200, grpcStatus: 0, durationMs: 3_600_000, beganAfterMs: 7 };
    expect(latencyOf(outcome(stream), endpoint)).to.equal(7);
    expect(latencyOf(outcome({ status: 200, durationMs: 9 }), endpoint)).to.equal(9);
    expect(latencyOf(outcome({ ...stream, grpcStatus: 14 }), endpoint)).to.equal(FAILURE_LATENCY_MS);
  });
});
