/** What one burst of requests came to. */
export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  readonly bytes: number;
  readonly p50Micros: number;
  readonly p99Micros: number;
  /** Reasons why this burst must not be counted: socket errors, timeouts, statuses other than 2xx. Empty when it is sound. */
  readonly faults: readonly string[];
}

/** One burst of requests to ask for. */
export interface LoadOrder {
  readonly port: number;
  readonly path: string;
  readonly connections: number;
  readonly seconds: number;
  /** A new connection for every request. */
  readonly close: boolean;
}
