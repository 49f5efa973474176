import { expect } from 'chai';
import { describeConnectError } from './connect-error.js';

describe('the cause of a failed connect', () => {
  it('is the message of the error', () => {
    expect(describeConnectError(new Error('connect ECONNREFUSED 127.0.0.1:1'))).to.equal(
      'connect ECONNREFUSED 127.0.0.1:1',
    );
  });

  it('names what happened at each address of a host name, whose error has no message of its own', () => {
    const error = new AggregateError([
      new Error('connect ECONNREFUSED ::1:1'),
      new Error('connect ETIMEDOUT 127.0.0.1:1'),
    ]);
    expect(describeConnectError(error)).to.equal('connect ECONNREFUSED ::1:1, connect ETIMEDOUT 127.0.0.1:1');
  });
});
