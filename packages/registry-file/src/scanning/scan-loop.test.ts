import { expect } from 'chai';
import { fakePorts, settle } from '@mesher/core/testing';
import { ScanLoop } from './scan-loop.js';

describe('The loop that looks at the directory', () => {
  const make = ({ waitForQuiet = false, scan = async (): Promise<void> => {} } = {}) => {
    const ports = fakePorts();
    const looks: string[] = [];
    const loop = new ScanLoop(ports, { pollIntervalMs: 1_000, debounceMs: 50, waitForQuiet }, async (whole) => {
      looks.push(`${whole ? 'whole' : 'hinted'} ${Math.round(ports.clock.now())}`);
      await scan();
    });
    return { ports, looks, loop };
  };

  it('looks at the start, then at least once per poll interval', async () => {
    const { ports, looks, loop } = make();
    loop.start();
    await ports.time.advanceAsync(10_000, 10);
    expect(looks.length).to.be.within(11, 13);
    expect(looks[0]).to.equal('whole 0');
  });

  it('looks once, a debounce after the first of many events', async () => {
    const { ports, looks, loop } = make();
    for (let time = 0; time < 50; time += 10) {
      loop.hint();
      await ports.time.advanceAsync(10);
    }
    expect(looks).to.deep.equal(['hinted 50']);
  });

  it('waits for quiet where asked to, but not for ever', async () => {
    const { ports, looks, loop } = make({ waitForQuiet: true });
    for (let time = 0; time < 400; time += 10) {
      loop.hint();
      await ports.time.advanceAsync(10);
    }
    expect(looks).to.deep.equal([]);
    for (let time = 400; time < 600; time += 10) {
      loop.hint();
      await ports.time.advanceAsync(10);
    }
    expect(looks).to.deep.equal(['hinted 540']);
  });

  it('never overlaps looks, and looks again for what happened during one', async () => {
    let finish = (): void => {};
    const { ports, looks, loop } = make({ scan: () => new Promise((resolve) => (finish = resolve)) });
    loop.start();
    loop.hint();
    await ports.time.advanceAsync(200);
    expect(looks).to.deep.equal(['whole 0']);
    finish();
    await ports.time.advanceAsync(500, 10);
    expect(looks).to.deep.equal(['whole 0', 'hinted 400']); // a look that took 200 ms is not followed by another at once
  });

  it('looks again when it was asked to, however far the poll is', async () => {
    const { ports, looks, loop } = make();
    loop.recheckIn(300);
    await ports.time.advanceAsync(300);
    expect(looks).to.deep.equal(['whole 300']);
  });

  it('leaves no timer behind when it stops, and waits for the look that runs', async () => {
    let finish = (): void => {};
    const { ports, loop } = make({ scan: () => new Promise((resolve) => (finish = resolve)) });
    loop.start();
    loop.hint();
    loop.recheckIn(10);
    let stopped = false;
    const stop = loop.stop().then(() => (stopped = true));
    await settle();
    expect(stopped).to.equal(false);
    finish();
    await stop;
    await loop.refresh();
    expect(ports.time.pendingTimers).to.equal(0);
  });
});
