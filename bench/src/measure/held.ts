import { setTimeout as delay } from 'node:timers/promises';
import type { Candidate } from '../candidates/candidate.js';
import { startCandidate, type Stage } from '../candidates/running.js';
import type { HeldCallsTask } from '../load/held-calls-main.js';
import { helperProgram } from '../process/helper-program.js';
import { guarded, HELD_SETTLE_MS, HOLD_TIMEOUT_MS, KB_PER_MB, SETTLE_MS, USUAL_CAPACITY } from './fresh.js';
import type { HeldRow } from './http2-rows.js';
import type { Metric, Sample } from './results.js';
import { memoryValues } from './sampler.js';

const POLL_MS = 50;

/** Starts a fresh instance, holds HTTP/2 connections or open calls, and reads what they cost. */
export async function sampleHeld(
  stage: Stage,
  candidate: Candidate,
  { connections, openCalls }: HeldRow,
  loadCore: number | undefined,
): Promise<Sample> {
  return guarded(async () => {
    const running = await startCandidate(stage, candidate, Math.max(USUAL_CAPACITY, 2 * connections));
    try {
      await delay(SETTLE_MS);
      const before = memoryValues(running.pids);
      const task: HeldCallsTask = { port: running.grpcPort, connections, openCalls };
      const holder = await stage.lab.start(helperProgram('load/held-calls-main.js', loadCore, task));
      try {
        if ((await holder.nextLine((line) => line.startsWith('{'), HOLD_TIMEOUT_MS)) === undefined) {
          throw new Error(`the connections could not be made: ${holder.stderr.slice(-300)}`);
        }
        const calls = connections * openCalls;
        await waitForOpen(stage, calls);
        await delay(HELD_SETTLE_MS);
        const after = memoryValues(running.pids);
        holder.tell('faults?');
        const report = await holder.nextLine((line) => line.startsWith('{'), HOLD_TIMEOUT_MS);
        const { faults } = JSON.parse(report ?? '{"faults":["the holder is gone"]}') as { faults: string[] };
        if (faults.length > 0) throw new Error([...new Set(faults)].slice(0, 3).join(', '));
        const grown = (metric: 'residentMb' | 'privateMb'): number =>
          ((after[metric] ?? 0) - (before[metric] ?? 0)) * KB_PER_MB;
        const values: Partial<Record<Metric, number>> = {
          ...after,
          heldConnections: connections,
          residentKbPerConnection: grown('residentMb') / connections,
          privateKbPerConnection: grown('privateMb') / connections,
        };
        if (calls === 0) return { values };
        return {
          values: {
            ...values,
            heldCalls: calls,
            residentKbPerCall: grown('residentMb') / calls,
            privateKbPerCall: grown('privateMb') / calls,
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

/** Waits until as many calls have arrived at the gRPC server: a proxy that makes them wait holds something else. */
async function waitForOpen(stage: Stage, calls: number): Promise<void> {
  const deadline = performance.now() + HOLD_TIMEOUT_MS / 4;
  let open = 0;
  do {
    ({ open } = await stage.upstream.count('grpc'));
    if (open >= calls) return;
    await delay(POLL_MS);
  } while (performance.now() < deadline);
  throw new Error(`${open} of ${calls} calls reached the upstream`);
}
