import { expect } from 'chai';
import { ERRORS, type ErrorCode } from '../../errors.js';
import { outcome } from '../../testing/handler-rig.js';
import { FakeCall } from '../../testing/fake-call.js';
import {
  CODE_JUDGEMENTS,
  FailureStatuses,
  judge,
  judgeBeginning,
  judgeCall,
  type Judgement,
} from './breaker-outcomes.js';

/** Codes that are the fault of the service or of the way to it; every other one says nothing about it. */
const FAILURES: readonly ErrorCode[] = [
  'MESH_ERR_CONNECT',
  'MESH_ERR_LOCAL_DOWN',
  'MESH_ERR_UPSTREAM_RESET',
  'MESH_ERR_BAD_UPSTREAM',
  'MESH_ERR_TIMEOUT',
  'MESH_ERR_TRY_TIMEOUT',
  'MESH_ERR_STATUS',
];

const SERVER_ERRORS = new FailureStatuses(['5xx']);

describe('what the end of a call says about the service', () => {
  for (const code of Object.keys(ERRORS) as ErrorCode[]) {
    const expected: Judgement = FAILURES.includes(code) || code === 'MESH_ERR_FAULT_INJECTED' ? 'failure' : 'neither';

    it(`is ${expected} for ${code}, and nothing when the client left`, () => {
      const { status } = ERRORS[code];
      expect(judge(outcome({ code, status }), SERVER_ERRORS)).to.equal(expected);
      expect(judge(outcome({ code, status, aborted: true }), SERVER_ERRORS)).to.equal('neither');
    });
  }

  it('has a row for each code and no other', () => {
    expect(CODE_JUDGEMENTS).to.have.all.keys(Object.keys(ERRORS));
  });

  it('goes by the status of an injected fault', () => {
    const fault = (status: number) => judge(outcome({ code: 'MESH_ERR_FAULT_INJECTED', status }), SERVER_ERRORS);
    expect([fault(404), fault(500)]).to.deep.equal(['success', 'failure']);
  });

  it('goes by the status of gRPC where there is one, and takes an answer that was given up for neither', () => {
    const judged = (grpcStatus: number, failures = SERVER_ERRORS) =>
      judge(outcome({ status: 200, grpcStatus }), failures);
    expect([0, 1, 3, 8, 12, 13, 14].map((status) => judged(status))).to.deep.equal([
      'success',
      'neither',
      'success',
      'success',
      'success',
      'failure',
      'failure',
    ]);
    expect(judged(1, new FailureStatuses(['cancelled']))).to.equal('failure');
    expect(judged(14, new FailureStatuses(['grpc_8', 'internal']))).to.equal('success');
  });

  it('goes by the gRPC status of an injected fault', () => {
    const fault = (grpcStatus: number) =>
      judge(outcome({ code: 'MESH_ERR_FAULT_INJECTED', status: 200, grpcStatus }), SERVER_ERRORS);
    expect([fault(5), fault(14)]).to.deep.equal(['success', 'failure']);
  });

  it('is nothing when the application says that the time is over which the caller of an inbound call gave it', () => {
    const call = new FakeCall({ protocol: 'grpc', direction: 'inbound' });
    call.deadlineAt = 100;
    const ended = (durationMs: number) =>
      judgeCall(call, outcome({ status: 200, grpcStatus: 4, durationMs }), SERVER_ERRORS);
    expect([ended(101), ended(50)]).to.deep.equal(['neither', 'failure']);
    call.deadlineIsOurs = true;
    expect(ended(101)).to.equal('failure');
  });

  it('goes by the statuses that are listed, and a connection without one is well', () => {
    const statuses = new FailureStatuses(['http_404', '408', '5xx', 'HTTP_4XY', 'nonsense', '600']);
    const judged = [0, 200, 404, 405, 408, 500, 599].map((status) => judge(outcome({ status }), statuses));
    expect(judged).to.deep.equal(['success', 'success', 'failure', 'success', 'failure', 'failure', 'failure']);
  });
});

describe('what the beginning of an answer says about the service', () => {
  const grpc = new FakeCall({ protocol: 'grpc' });
  const judged = (call: FakeCall, status: number, grpcStatus?: number) =>
    judgeBeginning(call, status, grpcStatus, SERVER_ERRORS);

  it('is all for HTTP, and for a connection that stands', () => {
    expect([0, 200, 404, 503].map((status) => judged(new FakeCall(), status))).to.deep.equal([
      'success',
      'success',
      'success',
      'failure',
    ]);
  });

  it('is nothing yet for gRPC, unless the answer is over with it or comes from somebody else', () => {
    expect(judged(grpc, 200)).to.equal(undefined);
    expect([0, 1, 14].map((status) => judged(grpc, 200, status))).to.deep.equal(['success', 'neither', 'failure']);
    expect([503, 404].map((status) => judged(grpc, status))).to.deep.equal(['failure', 'success']);
  });
});
