import { expect } from 'chai';
import { Keepalive } from './keepalive.js';

const INTERVAL = 30_000;
const TIMEOUT = 10_000;

describe('the keepalive of a connection to an instance', () => {
  it('asks a peer that has been silent for the interval, and not before', () => {
    const keepalive = new Keepalive(0);
    expect(keepalive.step(20_000, INTERVAL, TIMEOUT)).to.deep.equal({ kind: 'wait', ms: 10_000 });
    expect(keepalive.step(30_000, INTERVAL, TIMEOUT)).to.deep.equal({ kind: 'ask', ms: TIMEOUT });
  });

  it('counts the silence from what was heard last', () => {
    const keepalive = new Keepalive(0);
    keepalive.heard(25_000);
    expect(keepalive.step(30_000, INTERVAL, TIMEOUT)).to.deep.equal({ kind: 'wait', ms: 25_000 });
  });

  it('takes a peer for dead that says nothing at all after the question', () => {
    const keepalive = new Keepalive(0);
    keepalive.step(30_000, INTERVAL, TIMEOUT);
    expect(keepalive.step(39_000, INTERVAL, TIMEOUT)).to.deep.equal({ kind: 'wait', ms: 1000 });
    expect(keepalive.step(40_000, INTERVAL, TIMEOUT)).to.deep.equal({ kind: 'dead' });
  });

  it('asks a peer that answers and says nothing else only as often as servers of gRPC allow', () => {
    const keepalive = new Keepalive(0);
    const asked: number[] = [];
    for (let now = 0; now <= 1_800_000; now += 1000) {
      if (keepalive.step(now, INTERVAL, TIMEOUT).kind !== 'ask') continue;
      asked.push(now);
      keepalive.heard(now + 1);
    }
    expect(asked).to.deep.equal([30_000, 360_000, 690_000, 1_020_000, 1_350_000, 1_680_000]);
  });

  it('asks again after the interval once part of an answer has come', () => {
    const keepalive = new Keepalive(0);
    keepalive.step(30_000, INTERVAL, TIMEOUT);
    keepalive.heard(30_001);
    keepalive.content();
    keepalive.heard(50_000);
    expect(keepalive.step(80_000, INTERVAL, TIMEOUT)).to.deep.equal({ kind: 'ask', ms: TIMEOUT });
  });

  it('never asks with an interval of 0', () => {
    expect(new Keepalive(0).step(1e9, 0, TIMEOUT)).to.deep.equal({ kind: 'wait', ms: Infinity });
  });

  it('does not count the time before the first call as silence', () => {
    const keepalive = new Keepalive(0);
    keepalive.expect(50_000, true);
    expect(keepalive.step(60_000, INTERVAL, TIMEOUT)).to.deep.equal({ kind: 'wait', ms: 20_000 });
  });

  it('is not put off by calls that come and go while nothing is heard', () => {
    const keepalive = new Keepalive(0);
    for (let now = 0; now < 30_000; now += 1000) keepalive.expect(now, true);
    expect(keepalive.isExpecting).to.equal(true);
    expect(keepalive.step(30_000, INTERVAL, TIMEOUT).kind).to.equal('ask');
  });
});
