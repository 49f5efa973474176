import { expect } from 'chai';
import { FakeTime } from '../testing/fake-ports.js';
import { watchForSuspend } from './suspend-watch.js';

describe('the watch for a machine that slept', () => {
  let time: FakeTime;
  let asleepMs: number;
  let told: number[];

  beforeEach(() => {
    time = new FakeTime();
    asleepMs = 0;
    told = [];
  });

  function watch(): ReturnType<typeof watchForSuspend> {
    const clock = { now: () => time.now(), wallTime: () => time.wallTime() + asleepMs };
    return watchForSuspend({ clock, timers: time }, (ms) => told.push(Math.round(ms)));
  }

  it('tells of it once, within seconds', () => {
    watch();
    asleepMs = 600_000;
    time.advance(5_000);
    time.advance(60_000);
    expect(told).to.deep.equal([600_000]);
    asleepMs += 20_000;
    time.advance(5_000);
    expect(told).to.deep.equal([600_000, 20_000]);
  });

  it('says nothing of a process that stood still, of clocks that are set right, nor of ones set back', () => {
    watch();
    time.advance(600_000);
    asleepMs = 9_000;
    time.advance(5_000);
    asleepMs = -3_600_000;
    time.advance(5_000);
    expect(told).to.deep.equal([]);
  });

  it('leaves no timer behind when it is ended', () => {
    watch().cancel();
    expect(time.pendingTimers).to.equal(0);
  });
});
