import { fakePorts } from '@mesher/core/testing';
import { expect } from 'chai';
import { OwnNetwork } from './own-network.js';

describe('the addresses of this machine', () => {
  it('are those of its interfaces, and all of loopback', () => {
    const network = new OwnNetwork(fakePorts().timers, () => new Set(['10.0.0.2', 'fd77::2']));
    const own = ['10.0.0.2', 'fd77::2', '127.0.0.1', '127.8.9.1', '::1', '10.0.0.3', '::2'].map((one) =>
      network.has(one),
    );
    expect(own).to.deep.equal([true, true, true, true, true, false, false]);
    network.close();
  });

  it('are looked at again now and then, and not for each connection', () => {
    const { time, timers } = fakePorts();
    let reads = 0;
    const network = new OwnNetwork(timers, () => new Set(++reads > 1 ? ['10.0.0.3'] : []));
    expect(network.has('10.0.0.3')).to.equal(false);
    time.advance(5_000);
    expect([network.has('10.0.0.3'), reads]).to.deep.equal([true, 2]);
    network.close();
    expect(time.pendingTimers).to.equal(0);
  });
});
