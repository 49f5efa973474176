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

  for (const [code, words] of [
    ['ENOTFOUND', 'is not known to the name service'],
    ['EAI_AGAIN', 'could not be looked up: the name service does not answer'],
  ]) {
    it(`says that a host name ${words.split(':')[0]}`, () => {
      const error = Object.assign(new Error(`getaddrinfo ${code} a.example`), {
        code,
        syscall: 'getaddrinfo',
        hostname: 'a.example',
      });
      expect(describeConnectError(error)).to.equal(`the host name a.example ${words} (getaddrinfo ${code} a.example)`);
    });
  }
});
