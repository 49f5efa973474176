import { RequestGuard, guardedRequest, isLoopback } from '@mesher/admin';
import type { IncomingMessage } from 'node:http';

/** Why a request is not answered. */
export interface GuardRefusal {
  readonly status: number;
  readonly text: string;
}

/**
 * Guards a port that answers everybody who reaches it. On loopback, that is programs of this machine, and not web pages of strangers, who use a
 * name that they point to 127.0.0.1 (DNS rebinding), nor callers whose requests a sidecar passed on. A port on another address was opened
 * to others on purpose, and has names that nobody knows.
 * @param host at which the port listens
 */
export class LoopbackGuard {
  readonly #guard: RequestGuard | undefined;

  constructor(host: string) {
    this.#guard = isLoopback(host) ? new RequestGuard([]) : undefined;
  }

  check(request: IncomingMessage): GuardRefusal | undefined {
    const refusal = this.#guard?.check(guardedRequest(request));
    if (refusal === undefined) return undefined;
    const why =
      'This port answers programs of this machine alone: ask 127.0.0.1 or localhost, and not through a proxy.\n';
    return { status: refusal.status, text: why };
  }
}
