import { expect } from 'chai';
import { ERRORS, type ErrorCode } from '../../errors.js';
import { FAILURE, RetryConditions, failureOf } from './retry-conditions.js';

const { connect, reset, timeout } = FAILURE;

describe('the conditions of a retry', () => {
  const rows: readonly (readonly [name: string, failures: number, statuses: readonly number[]])[] = [
    ['connect-failure', connect | reset, []],
    ['refused-stream', connect | reset, []],
    ['reset', connect | reset, []],
    ['timeout', connect | reset | timeout, []],
    ['gateway-error', connect | reset | timeout, [502, 503, 504]],
    ['5xx', connect | reset | timeout, [500, 501, 502, 503, 504, 599]],
    ['retriable-4xx', connect | reset, [409]],
    ['429', connect | reset, [429]],
  ];
  const LOOKED_AT = [200, 301, 400, 404, 409, 429, 499, 500, 501, 502, 503, 504, 599];

  for (const [name, failures, statuses] of rows) {
    it(`${name} stands for exactly its failures and statuses, beside what is always worth another attempt`, () => {
      const conditions = new RetryConditions([name]);
      expect(conditions.failures).to.equal(failures);
      expect(LOOKED_AT.filter((status) => conditions.hasStatus(status))).to.deep.equal(statuses);
      expect(conditions.watchesAnswers).to.equal(statuses.length > 0);
    });
  }

  it('add up', () => {
    const conditions = new RetryConditions(['retriable-4xx', '503']);
    expect([409, 503, 502].map((status) => conditions.hasStatus(status))).to.deep.equal([true, true, false]);
  });

  it('know statuses that no server may send as none of theirs', () => {
    const conditions = new RetryConditions(['5xx']);
    expect([0, 100, 399, 600, 999, -1].filter((status) => conditions.hasStatus(status))).to.deep.equal([]);
  });
});

describe('the failure behind a code', () => {
  it('is one of those that can be repeated for exactly the codes that wires report of attempts', () => {
    const known = (Object.keys(ERRORS) as ErrorCode[]).filter((code) => failureOf(code) !== 0);
    expect(known).to.have.members([
      'MESH_ERR_CONNECT',
      'MESH_ERR_DRAINING',
      'MESH_ERR_LOCAL_DOWN',
      'MESH_ERR_UPSTREAM_RESET',
      'MESH_ERR_BAD_UPSTREAM',
      'MESH_ERR_TRY_TIMEOUT',
      'MESH_ERR_TIMEOUT',
    ]);
  });
});
