import type { Profiler } from 'node:inspector';
import { Session } from 'node:inspector/promises';
import type { HeapKind, SampledHeap } from './heap-profile.js';

/** Waits until the profile is long enough, or until nobody wants it any more. */
export type Waiting = () => Promise<void>;

/**
 * Samples what this process does.
 * @param intervalUs microseconds between two samples
 */
export async function takeCpuProfile(intervalUs: number, wait: Waiting): Promise<Profiler.Profile> {
  return await inSession(async (session) => {
    await session.post('Profiler.enable');
    try {
      await session.post('Profiler.setSamplingInterval', { interval: intervalUs });
      await session.post('Profiler.start');
      await wait();
      return (await session.post('Profiler.stop')).profile;
    } finally {
      await session.post('Profiler.disable');
    }
  });
}

/**
 * Samples what is allocated in the meantime.
 * @param intervalBytes bytes between two samples, on average
 */
export async function takeHeapProfile(kind: HeapKind, intervalBytes: number, wait: Waiting): Promise<SampledHeap> {
  const all = kind === 'alloc';
  return await inSession(async (session) => {
    await session.post('HeapProfiler.enable');
    try {
      await session.post('HeapProfiler.startSampling', {
        samplingInterval: intervalBytes,
        includeObjectsCollectedByMajorGC: all,
        includeObjectsCollectedByMinorGC: all,
      });
      await wait();
      return (await session.post('HeapProfiler.stopSampling')).profile as unknown as SampledHeap;
    } finally {
      await session.post('HeapProfiler.disable');
    }
  });
}

/** A session with V8 of this thread, closed at the end: while one is open, V8 keeps more than it must. */
async function inSession<T>(work: (session: Session) => Promise<T>): Promise<T> {
  const session = new Session();
  session.connect();
  try {
    return await work(session);
  } finally {
    session.disconnect();
  }
}
