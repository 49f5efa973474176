import { expect } from 'chai';
import { getEventListeners } from 'node:events';
import { settle } from '@mesher/core/testing';
import { ConsulError } from './consul-error.js';
import { QueryScript } from './testing/query-script.js';

describe('following something in Consul', () => {
  it('asks at once, and then for what is newer than the answer', async () => {
    const script = new QueryScript();
    await script.answer(7n);
    expect(script.questions).to.deep.equal([{ index: 0n, waitMs: 0, at: 0 }]);
    await script.ports.time.advanceAsync(1_200);
    expect(script.last).to.deep.include({ index: 7n, waitMs: 30_000 });
    expect(script.taken).to.deep.equal(['at 7']);
  });

  it('asks for everything when the index goes back, though the answer counts', async () => {
    const script = new QueryScript();
    await script.answer(7n);
    await script.ports.time.advanceAsync(1_200);
    await script.answer(3n);
    await script.ports.time.advanceAsync(1_200);
    expect(script.last).to.deep.include({ index: 0n, waitMs: 0 });
    expect(script.taken).to.deep.equal(['at 7', 'at 3']);
  });

  it('goes on with an index that is beyond what a number can say', async () => {
    const script = new QueryScript();
    await script.answer(18_446_744_073_709_551_615n);
    await script.ports.time.advanceAsync(1_200);
    expect(script.last?.index).to.equal(18_446_744_073_709_551_615n);
  });

  it('never asks sooner than it may, whatever Consul answers how fast, and not in step with others', async () => {
    const script = new QueryScript();
    for (let index = 1n; index < 50n; index++) {
      await script.answer(index);
      await script.ports.time.advanceAsync(1_200, 10);
    }
    const gaps = script.questions.slice(1).map(({ at }, before) => at - (script.questions[before]?.at ?? 0));
    expect(Math.min(...gaps)).to.be.greaterThan(799);
    expect(Math.max(...gaps)).to.be.at.most(1_210);
    expect(new Set(gaps).size).to.be.greaterThan(5);
  });

  it('asks at once after an answer that was held for longer than that', async () => {
    const script = new QueryScript();
    await script.answer(1n);
    await script.ports.time.advanceAsync(1_200);
    await script.ports.time.advanceAsync(30_000);
    const at = script.ports.time.now();
    await script.answer(1n);
    expect(script.last?.at).to.equal(at);
  });

  it('rests after a long answer in proportion to its length, so that a large service that never rests leaves time for calls', async () => {
    const script = new QueryScript();
    const answeredAt = script.ports.time.now();
    await script.answer(1n, 'ten seconds to read', 10_000_000);
    await script.ports.time.advanceAsync(7_900);
    expect(script.questions).to.have.length(1);
    await script.ports.time.advanceAsync(4_200, 10);
    expect(script.questions).to.have.length(2);
    expect((script.last?.at ?? 0) - answeredAt).to.be.within(8_000, 12_000);
  });

  it('asks for everything after trouble, with pauses that grow up to a bound and are drawn at random', async () => {
    const script = new QueryScript();
    await script.answer(1n);
    await script.ports.time.advanceAsync(1_200);
    const pauses: number[] = [];
    for (let failure = 1; failure <= 12; failure++) {
      const failedAt = script.ports.time.now();
      const before = script.questions.length;
      await script.fail();
      while (script.questions.length === before) await script.ports.time.advanceAsync(10);
      pauses.push((script.last?.at ?? 0) - failedAt);
    }
    expect(script.failures).to.deep.equal([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    for (const [at, pause] of pauses.entries()) {
      expect(pause).to.be.at.most(at === 0 ? 15_010 : Math.min(500 * 2 ** at, 30_000) + 10);
    }
    expect(new Set(pauses).size).to.be.greaterThan(8);
    expect(script.last).to.deep.include({ index: 0n, waitMs: 0 });
    await script.answer(2n);
    await script.ports.time.advanceAsync(1_200);
    await script.fail();
    expect(script.failures.at(-1)).to.equal(1);
  });

  it('leaves no listener and no timer behind by a thousand failures', async () => {
    const script = new QueryScript();
    for (let failure = 0; failure < 1_000; failure++) {
      const before = script.questions.length;
      await script.fail();
      while (script.questions.length === before) await script.ports.time.advanceAsync(30_000);
    }
    // That of the script itself.
    expect(getEventListeners(script.end.signal, 'abort')).to.have.length(1);
    expect(script.ports.time.pendingTimers).to.equal(0);
  });

  it('does not ask soon again where it is refused', async () => {
    const script = new QueryScript();
    await script.fail(new ConsulError('CONSUL_DENIED', 'no', 403));
    await script.ports.time.advanceAsync(23_000);
    expect(script.questions).to.have.length(1);
    await script.ports.time.advanceAsync(14_000);
    expect(script.questions).to.have.length(2);
  });

  it('takes an answer that makes no sense for trouble', async () => {
    const script = new QueryScript();
    await script.answer(5n, 'nonsense');
    expect(script.failures).to.deep.equal([1]);
    await script.ports.time.advanceAsync(500);
    expect(script.last).to.deep.include({ index: 0n });
  });

  it('asks from time to time while no answer may be held', async () => {
    const script = new QueryScript();
    script.pace = () => ({ waitMs: 0, intervalMs: 30_000 });
    await script.answer(5n);
    await script.ports.time.advanceAsync(36_000);
    expect(script.questions.map(({ index, waitMs }) => [index, waitMs])).to.deep.equal([
      [0n, 0],
      [0n, 0],
    ]);
  });

  it('ends at once, and leaves no timer', async () => {
    for (const prepare of [
      () => settle(),
      (script: QueryScript) => script.answer(1n),
      (script: QueryScript) => script.fail(),
    ]) {
      const script = new QueryScript();
      await prepare(script);
      script.end.abort();
      await script.done;
      expect(script.ports.time.pendingTimers).to.equal(0);
      expect(script.failures.length).to.be.at.most(1);
    }
  });
});
