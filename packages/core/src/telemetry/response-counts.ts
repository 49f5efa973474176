import type { Direction } from '../invocation.js';

/** Statuses are below this; what is not (nothing was answered, a connection of bytes) is not counted. */
const STATUS_END = 600;
const FIRST_STATUS = 100;

/** One series: answers of one status in one direction. `labels` stays the same object, because prom-client remembers its printed text. */
export interface ResponseCount {
  readonly labels: { readonly direction: Direction; readonly status: number };
  readonly count: number;
}

/** Which paths are not counted. */
export interface PathFilter {
  /** @param path with query */
  has(path: string): boolean;
}

/**
 * Answers by their exact status, one addition per call. Not by service, so that there are a few dozens of series, however large the mesh
 * is. Calls to ignored paths (`tracing.ignoredPaths`) are left out, as netramesh leaves them out of `inbound.<status>` in StatsD.
 */
export class ResponseCounts implements Iterable<ResponseCount> {
  readonly #counts: Readonly<Record<Direction, Float64Array>> = {
    inbound: new Float64Array(STATUS_END),
    outbound: new Float64Array(STATUS_END),
  };
  readonly #labels = new Map<string, ResponseCount['labels']>();
  #ignored: PathFilter | undefined;

  /** Leaves out the calls to these paths from now on. */
  ignore(paths: PathFilter): void {
    this.#ignored = paths;
  }

  /** @param status that the caller got; 0 when there was none */
  count(status: number, call: { readonly direction: Direction; readonly path: string }): void {
    if (!(status >= FIRST_STATUS && status < STATUS_END)) return;
    if (this.#ignored?.has(call.path) === true) return;
    this.#counts[call.direction][status]!++;
  }

  /** Every status that ever occurred. */
  *[Symbol.iterator](): Iterator<ResponseCount> {
    for (const direction of ['inbound', 'outbound'] as const) {
      for (const [status, count] of this.#counts[direction].entries()) {
        if (count > 0) yield { labels: this.#labelsOf(direction, status), count };
      }
    }
  }

  #labelsOf(direction: Direction, status: number): ResponseCount['labels'] {
    const key = `${direction}${status}`;
    let labels = this.#labels.get(key);
    if (labels === undefined) {
      labels = { direction, status };
      this.#labels.set(key, labels);
    }
    return labels;
  }
}
