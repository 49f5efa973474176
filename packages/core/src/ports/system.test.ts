import { expect } from 'chai';
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
});
