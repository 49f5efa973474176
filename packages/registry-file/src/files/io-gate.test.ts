import { expect } from 'chai';
import { settle } from '@mesher/core/testing';
import { forEachBounded, IoGate } from './io-gate.js';

describe('The gate for file operations', () => {
  it('lets no more than its limit run at once, and everything in the end', async () => {
    const gate = new IoGate(3);
    const finish: (() => void)[] = [];
    let most = 0;
    let running = 0;
    const operations = Array.from({ length: 10 }, () =>
      gate.run(async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise<void>((resolve) => finish.push(resolve));
        running -= 1;
      }),
    );
    for (let done = 0; done < 10; done += 1) {
      await settle();
      finish.shift()?.();
    }
    await Promise.all(operations);
    expect(most).to.equal(3);
  });

  it('passes its permit on after a failure', async () => {
    const gate = new IoGate(1);
    const failed = gate.run(() => Promise.reject(new Error('EIO')));
    const next = gate.run(async () => 'done');
    expect(await failed.catch((error: Error) => error.message)).to.equal('EIO');
    expect(await next).to.equal('done');
  });
});

describe('forEachBounded', () => {
  it('visits everything once', async () => {
    const seen: number[] = [];
    await forEachBounded([1, 2, 3, 4, 5], 2, async (item) => void seen.push(item));
    expect(seen).to.deep.equal([1, 2, 3, 4, 5]);
  });

  it('ends with the first error, after the visits that run', async () => {
    const seen: number[] = [];
    let error: unknown;
    try {
      await forEachBounded([1, 2, 3, 4, 5], 2, async (item) => {
        await settle();
        seen.push(item);
        if (item === 1) throw new Error('one');
      });
    } catch (thrown) {
      error = thrown;
    }
    expect(error).to.be.an('error').with.property('message', 'one');
    expect(seen).to.deep.equal([1, 2]);
  });
});
