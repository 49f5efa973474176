import { backoff, type Ports, type RetryPauses } from '@mesher/core';

/** Bounds of the pauses before a WebSocket is connected again, in milliseconds. */
export interface ReconnectPauses extends RetryPauses {
  /** Longest pause after one that was open has ended. */
  readonly reconnectSpread: number;
}

/**
 * The pause before a WebSocket is connected again. A service-center that restarts ends those of all clients in one moment, and may be
 * back in the next: they must not come back together. What they watch is asked for at intervals meanwhile, and leases last for minutes.
 * @param wasOpen false for one that could not be connected: that is tried again as a request is
 * @param failures in a row, this one included
 */
export function reconnectPause(
  ports: Pick<Ports, 'random'>,
  wasOpen: boolean,
  failures: number,
  { reconnectSpread, minRetryDelay, maxRetryDelay }: ReconnectPauses,
): number {
  return backoff(ports, failures, {
    minRetryDelay: wasOpen ? reconnectSpread : minRetryDelay,
    maxRetryDelay: Math.max(maxRetryDelay, wasOpen ? reconnectSpread : 0),
  });
}
