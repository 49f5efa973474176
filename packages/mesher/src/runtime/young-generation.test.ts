import { execFileSync } from 'node:child_process';
import { expect } from 'chai';

const MODULE = new URL('young-generation.js', import.meta.url).href;

/** Sizes of the young generation in a process of its own, before and after much garbage of which some survives. */
function sizes(): { readonly sized: number; readonly later: number } {
  const script = `
    const { sizeYoungGeneration, youngGenerationBytes } = await import(${JSON.stringify(MODULE)});
    sizeYoungGeneration();
    const sized = youngGenerationBytes();
    let kept = [];
    for (let index = 0; index < 2_000_000; index += 1) {
      kept.push({ index });
      if (kept.length === 200_000) kept = [];
    }
    console.log(JSON.stringify({ sized, later: youngGenerationBytes() }));`;
  const text = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  return JSON.parse(text) as { sized: number; later: number };
}

describe('The young generation', () => {
  it('is given one size at the start, which no load makes grow', () => {
    const { sized, later } = sizes();
    expect(later).to.equal(sized);
    expect(sized).to.be.within(2 * 1_048_576, 16 * 1_048_576);
  });
});
