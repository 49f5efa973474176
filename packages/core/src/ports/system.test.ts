import { expect } from 'chai';
import { LeakCheck } from '../testing/leak-check.js';
import { systemPorts } from './system.js';

describe('a timer of the system', () => {
  it('with a longer time than Node knows does not go off at once', async () => {
    const { timers } = systemPorts();
    let goneOff = 0;
    const long = [timers.after(2 ** 40, () => goneOff++), timers.every(2 ** 40, () => goneOff++)];
    // One that overflows goes off after 1 ms, and so before this one.
    await new Promise<void>((resolve) => timers.after(10, resolve));
    for (const timer of long) timer.cancel();
    expect(goneOff).to.equal(0);
  });

  it('leaves no memory behind when it is cancelled, although its time was like no other', async () => {
    const { timers } = systemPorts();
    const check = new LeakCheck();
    const before = await check.take();
    for (let count = 0; count < 50_000; count++) timers.after(3_600_000 + count / 50_000, () => {}).cancel();
    const after = await check.take();
    check.close();
    // Node left to itself keeps some 200 bytes for each until an hour is over.
    expect(after.heapBytes - before.heapBytes).to.be.lessThan(50_000 * 50);
  });
});
