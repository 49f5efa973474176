import { MeshError } from '@mesher/core';

/** Why a start ended that was asked to. */
export function givenUp(): MeshError {
  return new MeshError('MESH_ERR_STOPPED', 'the start was given up');
}

/** Resolves with `work`, or throws MESH_ERR_STOPPED when the signal comes first; `work` is not begun after it. */
export async function untilAborted<T>(work: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await work();
  if (signal.aborted) throw givenUp();
  const aborted = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(givenUp()), { once: true });
  });
  return await Promise.race([work(), aborted]);
}
