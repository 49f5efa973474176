import { expect } from 'chai';
import { fakePorts } from '@mesher/core/testing';
import { QueryScript } from '../client/testing/query-script.js';

/** What was asked for: nobody may be back sooner than this after the first. */
const LEAST_SPREAD_MS = 10_000;

describe('fault 12 (thundering herd): 200 clients of a Consul agent', () => {
  it('come back spread over more than 10 s when it ends all of their questions at once', async () => {
    const scripts = Array.from({ length: 200 }, (_, seed) => new QueryScript(fakePorts(seed)));
    const backAt: number[] = [];
    for (const script of scripts) {
      await script.answer(1n);
      await script.ports.time.advanceAsync(1_200);
      const failedAt = script.ports.time.now();
      await script.fail();
      while (script.questions.length === 2) await script.ports.time.advanceAsync(100);
      backAt.push((script.last?.at ?? 0) - failedAt);
    }
    expect(Math.max(...backAt) - Math.min(...backAt)).to.be.greaterThan(LEAST_SPREAD_MS);
    const perSecond = Array.from({ length: 15 }, (_, second) =>
      backAt.filter((at) => Math.floor(at / 1_000) === second),
    );
    expect(Math.max(...perSecond.map(({ length }) => length))).to.be.lessThan(40);
  });
});
