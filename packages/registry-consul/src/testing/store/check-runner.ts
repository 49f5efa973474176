import { get } from 'node:http';
import { connect } from 'node:net';
import type { Ports, TimerHandle } from '@mesher/core';
import type { CheckKind, Status } from './records.js';

/** What a check found. */
export type Report = (status: Status, output: string) => void;

/** A check that is under way: a lease that its client renews, or requests at intervals. */
export interface RunningCheck {
  /** A new state from the client. @returns false for a check that takes none */
  renew(): boolean;
  stop(): void;
}

const NOTHING: RunningCheck = { renew: () => false, stop: () => undefined };

/** Starts what a check does by itself. */
export function runCheck(kind: CheckKind, ports: Pick<Ports, 'timers'>, report: Report): RunningCheck {
  switch (kind.type) {
    case 'ttl':
      return lease(kind.ttlMs, ports, report);
    case 'http':
      return atIntervals(kind.intervalMs, ports, (signal) => askHttp(kind.url, kind.timeoutMs, report, signal));
    case 'tcp':
      return atIntervals(kind.intervalMs, ports, (signal) => askTcp(kind.address, kind.timeoutMs, report, signal));
    default:
      return NOTHING;
  }
}

function lease(ttlMs: number, { timers }: Pick<Ports, 'timers'>, report: Report): RunningCheck {
  const start = (): TimerHandle => timers.after(ttlMs, () => report('critical', 'TTL expired'));
  let timer = start();
  return {
    renew: () => {
      timer.cancel();
      timer = start();
      return true;
    },
    stop: () => timer.cancel(),
  };
}

function atIntervals(
  intervalMs: number,
  { timers }: Pick<Ports, 'timers'>,
  ask: (signal: AbortSignal) => void,
): RunningCheck {
  const abort = new AbortController();
  // Consul begins at a moment of the first interval that it draws; here that is the beginning.
  const first = timers.after(0, () => ask(abort.signal));
  const timer = timers.every(intervalMs, () => ask(abort.signal));
  return {
    renew: () => false,
    stop: () => {
      first.cancel();
      timer.cancel();
      abort.abort();
    },
  };
}

function askHttp(url: string, timeoutMs: number, report: Report, signal: AbortSignal): void {
  const request = get(url, { signal, timeout: timeoutMs, agent: false }, (response) => {
    const { statusCode = 0 } = response;
    response.resume();
    const status = statusCode >= 200 && statusCode < 300 ? 'passing' : statusCode === 429 ? 'warning' : 'critical';
    if (!signal.aborted) report(status, `HTTP GET ${url}: ${statusCode}`);
  });
  request.once('timeout', () => request.destroy(new Error('context deadline exceeded')));
  request.once('error', (error) => {
    if (!signal.aborted) report('critical', `Get "${url}": ${error.message}`);
  });
}

function askTcp(address: string, timeoutMs: number, report: Report, signal: AbortSignal): void {
  const at = address.lastIndexOf(':');
  const socket = connect({
    host: address.slice(0, at).replace(/[[\]]/g, ''),
    port: Number(address.slice(at + 1)),
    signal,
  });
  const end = (status: Status, output: string): void => {
    socket.destroy();
    if (!signal.aborted) report(status, output);
  };
  socket.setTimeout(timeoutMs, () => end('critical', `dial tcp ${address}: i/o timeout`));
  socket.once('connect', () => end('passing', `TCP connect ${address}: Success`));
  socket.once('error', (error) => end('critical', `dial tcp ${address}: ${error.message}`));
}
