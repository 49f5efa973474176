import { expect } from 'chai';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { keptText } from './kept-text.js';

describe('a text that is kept', () => {
  it('is the beginning of another one, without keeping that in memory', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const head = Buffer.alloc(60_000, 'x');
    const used = (): number => {
      collect();
      return process.memoryUsage().heapUsed;
    };
    const before = used();
    const kept = Array.from({ length: 500 }, () => keptText(head.toString('latin1'), 100));
    // 30 MB otherwise.
    expect(used() - before).to.be.below(5_000_000);
    expect(kept[499]).to.equal('x'.repeat(100));
    expect([keptText(''), keptText('abc'), keptText('abc', 2)]).to.deep.equal(['', 'abc', 'ab']);
  });
});
