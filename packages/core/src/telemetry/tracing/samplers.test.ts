import { expect } from 'chai';
import { SeededRandom } from '../../testing/fake-ports.js';
import { IdSource } from './id-source.js';
import { makeSampler } from './samplers.js';

function idSource(seed: number): IdSource {
  const random = new SeededRandom(seed);
  return new IdSource((buffer) => {
    for (let i = 0; i < buffer.length; i++) buffer[i] = Math.floor(random.next() * 256);
  });
}

describe('samplers', () => {
  it('take all or nothing, or about their share', () => {
    const ids = idSource(1);
    const share = (param: number): number => {
      const sampler = makeSampler('probabilistic', param);
      return Array.from({ length: 4000 }, () => sampler.decide(ids.traceId(), 0, '')).filter(Boolean).length / 4000;
    };
    expect(share(0)).to.equal(0);
    expect(share(1)).to.equal(1);
    expect(share(0.25)).to.be.within(0.22, 0.28);
    expect(makeSampler('const', 1).decide(ids.traceId(), 0, '')).to.equal(true);
    expect(makeSampler('const', 0).decide(ids.traceId(), 0, '')).to.equal(false);
  });

  it('with a higher share take whatever those with a lower one take', () => {
    const ids = idSource(2);
    const [less, more] = [makeSampler('probabilistic', 0.1), makeSampler('probabilistic', 0.3)];
    for (let i = 0; i < 2000; i++) {
      const id = ids.traceId();
      if (less.decide(id, 0, '')) expect(more.decide(id, 0, '')).to.equal(true);
    }
  });

  it('by rate take as many per second, after a pause no more than a second is worth', () => {
    const sampler = makeSampler('ratelimiting', 2);
    const taken = (now: number): number =>
      Array.from({ length: 10 }, () => sampler.decide('', now, '')).filter(Boolean).length;
    expect([0, 0, 500, 1000, 60_000].map(taken)).to.deep.equal([2, 0, 1, 1, 2]);
    const slow = makeSampler('ratelimiting', 0.1);
    expect([0, 5_000, 10_000].map((now) => slow.decide('', now, ''))).to.deep.equal([true, false, true]);
    expect(makeSampler('ratelimiting', 0).decide('', 1000, '')).to.equal(false);
  });
});

describe('ids of traces and spans', () => {
  it('are hexadecimal, never zero, and all different', () => {
    const ids = new IdSource();
    const all = Array.from({ length: 2000 }, (_, i) => (i % 2 === 0 ? ids.traceId() : ids.spanId()));
    for (const [i, id] of all.entries()) expect(id).to.match(i % 2 === 0 ? /^[0-9a-f]{32}$/ : /^[0-9a-f]{16}$/);
    expect(new Set(all).size).to.equal(all.length);
    expect(new IdSource((buffer) => void buffer.fill(0)).spanId()).to.equal('0000000000000001');
  });
});
