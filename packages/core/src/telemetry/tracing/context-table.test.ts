import { expect } from 'chai';
import { ContextTable } from './context-table.js';
import type { SpanContext } from './span-context.js';

function context(spanId: string): SpanContext {
  return { traceId: 't', spanId, sampled: true, debug: false, tracestate: undefined };
}

describe('remembered contexts', () => {
  it('stay while their call lasts, and a while after it', () => {
    const table = new ContextTable<SpanContext>({ expirationMs: 5_000, maxContexts: 10 });
    const one = context('1');
    table.open('id', one);
    table.clean(60_000);
    expect(table.find('id', 60_000)).to.equal(one);
    table.close('id', one, 60_000);
    expect(table.find('id', 64_999)).to.equal(one);
    expect(table.find('id', 65_000)).to.equal(undefined);
    table.clean(65_000);
    expect(table.size).to.equal(0);
  });

  it('are those of the last call with the id, whose end alone counts', () => {
    const table = new ContextTable<SpanContext>({ expirationMs: 10, maxContexts: 10 });
    const [first, second] = [context('1'), context('2')];
    table.open('id', first);
    table.open('id', second);
    table.close('id', first, 0);
    expect(table.find('id', 1_000)).to.equal(second);
  });

  it('are no more than allowed: the oldest goes', () => {
    const table = new ContextTable<SpanContext>({ expirationMs: 10, maxContexts: 2 });
    for (const id of ['a', 'b', 'a', 'c']) table.open(id, context(id));
    expect(table.size).to.equal(2);
    expect(['a', 'b', 'c'].map((id) => table.find(id, 0)?.spanId)).to.deep.equal(['a', undefined, 'c']);
  });

  it('make room together when they are many, and never all of them; a smaller bound holds from the next call', () => {
    const table = new ContextTable<SpanContext>({ expirationMs: 10, maxContexts: 64 });
    for (let i = 0; i < 64; i++) table.open(`${i}`, context(`${i}`));
    table.open('64', context('64'));
    expect(table.size).to.equal(63);
    expect(['0', '1', '2', '64'].map((id) => table.find(id, 0)?.spanId)).to.deep.equal([
      ...[undefined, undefined, '2', '64'],
    ]);
    table.configure({ expirationMs: 10, maxContexts: 1 });
    table.open('new', context('new'));
    expect([table.size, table.find('new', 0)?.spanId]).to.deep.equal([1, 'new']);
  });
});
