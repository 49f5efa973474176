import { expect } from 'chai';
import { fakePorts, FakeTime, SeededRandom, settle } from './fake-ports.js';

describe('fake ports', () => {
  it('lets time stand still until a test moves it, and both clocks move together', () => {
    const time = new FakeTime(1_000);
    expect([time.now(), time.wallTime()]).to.deep.equal([0, 1_000]);
    time.advance(250);
    expect([time.now(), time.wallTime()]).to.deep.equal([250, 1_250]);
  });

  it('runs timers in the order in which they fall due, and those of one moment in the order in which they were set', () => {
    const time = new FakeTime();
    const fired: string[] = [];
    time.after(20, () => fired.push(`late at ${time.now()}`));
    time.after(10, () => fired.push(`first at ${time.now()}`));
    time.after(10, () => fired.push(`second at ${time.now()}`));
    time.advance(15);
    expect(fired).to.deep.equal(['first at 10', 'second at 10']);
    time.advance(15);
    expect(fired.at(-1)).to.equal('late at 20');
  });

  it('runs a timer that another one sets within the same span', () => {
    const time = new FakeTime();
    const fired: number[] = [];
    time.after(10, () => time.after(10, () => fired.push(time.now())));
    time.advance(30);
    expect(fired).to.deep.equal([20]);
  });

  it('repeats periodic timers until they are cancelled, also from their own callback', () => {
    const time = new FakeTime();
    let runs = 0;
    const handle = time.every(10, () => {
      if (++runs === 3) handle.cancel();
    });
    time.advance(100);
    expect(runs).to.equal(3);
    expect(time.pendingTimers).to.equal(0);
  });

  it('does not run a timer that was cancelled, however often', () => {
    const time = new FakeTime();
    const handle = time.after(10, () => expect.fail('it was cancelled'));
    handle.cancel();
    handle.cancel();
    time.advance(20);
    expect(time.pendingTimers).to.equal(0);
  });

  it('refuses delays that Node would turn into a millisecond', () => {
    const time = new FakeTime();
    for (const delay of [-1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31]) {
      expect(() => time.after(delay, () => {}), String(delay)).to.throw(RangeError);
    }
    expect(() => time.every(0, () => {})).to.throw(RangeError);
  });

  it('lets promise callbacks run between the steps of an asynchronous advance', async () => {
    const time = new FakeTime();
    const seen: number[] = [];
    void (async () => {
      for (let round = 0; round < 3; round++) {
        await new Promise<void>((resolve) => time.after(10, resolve));
        seen.push(time.now());
      }
    })();
    await time.advanceAsync(30, 10);
    expect(seen).to.deep.equal([10, 20, 30]);
  });

  it('gives the same numbers for the same seed, spread over [0, 1)', () => {
    const draw = (seed: number): number[] => {
      const random = new SeededRandom(seed);
      return Array.from({ length: 1_000 }, () => random.next());
    };
    expect(draw(7)).to.deep.equal(draw(7));
    expect(draw(7)).to.not.deep.equal(draw(8));
    expect(Math.min(...draw(7))).to.be.within(0, 0.05);
    expect(Math.max(...draw(7)))
      .to.be.within(0.95, 1)
      .and.below(1);
  });

  it('gives each caller ports of its own', async () => {
    const one = fakePorts();
    const other = fakePorts();
    one.time.advance(5);
    await settle();
    expect(other.clock.now()).to.equal(0);
    expect(one.random.next()).to.equal(other.random.next());
  });
});
