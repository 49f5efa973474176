import { expect } from 'chai';
import { counterLine, gaugeLines, timerLines } from './stat-lines.js';

describe('lines of StatsD', () => {
  const name = { name: 'netra.inbound.200', tags: '' };
  const tagged = { name: 'requests', tags: '|#service:orders' };

  it('are counters, gauges and timers', () => {
    expect(counterLine(name, 3)).to.equal('netra.inbound.200:3|c');
    expect(counterLine(tagged, 3)).to.equal('requests:3|c|#service:orders');
    expect(gaugeLines(tagged, 7)).to.deep.equal(['requests:7|g|#service:orders']);
    expect(timerLines(tagged, 12.34567, 1)).to.deep.equal(['requests:12.346|ms|#service:orders']);
  });

  it('set a negative gauge to zero first, because a sign would be added to what the server has', () => {
    expect(gaugeLines(name, -2)).to.deep.equal(['netra.inbound.200:0|g', 'netra.inbound.200:-2|g']);
  });

  it('let one timer stand for many, by a rate of which every server makes the count again', () => {
    for (const count of [2, 3, 7, 49, 93, 98, 103, 1_000, 99_999, 1_000_000]) {
      const [line = '', ...more] = timerLines(name, 5, count);
      expect(more).to.deep.equal([]);
      const rate = /\|@([0-9.]+)$/.exec(line)?.[1];
      expect(Math.trunc(1 / Number(rate)), line).to.equal(count);
    }
  });

  it('are several where a rate would be written with an exponent', () => {
    const lines = timerLines(name, 5, 2_500_000);
    expect(lines).to.have.length(3);
    expect(lines.join()).to.not.match(/e-/);
  });
});
