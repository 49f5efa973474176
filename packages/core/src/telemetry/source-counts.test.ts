import { expect } from 'chai';
import { SourceCounts } from './source-counts.js';

function counted(counts: SourceCounts): Record<string, number> {
  return Object.fromEntries([...counts].map(({ labels, count }) => [`${labels.source} ${labels.by}`, count]));
}

describe('the counts by caller', () => {
  it('tell apart who called and how that is known', () => {
    const counts = new SourceCounts();
    counts.count({ service: 'shop', by: 'ip' });
    counts.count({ service: 'shop', by: 'header' });
    counts.count({ service: 'shop', by: 'header' });
    counts.count(undefined);
    expect(counted(counts)).to.deep.equal({ 'shop ip': 1, 'shop header': 2, '_unknown none': 1 });
  });

  it('give made up names no room of callers that are known by their address', () => {
    const counts = new SourceCounts(2);
    for (const service of ['a', 'b', 'c', 'd', 'a']) counts.count({ service, by: 'header' });
    counts.count({ service: 'shop', by: 'ip' });
    expect(counted(counts)).to.deep.equal({
      'shop ip': 1,
      'a header': 2,
      'b header': 1,
      '_other header': 2,
      '_unknown none': 0,
    });
  });

  it('take only names that a service can have', () => {
    const counts = new SourceCounts();
    for (const service of ['_other', 'x'.repeat(129), 'a"b', 'a\nb']) counts.count({ service, by: 'header' });
    expect(counted(counts)).to.deep.equal({ '_unknown none': 4 });
  });
});
