import { expect } from 'chai';
import { ERRORS, type ErrorCode } from '../errors.js';
import type { AttemptFailure } from '../invocation.js';
import type { Random } from '../ports/ports.js';
import { Endpoint } from '../registry/endpoint.js';
import { FakeCall, type FakeCallFacts } from '../testing/fake-call.js';
import { fakePorts, type FakeTime } from '../testing/fake-ports.js';
import { Attempts } from './attempts.js';

function failure(code: ErrorCode, facts: Partial<AttemptFailure> = {}): AttemptFailure {
  return { code, message: 'it failed', sent: true, reusedConnection: false, ...facts };
}

function failedOnce(facts: FakeCallFacts = {}): FakeCall {
  const call = new FakeCall(facts);
  call.failedAttempts = 1;
  return call;
}

const POST: FakeCallFacts = { method: 'POST', idempotent: false };

describe('the decision about another attempt', () => {
  const attempts = new Attempts(fakePorts());
  const codes = Object.keys(ERRORS) as ErrorCode[];

  for (const code of codes) {
    const { retryable } = ERRORS[code];
    it(`after ${code} (${retryable}) is right for what was sent and what was not, for any method`, () => {
      const isRepeated = (facts: FakeCallFacts, sent: boolean): boolean =>
        attempts.mayRepeat(failedOnce(facts), failure(code, { sent })) === undefined;
      expect({
        'GET, not sent': isRepeated({}, false),
        'POST, not sent': isRepeated(POST, false),
        'GET, sent': isRepeated({}, true),
        'POST, sent': isRepeated(POST, true),
      }).to.deep.equal({
        'GET, not sent': retryable !== 'no',
        'POST, not sent': retryable !== 'no',
        'GET, sent': retryable === 'maybe-executed',
        'POST, sent': false,
      });
    });
  }

  it('is no without the whole body, even if nothing was sent', () => {
    const call = failedOnce(POST);
    call.bodyReplayable = false;
    expect(attempts.mayRepeat(call, failure('MESH_ERR_CONNECT', { sent: false }))?.code).to.equal('MESH_ERR_CONNECT');
  });

  it('is no once maxAttempts attempts have failed', () => {
    const three = new Attempts(fakePorts(), { maxAttempts: 3, minRest: 1, maxRest: 1 });
    const call = new FakeCall();
    const verdicts = [1, 2, 3].map((failed) => {
      call.failedAttempts = failed;
      return three.mayRepeat(call, failure('MESH_ERR_CONNECT', { sent: false }))?.message;
    });
    expect(verdicts).to.deep.equal([undefined, undefined, 'it failed (3 attempts)']);
  });

  it('does not count for the caller what was a single attempt', () => {
    expect(attempts.lastWord(failedOnce(), failure('MESH_ERR_CONNECT')).message).to.equal('it failed');
  });
});

describe('the rest of an endpoint', () => {
  const LONGEST: Random = { next: () => 1 - Number.EPSILON };
  const refused = failure('MESH_ERR_CONNECT', { sent: false });

  function rig(random?: Random): { time: FakeTime; attempts: Attempts; endpoint: Endpoint } {
    const { time, ...ports } = fakePorts();
    time.advance(1_000);
    const options = { maxAttempts: 3, minRest: 100, maxRest: 1_000 };
    const attempts = new Attempts({ ...ports, random: random ?? ports.random }, options);
    return { time, attempts, endpoint: new Endpoint('10.0.0.1', 80) };
  }

  it('begins with a failed connect, and lasts between half of minRest and minRest', () => {
    const { time, attempts, endpoint } = rig();
    attempts.failed(endpoint, refused);
    expect(endpoint.restingUntil - time.now()).to.be.within(50, 100);
    expect(endpoint.connectFailures).to.equal(1);
  });

  it('begins when the instance says that it is going away', () => {
    const { attempts, endpoint } = rig();
    attempts.failed(endpoint, failure('MESH_ERR_DRAINING', { sent: false }));
    expect(endpoint.restingUntil).to.be.greaterThan(0);
  });

  it('does not begin with a failure of a connection that was there', () => {
    const { attempts, endpoint } = rig();
    for (const code of ['MESH_ERR_UPSTREAM_RESET', 'MESH_ERR_BAD_UPSTREAM', 'MESH_ERR_TIMEOUT'] as const) {
      attempts.failed(endpoint, failure(code));
    }
    expect([endpoint.restingUntil, endpoint.connectFailures]).to.deep.equal([0, 0]);
  });

  it('doubles with each failure after a rest, up to maxRest', () => {
    const { time, attempts, endpoint } = rig(LONGEST);
    const rests: number[] = [];
    for (let i = 0; i < 40; i++) {
      attempts.failed(endpoint, refused);
      rests.push(Math.round(endpoint.restingUntil - time.now()));
      time.advance(endpoint.restingUntil - time.now());
    }
    expect(rests.slice(0, 6)).to.deep.equal([100, 200, 400, 800, 1_000, 1_000]);
    expect(rests.at(-1)).to.equal(1_000);
  });

  it('takes a hundred calls that fail together for one failure', () => {
    const { time, attempts, endpoint } = rig();
    for (let i = 0; i < 100; i++) attempts.failed(endpoint, refused);
    expect(endpoint.connectFailures).to.equal(1);
    expect(endpoint.restingUntil - time.now()).to.be.at.most(100);
  });

  it('is prolonged by the failure of the one call that was let through', () => {
    const { time, attempts, endpoint } = rig();
    attempts.failed(endpoint, refused);
    time.advance(100);
    endpoint.restingUntil = time.now() + endpoint.restMs;
    endpoint.probing = true;
    attempts.failed(endpoint, refused);
    expect([endpoint.connectFailures, endpoint.probing]).to.deep.equal([2, false]);
    attempts.failed(endpoint, refused);
    expect(endpoint.connectFailures).to.equal(2);
  });

  it('is over when a connection was made, and the next one begins short again', () => {
    const { time, attempts, endpoint } = rig();
    for (let i = 0; i < 5; i++) {
      attempts.failed(endpoint, refused);
      time.advance(1_000);
    }
    endpoint.probing = true;
    attempts.reached(endpoint);
    const { restingUntil, restMs, connectFailures, probing } = endpoint;
    expect({ restingUntil, restMs, connectFailures, probing }).to.deep.equal({
      restingUntil: 0,
      restMs: 0,
      connectFailures: 0,
      probing: false,
    });
    attempts.failed(endpoint, refused);
    expect(endpoint.restingUntil - time.now()).to.be.at.most(100);
  });
});
