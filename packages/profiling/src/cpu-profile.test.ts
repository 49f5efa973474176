import { expect } from 'chai';
import type { Profiler } from 'node:inspector';
import { Profile } from 'pprof-format';
import { encodeCpuProfile } from './cpu-profile.js';
import { readStacks } from './testing/read-stacks.js';

const frame = (functionName: string, url = '', lineNumber = -1): Profiler.ProfileNode['callFrame'] => ({
  functionName,
  ...{ url, lineNumber, scriptId: '1', columnNumber: 0 },
});

/** (root) → main → work → (garbage collector), an idle process, and what taking the profile cost itself. */
const PROFILE: Profiler.Profile = {
  startTime: 1_000_000,
  endTime: 1_010_000,
  nodes: [
    { id: 1, callFrame: frame('(root)'), children: [2, 5, 6] },
    { id: 2, callFrame: frame('main', 'file:///app/a%20b/main.js', 9), children: [3] },
    {
      ...{ id: 3, callFrame: frame('', 'file:///app/lib/work.js', 19), children: [4] },
      positionTicks: [
        { line: 21, ticks: 3 },
        { line: 25, ticks: 1 },
      ],
    },
    { id: 4, callFrame: frame('(garbage collector)') },
    { id: 5, callFrame: frame('(idle)') },
    { id: 6, callFrame: frame('post', 'node:inspector', 120), children: [7] },
    { id: 7, callFrame: frame('dispatch') },
  ],
  samples: [7, 3, 3, 5, 3, 4, 3, 2],
  timeDeltas: [40_000, 1000, 1000, 4000, 1000, 2000, 1000, -5],
};

describe('CPU profiles for pprof', () => {
  const decoded = Profile.decode(encodeCpuProfile(PROFILE, 1000, 1_700_000_000_000));
  const stacks = readStacks(decoded);

  it('have the time of each stack, the innermost function first, without the time in which nothing was done or the profile was begun', () => {
    expect(stacks).to.deep.equal([
      { stack: ['main main.js /app/a b/main.js:10'], values: [1, 0] },
      {
        stack: ['(anonymous) work.js:20 /app/lib/work.js:21', 'main main.js /app/a b/main.js:10'],
        values: [3, 3_000_000],
      },
      {
        stack: ['(anonymous) work.js:20 /app/lib/work.js:25', 'main main.js /app/a b/main.js:10'],
        values: [1, 1_000_000],
      },
      {
        stack: [
          '(garbage collector) :0',
          '(anonymous) work.js:20 /app/lib/work.js:20',
          'main main.js /app/a b/main.js:10',
        ],
        values: [1, 2_000_000],
      },
    ]);
  });

  it('say what they measure, when, and for how long', () => {
    const text = (index: number | bigint | undefined): string => decoded.stringTable.strings[Number(index)] ?? '';
    expect(decoded.sampleType.map(({ type, unit }) => `${text(type)}/${text(unit)}`)).to.deep.equal([
      ...['samples/count', 'cpu/nanoseconds'],
    ]);
    expect(Number(decoded.durationNanos)).to.equal(10_000_000);
    expect(BigInt(decoded.timeNanos)).to.equal(1_700_000_000_000n * 1_000_000n);
    expect(Number(decoded.period)).to.equal(1_000_000);
    expect(text(decoded.comment[0])).to.contain('a sample each 1000 us');
  });
});
