import { systemPorts } from '@mesher/core';
import { fakePorts, skipBecause } from '@mesher/core/testing';
import { expect } from 'chai';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { aloneInNamespace } from './namespace-lock.js';

describe('the lock of a network namespace', () => {
  before(function () {
    if (process.platform !== 'linux') skipBecause(this, 'network namespaces are of Linux');
  });

  it('lets one work at a time, and goes on after one that failed', async () => {
    const { timers } = systemPorts();
    let working = 0;
    const seen: number[] = [];
    const work = async (fails: boolean): Promise<void> => {
      seen.push(++working);
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
      working--;
      if (fails) throw new Error('failed');
    };
    const results = await Promise.allSettled(
      [true, false, true, false].map((fails) => aloneInNamespace(timers, () => work(fails))),
    );
    expect(seen).to.deep.equal([1, 1, 1, 1]);
    expect(results.map(({ status }) => status)).to.deep.equal(['rejected', 'fulfilled', 'rejected', 'fulfilled']);
  });

  it('is done without after a time: somebody who only holds the name must not keep rules from being changed', async () => {
    const { time, timers } = fakePorts();
    const holder = createServer();
    const connected = once(holder, 'connection');
    await new Promise<void>((resolve) => holder.listen('\0mesher-intercept', resolve));
    const worked = aloneInNamespace(timers, () => Promise.resolve('worked'), 1_000);
    const [waiting] = (await connected) as [Socket];
    time.advance(1_000);
    expect(await worked).to.equal('worked');
    waiting.destroy();
    holder.close();
    await once(holder, 'close');
  });
});
