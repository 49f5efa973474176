import type { StatusObject } from '@grpc/grpc-js';
import type { GrpcClient } from './grpc-client.js';

export interface GrpcLoadOptions {
  readonly client: GrpcClient;
  readonly total: number;
  readonly parallel: number;
  /** Called once, after so many answers, while the load goes on. */
  readonly midway?: { readonly after: number; readonly act: () => unknown };
}

export interface GrpcLoadReport {
  /** The server of each answer, in the order in which the answers came. */
  readonly servers: readonly string[];
  /** How calls ended that failed. */
  readonly failures: readonly StatusObject[];
}

/** Makes unary calls over one client, some at once, and reports who answered and what failed. */
export async function runGrpcLoad({ client, total, parallel, midway }: GrpcLoadOptions): Promise<GrpcLoadReport> {
  const servers: string[] = [];
  const failures: StatusObject[] = [];
  let sent = 0;
  let midwayDone: unknown;
  const worker = async (): Promise<void> => {
    while (sent < total) {
      const { head, status } = await client.say(`call ${++sent}`);
      if (status.code === 0) servers.push(String(head?.get('served-by')[0]));
      else failures.push(status);
      if (midway !== undefined && servers.length + failures.length >= midway.after) midwayDone ??= midway.act() ?? true;
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  await midwayDone;
  return { servers, failures };
}
