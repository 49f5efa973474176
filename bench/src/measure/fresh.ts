import { setTimeout as delay } from 'node:timers/promises';
import type { Candidate } from '../candidates/candidate.js';
import { startCandidate, type Stage } from '../candidates/running.js';
import type { IdleTask } from '../load/idle-main.js';
import { helperProgram } from '../process/helper-program.js';
import { SMALL_PATH } from '../upstream/bodies.js';
import type { Sample } from './results.js';
import { memoryValues } from './sampler.js';

/** After its start a program still settles; the prototypes were read after the same time. */
export const SETTLE_MS = 700;
/** A garbage collector and an allocator need a moment after 10,000 connections. */
export const HELD_SETTLE_MS = 1_500;
export const HOLD_TIMEOUT_MS = 60_000;
/** Room beside the measured connections for the one that asks whether the candidate is ready. */
const SPARE_CONNECTIONS = 16;
export const KB_PER_MB = 1_000;

/** What a candidate that only serves a few requests must be able to hold. */
export const USUAL_CAPACITY = 1_024;

/** Starts a fresh instance, reads the time until it is ready and its memory, and ends it. */
export async function sampleStart(stage: Stage, candidate: Candidate): Promise<Sample> {
  return guarded(async () => {
    const running = await startCandidate(stage, candidate, USUAL_CAPACITY);
    try {
      await delay(SETTLE_MS);
      return { values: { readyMillis: running.readyMillis, ...memoryValues(running.pids) } };
    } finally {
      await running.stop();
    }
  });
}

/** Starts a fresh instance, holds connections that made one request each, and reads what they cost. */
export async function sampleIdle(
  stage: Stage,
  candidate: Candidate,
  connections: number,
  loadCore: number | undefined,
): Promise<Sample> {
  return guarded(async () => {
    const running = await startCandidate(stage, candidate, connections + SPARE_CONNECTIONS);
    try {
      await delay(SETTLE_MS);
      const before = memoryValues(running.pids);
      const task: IdleTask = { port: running.port, path: SMALL_PATH, connections };
      const holder = await stage.lab.start(helperProgram('load/idle-main.js', loadCore, task));
      try {
        const held = await holder.nextLine((line) => line.startsWith('{'), HOLD_TIMEOUT_MS);
        if (held === undefined) throw new Error(`the connections could not be made: ${holder.stderr.slice(-300)}`);
        await delay(HELD_SETTLE_MS);
        const after = memoryValues(running.pids);
        holder.tell('faults?');
        const report = await holder.nextLine((line) => line.startsWith('{'), HOLD_TIMEOUT_MS);
        const { faults } = JSON.parse(report ?? held) as { faults: string[] };
        if (faults.length > 0) throw new Error([...new Set(faults)].slice(0, 3).join(', '));
        const perConnection = (metric: 'residentMb' | 'privateMb'): number =>
          (((after[metric] ?? 0) - (before[metric] ?? 0)) * KB_PER_MB) / connections;
        return {
          values: {
            ...after,
            heldConnections: connections,
            residentKbPerConnection: perConnection('residentMb'),
            privateKbPerConnection: perConnection('privateMb'),
          },
        };
      } finally {
        await holder.stop();
      }
    } finally {
      await running.stop();
    }
  });
}

/** A sample, whatever goes wrong with it: an error becomes its fault. */
export async function guarded(measure: () => Promise<Sample>): Promise<Sample> {
  try {
    return await measure();
  } catch (error) {
    return { values: {}, fault: (error as Error).message };
  }
}
