import { execFileSync } from 'node:child_process';
import { expect } from 'chai';
import { fakePorts } from '@mesher/core/testing';
import { sizeWithLoad, type LoadNumbers } from './start-phase.js';

const MODULE = new URL('start-phase.js', import.meta.url).href;
const YOUNG_GENERATION = new URL('young-generation.js', import.meta.url).href;
const SECOND = 1_000;

/** Numbers of a proxy that has nothing to do. */
function idle(): { -readonly [K in keyof LoadNumbers]: LoadNumbers[K] } & { readonly http2Upstream: { open: number } } {
  return { connectionsOpen: 0, detectedHttp2: 0, http2Upstream: { open: 0 } };
}

/** Whether a function that runs all the time was optimized, while V8 is set for the start and afterwards. */
function optimized(): { readonly during: boolean; readonly after: boolean } {
  const script = `
    const { beginStart, endStart } = await import(${JSON.stringify(MODULE)});
    beginStart();
    const run = () => {
      const add = new Function('left', 'right', 'return left + right');
      let sum = 0;
      for (let index = 0; index < 5_000_000; index += 1) sum = add(sum, index);
      // The bit for "optimized" of V8's runtime function.
      return [add, (%GetOptimizationStatus(add) & 16) !== 0][1];
    };
    const during = run();
    endStart();
    console.log(JSON.stringify({ during, after: run() }));`;
  const args = ['--allow-natives-syntax', '--no-concurrent-recompilation', '--input-type=module', '-e', script];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as { during: boolean; after: boolean };
}

describe('The start of the process', () => {
  it('compiles nothing with the optimizing compiler until it has ended', () => {
    expect(optimized()).to.deep.equal({ during: false, after: true });
  });

  it('keeps the young generation small, whatever is loaded', () => {
    const script = `
      const { beginStart } = await import(${JSON.stringify(MODULE)});
      const { youngGenerationBytes } = await import(${JSON.stringify(YOUNG_GENERATION)});
      beginStart();
      const kept = [];
      for (let index = 0; index < 500_000; index += 1) kept.push({ index });
      console.log(youngGenerationBytes());`;
    const text = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    expect(Number(text)).to.be.within(1, 2 * 1_048_576);
  });
});

describe('sizeWithLoad', () => {
  it('leaves a sidecar small that waits, or serves HTTP/1', () => {
    const { time, timers } = fakePorts();
    const stats = idle();
    sizeWithLoad(stats, timers, () => expect.fail('sized'));
    stats.connectionsOpen = 256;
    time.advance(60 * SECOND);
  });

  const LOADS: readonly (readonly [string, (stats: ReturnType<typeof idle>) => void])[] = [
    ['a client speaks HTTP/2', (stats) => (stats.detectedHttp2 = 1)],
    ['an instance speaks HTTP/2', (stats) => (stats.http2Upstream.open = 1)],
    ['very many connections are open', (stats) => (stats.connectionsOpen = 512)],
  ];
  for (const [when, begin] of LOADS) {
    it(`sizes the young generation once ${when}`, () => {
      const { time, timers } = fakePorts();
      const stats = idle();
      let times = 0;
      sizeWithLoad(stats, timers, () => times++);
      time.advance(10 * SECOND);
      expect(times).to.equal(0);
      begin(stats);
      time.advance(10 * SECOND);
      expect(times).to.equal(1);
    });
  }
});
