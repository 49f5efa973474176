import { expect } from 'chai';
import { ERRORS, type ErrorCode } from '../../errors.js';
import { outcome } from '../../testing/handler-rig.js';
import { CODE_JUDGEMENTS, FailureStatuses, judge, type Judgement } from './breaker-outcomes.js';

/** Codes that are the fault of the service or of the way to it; every other one says nothing about it. */
const FAILURES: readonly ErrorCode[] = [
  'MESH_ERR_CONNECT',
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

  it('goes by the statuses that are listed, and a connection without one is well', () => {
    const statuses = new FailureStatuses(['http_404', '408', '5xx', 'HTTP_4XY', 'nonsense', '600']);
    const judged = [0, 200, 404, 405, 408, 500, 599].map((status) => judge(outcome({ status }), statuses));
    expect(judged).to.deep.equal(['success', 'success', 'failure', 'success', 'failure', 'failure', 'failure']);
  });
});
