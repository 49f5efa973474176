import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { waitForHttp2Ok } from '../net/http2-check.js';
import { waitForOk } from '../net/http-check.js';
import { SERVICE } from '../net/request-head.js';
import type { PortPicker } from '../net/ports.js';
import type { Lab } from '../process/lab.js';
import type { ManagedProcess } from '../process/managed-process.js';
import { SMALL_PATH } from '../upstream/bodies.js';
import type { Upstream } from '../upstream/upstream.js';
import type { Candidate } from './candidate.js';

const READY_TIMEOUT_MS = 15_000;
const SINK_POLL_MS = 20;

/** A candidate that answers. */
export interface RunningCandidate {
  readonly candidate: Candidate;
  readonly pids: readonly number[];
  readonly port: number;
  readonly sinkPort: number | undefined;
  /** Where gRPC calls go; the same as `port` unless the candidate has a listener for them. */
  readonly grpcPort: number;
  /** From the start of the first program until the first 200, in milliseconds; the writing of its configuration is not in it. */
  readonly readyMillis: number;
  stop(): Promise<void>;
  /** The end of what its programs wrote to stderr. */
  complaint(): string;
}

/** Where candidates are started. */
export interface Stage {
  readonly lab: Lab;
  readonly ports: PortPicker;
  readonly upstream: Upstream;
  /** Core of the candidates; undefined when nothing is pinned. */
  readonly core: number | undefined;
}

/**
 * Starts a candidate pinned to its core and waits until it answers.
 *
 * @param capacity client connections that it must be able to hold
 * @throws Error with the end of its stderr when it does not become ready
 */
export async function startCandidate(stage: Stage, candidate: Candidate, capacity: number): Promise<RunningCandidate> {
  const { lab, ports, upstream } = stage;
  const plan = await candidate.prepare({
    folder: lab.makeFolder(candidate.id),
    upstreamPort: upstream.httpPort,
    sinkPort: upstream.sinkPort,
    http2Port: upstream.http2Port,
    grpcPort: upstream.grpcPort,
    capacity,
    pickPort: () => ports.pick(),
  });
  const processes: ManagedProcess[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(processes.map((started) => started.stop()));
  };
  const complaint = (): string =>
    processes
      .map((started) => started.stderr)
      .join('')
      .trim()
      .slice(-800);
  const alive = (): boolean => processes.every((started) => started.running);
  const start = performance.now();
  try {
    for (const program of plan.programs) processes.push(await lab.start({ ...program, core: stage.core }));
    if (plan.ready !== undefined) {
      await waitForOk(plan.ready.port, plan.ready.path, READY_TIMEOUT_MS, alive, true);
    } else if (candidate.layer === 'h2') {
      await waitForHttp2Ok({ port: plan.port, authority: SERVICE, path: SMALL_PATH }, READY_TIMEOUT_MS, alive);
    } else await waitForOk(plan.port, SMALL_PATH, READY_TIMEOUT_MS, alive);
    const readyMillis = performance.now() - start;
    if (plan.sinkPort !== undefined) await waitForListener(plan.sinkPort);
    return {
      candidate,
      pids: processes.map((started) => started.pid),
      port: plan.port,
      sinkPort: plan.sinkPort,
      grpcPort: plan.grpcPort ?? plan.port,
      readyMillis,
      stop,
      complaint,
    };
  } catch (error) {
    await stop();
    throw new Error(`${candidate.id}: ${(error as Error).message}. ${complaint()}`, { cause: error });
  }
}

async function waitForListener(port: number): Promise<void> {
  const deadline = performance.now() + READY_TIMEOUT_MS;
  while (performance.now() < deadline) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect({ host: '127.0.0.1', port }, () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
    if (open) return;
    await delay(SINK_POLL_MS);
  }
  throw new Error(`nothing listens on the sink's port within ${READY_TIMEOUT_MS} ms`);
}
