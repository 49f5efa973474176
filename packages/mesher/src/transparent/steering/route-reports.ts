import type { Clock, Invocation, Logger, PolicyMetrics } from '@mesher/core';

/** What became of a request that says where to go. */
export type RouteResult = 'routed' | 'none' | 'refused' | 'malformed' | 'unresolved';

/** Whoever sends such requests may send many: one line of each kind tells of all of them. */
const LOG_INTERVAL_MS = 60_000;
/** Characters of a value that are worth a place in the log. */
const SHOWN = 200;

const MESSAGES: Readonly<Partial<Record<RouteResult, string>>> = {
  refused: 'a request was to be sent where transparent.routing.allow does not lead; it went where it was going',
  malformed: 'a request says in a way that nobody understands where to go; it went where it was going',
  unresolved: 'a request was to be sent where nobody was found; it went where it was going',
};

/** Counts what becomes of such requests, and tells the log of those that went where they were going all the same. */
export class RouteReports {
  readonly #counts = new Map<RouteResult, number>();
  readonly #lastLogged = new Map<RouteResult, number>();

  constructor(
    metrics: Pick<PolicyMetrics, 'gauge'>,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {
    metrics.gauge('transparentRoutes', (report) => this.#counts.forEach((count, result) => report([result], count)));
  }

  /** @param to what the request says, or the part of it that is for its host */
  add(result: RouteResult, call: Invocation, to: string): void {
    const count = (this.#counts.get(result) ?? 0) + 1;
    this.#counts.set(result, count);
    const message = MESSAGES[result];
    if (message === undefined) return;
    const last = this.#lastLogged.get(result);
    const now = this.clock.now();
    if (last !== undefined && now - last < LOG_INTERVAL_MS) return;
    this.#lastLogged.set(result, now);
    const { authority, direction } = call;
    const fields = { direction, host: authority.slice(0, SHOWN), to: to.slice(0, SHOWN), requestsSoFar: count };
    this.logger.warn(fields, message);
  }

  of(result: RouteResult): number {
    return this.#counts.get(result) ?? 0;
  }
}
