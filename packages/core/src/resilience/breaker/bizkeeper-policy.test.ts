import { expect } from 'chai';
import type { Outcome } from '../../invocation.js';
import { Endpoint } from '../../registry/endpoint.js';
import { outcome } from '../../testing/handler-rig.js';
import { BREAKER, FAILED, bizkeeperRig, times } from '../../testing/bizkeeper-rig.js';

describe('the circuit breaker of bizkeeper', () => {
  it('opens on 5xx, says why and until when, lets probes through and closes', async () => {
    const { make, time, events } = await bizkeeperRig(BREAKER);
    times(2, () => make());
    times(2, () => make({}, FAILED));
    const refusal = make();
    expect(refusal).to.include({ code: 'MESH_ERR_BREAKER_OPEN', status: 503, retryAfterSeconds: 15 });
    expect(refusal?.message).to.equal(
      'The circuit breaker of world is open: 2 of 4 calls failed (50 %); the next probe is in 15 s',
    );
    time.advance(14_500);
    expect(make()?.retryAfterSeconds).to.equal(1);
    time.advance(500);
    expect(make()).to.equal(undefined);
    expect(make()).to.equal(undefined);
    expect(events.latest.map(({ kind }) => kind)).to.deep.equal([
      'breaker-opened',
      'breaker-half-open',
      'breaker-closed',
    ]);
  });

  it('never opens unless it is enabled', async () => {
    const { make } = await bizkeeperRig('cse:\n  circuitBreaker:\n    Consumer:\n      requestVolumeThreshold: 1\n');
    times(50, () => make({}, FAILED));
    expect(make()).to.equal(undefined);
  });

  it('counts each call that ended with a listed status, and those alone', async () => {
    const yaml = `${BREAKER}      failureStatuses: 429\nservicecomb:\n  transport:\n    failure:\n      rest: http_404\n`;
    const { make } = await bizkeeperRig(yaml);
    times(10, () => make({}, { status: 500 }));
    expect(make({}, { status: 429 })).to.equal(undefined);
    times(10, () => make({}, { status: 404 }));
    expect(make()?.message).to.contain('10 of 20');
  });

  it('takes what a service does not set from the side', async () => {
    const { make } = await bizkeeperRig(`${BREAKER}      world:\n        errorThresholdPercentage: 100\n`);
    make();
    times(5, () => make({}, FAILED));
    expect(make()).to.equal(undefined);
    times(4, () => make({ service: 'other' }, FAILED));
    expect(make({ service: 'other' })?.code).to.equal('MESH_ERR_BREAKER_OPEN');
  });

  it('keeps what was counted, and open breakers open, when something else changes', async () => {
    const { make, reconfigure } = await bizkeeperRig(BREAKER);
    times(3, () => make({}, FAILED));
    await reconfigure(`${BREAKER}      other:\n        enabled: false\n`);
    make({}, FAILED);
    expect(make()?.message).to.contain('4 of 4');
    await reconfigure(`${BREAKER}      sleepWindowInMilliseconds: 99\n`);
    expect(make()?.retryAfterSeconds).to.equal(15);
  });

  it('can be forced open and closed while it runs, and comes back to the state that it had', async () => {
    const { make, reconfigure } = await bizkeeperRig(BREAKER);
    times(4, () => make({}, FAILED));
    await reconfigure(`${BREAKER}      forceClosed: true\n`);
    expect(make({}, FAILED)).to.equal(undefined);
    await reconfigure(`${BREAKER}      forceClosed: true\n      forceOpen: true\n`);
    const forced = make();
    expect(forced?.message).to.contain('cse.circuitBreaker.Consumer.forceOpen');
    expect(forced?.retryAfterSeconds).to.equal(undefined);
    await reconfigure(BREAKER);
    expect(make()?.message).to.contain('4 of 4');
  });

  it('begins anew when it is switched off and on, or stands for something else', async () => {
    const { make, reconfigure } = await bizkeeperRig(BREAKER);
    times(4, () => make({}, FAILED));
    await reconfigure('cse:\n  circuitBreaker:\n    scope: service\n');
    expect(make()).to.equal(undefined);
    await reconfigure(BREAKER);
    expect(make()).to.equal(undefined);
    times(3, () => make({}, FAILED));
    expect(make()?.code).to.equal('MESH_ERR_BREAKER_OPEN');
    await reconfigure(BREAKER.replace('scope: service', 'scope: api'));
    expect(make()).to.equal(undefined);
  });

  it('has one breaker per API by default', async () => {
    const { make } = await bizkeeperRig(BREAKER.replace('    scope: service\n', ''));
    times(4, (i) => make({ path: `/users/${i}?x=1` }, FAILED));
    expect(make({ path: '/users/99' })?.message).to.contain('world (GET /users/{id})');
    expect(make({ path: '/users/99', method: 'DELETE' })).to.equal(undefined);
    expect(make({ path: '/orders/99' })).to.equal(undefined);
  });

  for (const protocol of ['http', 'tcp'] as const) {
    it(`closes when its probes are answered well, although their ${protocol} streams go on for hours`, async () => {
      const { make, call, begin, end, policy, time } = await bizkeeperRig(BREAKER);
      times(4, () => make({ protocol }, { status: 0, code: 'MESH_ERR_CONNECT' }));
      time.advance(15_000);
      const streams = [call({ protocol }), call({ protocol })];
      for (const stream of streams) {
        expect(begin(stream)).to.equal(undefined);
        expect(stream.watchesBeginning).to.equal(true);
        policy.answerBegan?.(stream, protocol === 'tcp' ? 0 : 200);
      }
      times(20, () => expect(make({ protocol })).to.equal(undefined));
      const later = call({ protocol });
      begin(later);
      expect(later.watchesBeginning).to.equal(false);
      // What becomes of them in the end is no news about the service as it is then.
      for (const stream of streams) end(stream, { status: 0, code: 'MESH_ERR_UPSTREAM_RESET' });
      times(3, () => make({ protocol }, FAILED));
      expect(make({ protocol })).to.equal(undefined);
    });
  }

  it('opens again when its probes are answered with failures, and counts each of them once', async () => {
    const { make, call, begin, end, policy, time } = await bizkeeperRig(BREAKER);
    times(4, () => make({}, FAILED));
    time.advance(15_000);
    const probe = call();
    begin(probe);
    policy.answerBegan?.(probe, 503);
    end(probe, FAILED);
    expect(make({}, FAILED)).to.equal(undefined);
    expect(make()?.code).to.equal('MESH_ERR_BREAKER_OPEN');
  });

  it('gives back the probe of a call that the bulkhead refuses', async () => {
    const yaml = `${BREAKER}      halfOpenProbes: 1\n  isolation:\n    Consumer:\n      maxConcurrentRequests: 1\n`;
    const { make, call, begin, end, time } = await bizkeeperRig(yaml);
    const long = call();
    begin(long);
    end(long, FAILED);
    times(3, () => make({}, FAILED));
    time.advance(15_000);
    const probe = call();
    expect(begin(probe)).to.equal(undefined);
    expect(make()?.code).to.equal('MESH_ERR_BREAKER_OPEN');
    end(probe, { aborted: true });
    expect(make()).to.equal(undefined);
    expect(make()).to.equal(undefined);
  });

  it('does not count what the bulkhead refused, nor callers that left', async () => {
    const yaml = `${BREAKER}  isolation:\n    Consumer:\n      maxConcurrentRequests: 1\n`;
    const { make, call, begin, end } = await bizkeeperRig(yaml);
    const first = call();
    begin(first);
    times(20, () => expect(make()?.code).to.equal('MESH_ERR_BULKHEAD_FULL'));
    end(first, { aborted: true, status: 0 });
    times(20, () => make({}, { aborted: true, status: 0 }));
    times(3, () => make({}, FAILED));
    expect(make()).to.equal(undefined);
  });

  it('forgets what is under way when it is switched off: nothing shows a breaker that is no more', async () => {
    const { make, call, begin, end, events, reconfigure } = await bizkeeperRig(BREAKER);
    times(3, () => make({}, FAILED));
    const late = call();
    begin(late);
    await reconfigure('cse:\n  circuitBreaker:\n    scope: service\n');
    make();
    end(late, FAILED);
    expect(events.latest).to.deep.equal([]);
  });

  for (const scope of ['service', 'instance'] as const) {
    it(`does not take connections that stay open for long for slow calls, with the scope ${scope}`, async () => {
      const yaml = `${BREAKER.replace('scope: service', `scope: ${scope}`)}      slowCallDurationInMilliseconds: 100\n      slowCallThresholdPercentage: 50\n`;
      const { make, call, policy, events } = await bizkeeperRig(yaml);
      const endpoint = new Endpoint('10.0.0.1', 80);
      const attempt = (protocol: 'http' | 'tcp'): void => {
        const lasting = outcome({ durationMs: 3_600_000 });
        if (scope === 'service') make({ protocol }, lasting);
        else policy.attemptEnded?.(call({ protocol }), endpoint, lasting);
      };
      times(20, () => attempt('tcp'));
      expect(events.latest).to.deep.equal([]);
      times(20, () => attempt('http'));
      expect(events.latest.map(({ kind }) => kind)).to.deep.equal(['breaker-opened']);
    });
  }

  it('guards the local application, too', async () => {
    const { make } = await bizkeeperRig(BREAKER.replace('Consumer', 'Provider'), { direction: 'inbound' });
    times(4, () => make({ service: 'orders' }, { status: 502, code: 'MESH_ERR_CONNECT' }));
    expect(make({ service: 'orders' })?.message).to.contain('orders is open: 4 of 4 calls failed (100 %)');
  });

  describe('a caller that gives its calls too little time', () => {
    const LATE: Partial<Outcome> = { status: 504, code: 'MESH_ERR_TIMEOUT', durationMs: 5 };

    it('cannot take the local application away from the others', async () => {
      const { make, call, begin, end, time } = await bizkeeperRig(BREAKER.replace('Consumer', 'Provider'), {
        direction: 'inbound',
      });
      const hurried = (deadlineIsOurs: boolean): void => {
        const made = call({ service: 'orders' });
        made.deadlineAt = time.now() + 5;
        made.deadlineIsOurs = deadlineIsOurs;
        begin(made);
        end(made, LATE);
      };
      times(20, () => hurried(false));
      expect(make({ service: 'orders' })).to.equal(undefined);
      times(4, () => hurried(true));
      expect(make({ service: 'orders' })?.code).to.equal('MESH_ERR_BREAKER_OPEN');
    });
  });
});
