import type { Profiler } from 'node:inspector';
import { StackProfile, type StackEntry } from './stack-profile.js';

const NANOSECONDS_PER_US = 1000;
const US_PER_MS = 1000;
/** The function at the bottom of every stack, which stands for nothing. */
const ROOT = '(root)';
/** Samples in which nothing was done: a profile of CPU time leaves them out, as those of Go do. */
const IDLE = '(idle)';
/** The module that takes the profile. */
const PROFILER = 'node:inspector';

interface Spent {
  samples: number;
  us: number;
}

/**
 * A CPU profile of V8 as pprof knows it.
 * @param intervalUs between two samples
 * @param takenAt when it began, in milliseconds since 1970
 */
export function encodeCpuProfile(profile: Profiler.Profile, intervalUs: number, takenAt: number): Uint8Array {
  const spent = spentByNode(profile);
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const parents = new Map(profile.nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
  const stacks = new StackProfile();
  for (const node of profile.nodes) {
    const { samples, us } = spent.get(node.id) ?? { samples: 0, us: 0 };
    if (samples === 0 || node.callFrame.functionName === IDLE) continue;
    const callers: StackEntry[] = [];
    for (let id = parents.get(node.id); id !== undefined; id = parents.get(id)) {
      const frame = nodes.get(id)?.callFrame;
      if (frame !== undefined && frame.functionName !== ROOT) callers.push({ frame, line: frame.lineNumber + 1 });
    }
    // Switching the profile on takes V8 some 40 ms, which would be a good part of a short one.
    if ([node.callFrame, ...callers.map(({ frame }) => frame)].some(({ url }) => url === PROFILER)) continue;
    for (const { line, part } of linesOf(node)) {
      stacks.add(
        [{ frame: node.callFrame, line }, ...callers],
        [Math.round(samples * part), Math.round(us * part * NANOSECONDS_PER_US)],
      );
    }
  }
  const durationMs = (profile.endTime - profile.startTime) / US_PER_MS;
  return stacks.encode({
    types: [
      { type: 'samples', unit: 'count' },
      { type: 'cpu', unit: 'nanoseconds' },
    ],
    period: intervalUs * NANOSECONDS_PER_US,
    takenAt,
    durationMs,
    comments: [
      `CPU profile of Node.js ${process.version}, a sample each ${intervalUs} us; samples of an idle process are left out`,
    ],
  });
}

function spentByNode({ samples = [], timeDeltas = [] }: Profiler.Profile): Map<number, Spent> {
  const spent = new Map<number, Spent>();
  for (const [index, id] of samples.entries()) {
    const one = spent.get(id) ?? { samples: 0, us: 0 };
    one.samples++;
    // V8 may write samples down in another order than it took them.
    one.us += Math.max(0, timeDeltas[index] ?? 0);
    spent.set(id, one);
  }
  return spent;
}

/** The lines of a function in which it was met, with the part of its samples; the whole at its beginning when V8 does not say. */
function linesOf({ callFrame, positionTicks = [] }: Profiler.ProfileNode): { line: number; part: number }[] {
  const ticks = positionTicks.reduce((sum, one) => sum + one.ticks, 0);
  if (ticks === 0) return [{ line: callFrame.lineNumber + 1, part: 1 }];
  return positionTicks.map((one) => ({ line: one.line, part: one.ticks / ticks }));
}
