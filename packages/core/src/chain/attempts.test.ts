import { expect } from 'chai';
import type { ErrorCode } from '../errors.js';
import type { AttemptFailure } from '../invocation.js';
import type { Random } from '../ports/ports.js';
import { Endpoint } from '../registry/endpoint.js';
import { FakeCall } from '../testing/fake-call.js';
import { fakePorts, type FakeTime } from '../testing/fake-ports.js';
import { Attempts } from './attempts.js';

function failure(code: ErrorCode, facts: Partial<AttemptFailure> = {}): AttemptFailure {
  return { code, message: 'it failed', sent: true, reusedConnection: false, ...facts };
}

describe('the last word about a call', () => {
  it('names the number of attempts, unless there was only one', () => {
    const attempts = new Attempts(fakePorts());
    const call = new FakeCall();
    const messages = [1, 3].map((failed) => {
      call.failedAttempts = failed;
      return attempts.lastWord(call, failure('MESH_ERR_CONNECT')).message;
    });
    expect(messages).to.deep.equal(['it failed', 'it failed (3 attempts)']);
  });
});

describe('the rest of an endpoint', () => {
  const LONGEST: Random = { next: () => 1 - Number.EPSILON };
  const refused = failure('MESH_ERR_CONNECT', { sent: false });
  const REST = { min: 100, max: 1_000 };

  function rig(random?: Random): { time: FakeTime; attempts: Attempts; endpoint: Endpoint } {
    const { time, ...ports } = fakePorts();
    time.advance(1_000);
    const attempts = new Attempts({ ...ports, random: random ?? ports.random });
    return { time, attempts, endpoint: new Endpoint('10.0.0.1', 80) };
  }

  it('begins with a failed connect, and lasts between half of minRest and minRest', () => {
    const { time, attempts, endpoint } = rig();
    attempts.failed(endpoint, refused, REST);
    expect(endpoint.restingUntil - time.now()).to.be.within(50, 100);
    expect(endpoint.connectFailures).to.equal(1);
  });

  it('begins when the instance says that it is going away', () => {
    const { attempts, endpoint } = rig();
    attempts.failed(endpoint, failure('MESH_ERR_DRAINING', { sent: false }), REST);
    expect(endpoint.restingUntil).to.be.greaterThan(0);
  });

  it('does not begin with a failure of a connection that was there', () => {
    const { attempts, endpoint } = rig();
    for (const code of ['MESH_ERR_UPSTREAM_RESET', 'MESH_ERR_BAD_UPSTREAM', 'MESH_ERR_TIMEOUT'] as const) {
      attempts.failed(endpoint, failure(code), REST);
    }
    expect([endpoint.restingUntil, endpoint.connectFailures]).to.deep.equal([0, 0]);
  });

  it('doubles with each failure after a rest, up to maxRest', () => {
    const { time, attempts, endpoint } = rig(LONGEST);
    const rests: number[] = [];
    for (let i = 0; i < 40; i++) {
      attempts.failed(endpoint, refused, REST);
      rests.push(Math.round(endpoint.restingUntil - time.now()));
      time.advance(endpoint.restingUntil - time.now());
    }
    expect(rests.slice(0, 6)).to.deep.equal([100, 200, 400, 800, 1_000, 1_000]);
    expect(rests.at(-1)).to.equal(1_000);
  });

  it('takes a hundred calls that fail together for one failure', () => {
    const { time, attempts, endpoint } = rig();
    for (let i = 0; i < 100; i++) attempts.failed(endpoint, refused, REST);
    expect(endpoint.connectFailures).to.equal(1);
    expect(endpoint.restingUntil - time.now()).to.be.at.most(100);
  });

  it('is prolonged by the failure of the one call that was let through', () => {
    const { time, attempts, endpoint } = rig();
    attempts.failed(endpoint, refused, REST);
    time.advance(100);
    endpoint.restingUntil = time.now() + endpoint.restMs;
    endpoint.probing = true;
    attempts.failed(endpoint, refused, REST);
    expect([endpoint.connectFailures, endpoint.probing]).to.deep.equal([2, false]);
    attempts.failed(endpoint, refused, REST);
    expect(endpoint.connectFailures).to.equal(2);
  });

  it('is over when a connection was made, and the next one begins short again', () => {
    const { time, attempts, endpoint } = rig();
    for (let i = 0; i < 5; i++) {
      attempts.failed(endpoint, refused, REST);
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
    attempts.failed(endpoint, refused, REST);
    expect(endpoint.restingUntil - time.now()).to.be.at.most(100);
  });
});
