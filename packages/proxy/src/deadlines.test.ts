import type { Clock } from '@mesher/core';
import { FakeTime } from '@mesher/core/testing';
import { expect } from 'chai';
import fc from 'fast-check';
import { Deadline, Deadlines } from './deadlines.js';

class Alarm extends Deadline {
  readonly firedAt: number[] = [];

  constructor(
    private readonly clock: Clock,
    private readonly then: () => void = () => {},
  ) {
    super();
  }

  override onDeadline(): void {
    this.firedAt.push(this.clock.now());
    this.then();
  }
}

describe('deadlines', () => {
  let time: FakeTime;
  let deadlines: Deadlines;

  beforeEach(() => {
    time = new FakeTime();
    deadlines = new Deadlines(time, time);
  });

  it('fire once, never early and at most two ticks late, near and far', () => {
    for (const delay of [0, 1, 49, 50, 51, 1000, 25_599, 25_600, 60_000, 3_600_000]) {
      const alarm = new Alarm(time);
      const start = time.now();
      deadlines.arm(alarm, delay);
      time.advance(delay + 1000);
      expect(alarm.firedAt).to.have.lengthOf(1);
      expect(alarm.firedAt[0] - start).to.be.within(delay, delay + 100);
    }
  });

  it('can be moved later and earlier, and the last word counts', () => {
    const alarm = new Alarm(time);
    deadlines.arm(alarm, 1000);
    time.advance(900);
    deadlines.arm(alarm, 1000);
    time.advance(900);
    expect(alarm.firedAt).to.have.lengthOf(0);
    deadlines.arm(alarm, 60_000);
    deadlines.arm(alarm, 200);
    time.advance(300);
    expect(alarm.firedAt).to.have.lengthOf(1);
    time.advance(100_000);
    expect(alarm.firedAt).to.have.lengthOf(1);
  });

  it('fire at the first tick behind the latest time, however far the delay is, also when there was no timer yet', () => {
    for (const [delay, latest] of [
      [Infinity, 20],
      [Infinity, 1000],
      [30_000, 500],
      [100, 10_000],
    ]) {
      const alarm = new Alarm(time);
      time.advance(333);
      const start = time.now();
      deadlines.arm(alarm, delay, start + latest);
      time.advance(latest + 1000);
      const due = Math.min(delay, latest);
      expect(alarm.firedAt).to.have.lengthOf(1);
      expect(alarm.firedAt[0] - start).to.be.within(due, due + 100);
    }
  });

  it('do not fire after disarm, remove or arm(Infinity)', () => {
    const alarms = [new Alarm(time), new Alarm(time), new Alarm(time)];
    for (const alarm of alarms) deadlines.arm(alarm, 500);
    deadlines.disarm(alarms[0]);
    deadlines.remove(alarms[1]);
    deadlines.arm(alarms[2], Infinity);
    time.advance(10_000);
    expect(alarms.flatMap(({ firedAt }) => firedAt)).to.deep.equal([]);
  });

  it('may be armed, moved and removed by one that fires, also those due in the same tick', () => {
    const victim = new Alarm(time);
    const later = new Alarm(time);
    const again: Alarm = new Alarm(time, () => {
      if (again.firedAt.length < 3) deadlines.arm(again, 100);
    });
    const killer = new Alarm(time, () => {
      deadlines.remove(victim);
      deadlines.arm(later, 100);
    });
    deadlines.arm(victim, 500);
    deadlines.arm(again, 500);
    // Filed last, it comes first within the tick.
    deadlines.arm(killer, 500);
    time.advance(2000);
    expect(killer.firedAt).to.have.lengthOf(1);
    expect(victim.firedAt).to.have.lengthOf(0);
    expect(later.firedAt).to.have.lengthOf(1);
    expect(again.firedAt).to.have.lengthOf(3);
  });

  it('run on one timer, and on none when there are none', () => {
    const alarms = Array.from({ length: 100 }, () => new Alarm(time));
    expect(time.pendingTimers).to.equal(0);
    for (const [i, alarm] of alarms.entries()) deadlines.arm(alarm, i * 100);
    expect(time.pendingTimers).to.equal(1);
    time.advance(20_000);
    expect(time.pendingTimers).to.equal(0);
    deadlines.arm(alarms[0], 100);
    expect(time.pendingTimers).to.equal(1);
    time.advance(1000);
    expect(alarms[0].firedAt).to.have.lengthOf(2);
    deadlines.arm(alarms[0], Infinity);
    expect(time.pendingTimers, 'never needs no timer').to.equal(0);
  });

  it('start from the present after a time without any', () => {
    deadlines.arm(new Alarm(time), 100);
    time.advance(100_000);
    const alarm = new Alarm(time);
    deadlines.arm(alarm, 5000);
    time.advance(4900);
    expect(alarm.firedAt).to.have.lengthOf(0);
    time.advance(300);
    expect(alarm.firedAt).to.have.lengthOf(1);
  });

  it('leave the event loop one turn to read after a stall, before they fire', () => {
    const clock = { ms: 0, now: () => clock.ms, wallTime: () => clock.ms };
    let tick: () => void = () => {};
    const timers = {
      after: () => ({ cancel: () => {} }),
      every: (_ms: number, callback: () => void) => {
        tick = callback;
        return { cancel: () => {} };
      },
    };
    const stalled = new Deadlines(clock, timers);
    const silent = new Alarm(clock);
    const busy = new Alarm(clock);
    stalled.arm(silent, 1000);
    stalled.arm(busy, 1000);
    clock.ms = 50;
    tick();
    // The event loop stands still for a minute: what peers have sent meanwhile is not read yet.
    clock.ms = 60_050;
    tick();
    expect([silent.firedAt, busy.firedAt]).to.deep.equal([[], []]);
    // Now it is, and one of them has heard from its peer.
    stalled.arm(busy, 1000);
    clock.ms = 60_100;
    tick();
    expect([silent.firedAt.length, busy.firedAt.length]).to.deep.equal([1, 0]);
  });

  it('fire also when every tick is late', () => {
    const clock = { ms: 0, now: () => clock.ms, wallTime: () => clock.ms };
    let tick: () => void = () => {};
    const timers = {
      after: () => ({ cancel: () => {} }),
      every: (_ms: number, callback: () => void) => {
        tick = callback;
        return { cancel: () => {} };
      },
    };
    const slow = new Deadlines(clock, timers);
    const alarm = new Alarm(clock);
    slow.arm(alarm, 1000);
    for (let i = 0; i < 10; i++) {
      clock.ms += 500;
      tick();
    }
    expect(alarm.firedAt).to.have.lengthOf(1);
    expect(alarm.firedAt[0]).to.be.within(1000, 2000);
  });

  it('agree with a list that is searched on every tick, whatever is done to them', () => {
    const operation = fc.record({
      entry: fc.integer({ min: 0, max: 5 }),
      delay: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 100_000 }), fc.constant(Infinity)),
      latest: fc.oneof(fc.constant(Infinity), fc.integer({ min: 0, max: 100_000 })),
      action: fc.constantFrom('arm', 'arm', 'arm', 'disarm', 'remove'),
      pass: fc.oneof(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 60_000 })),
    });
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 40 }), (operations) => {
        const clock = new FakeTime();
        const wheel = new Deadlines(clock, clock);
        const alarms = Array.from({ length: 6 }, () => new Alarm(clock));
        const due = alarms.map(() => Infinity);
        const seen = alarms.map(() => 0);
        for (const { entry, delay, latest, action, pass } of operations) {
          const alarm = alarms[entry];
          if (action === 'arm') wheel.arm(alarm, delay, clock.now() + latest);
          else if (action === 'disarm') wheel.disarm(alarm);
          else wheel.remove(alarm);
          due[entry] = action === 'arm' ? clock.now() + Math.min(delay, latest) : Infinity;
          clock.advance(pass);
          for (const [i, { firedAt }] of alarms.entries()) {
            if (firedAt.length > seen[i]) {
              expect(firedAt.length).to.equal(seen[i] + 1);
              expect(firedAt[seen[i]]).to.be.within(due[i], due[i] + 100);
              seen[i]++;
              due[i] = Infinity;
            } else expect(clock.now(), 'not overdue').to.be.at.most(due[i] + 100);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
