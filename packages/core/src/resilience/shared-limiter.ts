/** A limit that several sidecars keep together. */
export interface SharedLimit {
  /** Names the limit across all sidecars that share it. */
  readonly key: string;
  /** Calls per second. */
  readonly rate: number;
  /** Calls that may come at once after a pause. */
  readonly burst: number;
}

/** Whether a call may pass a shared limit. */
export interface SharedVerdict {
  readonly allowed: boolean;
  /** Calls that may follow at once. */
  readonly remaining: number;
  /** Milliseconds until the next call may pass; 0 when this one may. */
  readonly retryAfterMs: number;
}

/** Counts limits that several sidecars share. */
export interface SharedLimiter {
  /** Takes one call out of the limit. Rejects when the place where it is counted cannot be reached in time. */
  take(limit: SharedLimit): Promise<SharedVerdict>;
  close(): Promise<void>;
}
