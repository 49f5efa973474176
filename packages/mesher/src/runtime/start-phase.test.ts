import { execFileSync } from 'node:child_process';
import { expect } from 'chai';
import { fakePorts } from '@mesher/core/testing';
import { sizeWithLoad, type LoadNumbers } from './start-phase.js';

const MODULE = new URL('start-phase.js', import.meta.url).href;
const YOUNG_GENERATION = new URL('young-generation.js', import.meta.url).href;
/** From one look to the next. */
const TURN_MS = 250;
/** Bytes of a turn with some load. */
const BUSY = 100_000;

type Numbers = { -readonly [Name in keyof LoadNumbers]: LoadNumbers[Name] } & { http2Upstream: { open: number } };

/** Numbers of a proxy that has nothing to do. */
function idle(): Numbers {
  return { bytesToDownstream: 0, bytesToUpstream: 0, connectionsOpen: 0, detectedHttp2: 0, http2Upstream: { open: 0 } };
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
  let stats: Numbers;
  let sized: boolean;
  let times: number;
  let turn: (bytes: number) => void;

  beforeEach(() => {
    const { time, timers } = fakePorts();
    stats = idle();
    sized = false;
    times = 0;
    const size = (): void => {
      sized = true;
      times++;
    };
    sizeWithLoad(stats, timers, { isSized: () => sized, size });
    turn = (bytes) => {
      stats.bytesToUpstream += bytes / 4;
      stats.bytesToDownstream += bytes - bytes / 4;
      time.advance(TURN_MS);
    };
  });

  it('leaves a sidecar small that serves HTTP/1, however much', () => {
    stats.connectionsOpen = 256;
    for (let turns = 0; turns < 60; turns++) turn(BUSY);
    expect(times).to.equal(0);
  });

  const LOADS: readonly (readonly [string, (numbers: Numbers) => void])[] = [
    ['a client speaks HTTP/2', (numbers) => (numbers.detectedHttp2 = 1)],
    ['an instance speaks HTTP/2', (numbers) => (numbers.http2Upstream.open = 1)],
    ['very many connections are open', (numbers) => (numbers.connectionsOpen = 512)],
  ];
  for (const [when, begin] of LOADS) {
    it(`sizes the young generation once ${when} and bytes pass`, () => {
      turn(BUSY);
      begin(stats);
      turn(0);
      turn(1_000);
      expect(times).to.equal(0);
      turn(BUSY);
      turn(BUSY);
      expect(times).to.equal(1);
    });
  }

  it('sizes it again when V8 has taken it back, and not before there is load', () => {
    stats.detectedHttp2 = 1;
    turn(BUSY);
    sized = false;
    for (let turns = 0; turns < 60; turns++) turn(100);
    expect(times).to.equal(1);
    turn(BUSY);
    expect(times).to.equal(2);
  });
});
