import type { AttemptFailure, Endpoint } from '@mesher/core';

/**
 * An attempt that runs beside a slow first one. Once it is the only one left the call takes it over, and it is forgotten; until then
 * nothing that its upstream says reaches the client.
 */
export interface SecondAttempt {
  readonly endpoint: Endpoint;
  /** Monotonic milliseconds at which it has taken too long: later than the first one, whose place it has then. */
  readonly tryAt: number;
  /** The request has been sent. */
  readonly isSent: boolean;
  /** @returns why there is no second attempt after all: it would have to wait in line, and the first one is under way already */
  start(): AttemptFailure | undefined;
  /** The other one was better. */
  cancel(): void;
}
