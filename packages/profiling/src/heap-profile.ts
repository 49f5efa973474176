import { StackProfile, type Frame, type StackEntry } from './stack-profile.js';

/** `inuse`: what is still there at the end; `alloc`: all that was allocated. */
export type HeapKind = 'inuse' | 'alloc';

/** As `HeapProfiler.stopSampling` gives it; the types of Node leave half of it out. */
export interface SampledHeap {
  readonly head: SampledHeapNode;
  readonly samples: readonly { readonly nodeId: number; readonly size: number }[];
}

export interface SampledHeapNode {
  readonly id: number;
  readonly callFrame: Frame;
  /** Bytes, estimated for all objects from those that were sampled. */
  readonly selfSize: number;
  readonly children: readonly SampledHeapNode[];
}

/**
 * A sampling heap profile of V8 as pprof knows it.
 * @param intervalBytes that are allocated between two samples, on average
 * @param takenAt when it began, in milliseconds since 1970
 */
export function encodeHeapProfile(
  { head, samples }: SampledHeap,
  kind: HeapKind,
  intervalBytes: number,
  takenAt: number,
  durationMs: number,
): Uint8Array {
  const counts = new Map<number, number>();
  for (const { nodeId } of samples) counts.set(nodeId, (counts.get(nodeId) ?? 0) + 1);
  const stacks = new StackProfile();
  const walk = (node: SampledHeapNode, callers: readonly StackEntry[]): void => {
    const { callFrame, children, id, selfSize } = node;
    const isRoot = callFrame.functionName === '(root)';
    const entry = { frame: callFrame, line: callFrame.lineNumber + 1 };
    const stack = isRoot ? callers : [entry, ...callers];
    // What was allocated outside of all functions is V8's own.
    if (selfSize > 0) stacks.add(stack.length === 0 ? [entry] : stack, [counts.get(id) ?? 0, Math.round(selfSize)]);
    for (const child of children) walk(child, stack);
  };
  walk(head, []);
  const meant = kind === 'inuse' ? 'allocated in this time and still in use at its end' : 'allocated in this time';
  return stacks.encode({
    types: [
      { type: `${kind}_samples`, unit: 'count' },
      { type: `${kind}_space`, unit: 'bytes' },
    ],
    period: intervalBytes,
    takenAt,
    durationMs,
    comments: [`heap profile of Node.js ${process.version}: what was ${meant}, a sample each ${intervalBytes} bytes`],
  });
}
