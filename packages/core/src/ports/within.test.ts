import { expect } from 'chai';
import { fakePorts, settle } from '../testing/fake-ports.js';
import { within } from './within.js';

describe('waiting within a bound', () => {
  it('says true for work that is done in time, and leaves no timer', async () => {
    const { time, timers } = fakePorts();
    expect(await within(timers, 100, Promise.resolve('done'))).to.equal(true);
    expect(time.pendingTimers).to.equal(0);
  });

  it('says false when the time is over, and leaves no timer', async () => {
    const { time, timers } = fakePorts();
    const answer = within(timers, 100, new Promise(() => {}));
    time.advance(99);
    await settle();
    expect(time.pendingTimers).to.equal(1);
    time.advance(1);
    expect(await answer).to.equal(false);
    expect(time.pendingTimers).to.equal(0);
  });

  it('passes on what the work rejects with in time', async () => {
    const { time, timers } = fakePorts();
    const error = new Error('no');
    const caught = await within(timers, 100, Promise.reject(error)).catch((reason: unknown) => reason);
    expect(caught).to.equal(error);
    expect(time.pendingTimers).to.equal(0);
  });

  it('drops a rejection that comes too late', async () => {
    const { time, timers } = fakePorts();
    let reject!: (error: Error) => void;
    const answer = within(timers, 100, new Promise((_, no) => (reject = no)));
    time.advance(100);
    reject(new Error('late'));
    expect(await answer).to.equal(false);
  });
});
