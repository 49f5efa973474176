/** A limit that several sidecars keep together. */
export interface SharedLimit {
  /** Names the limit across all sidecars that share it. */
  readonly key: string;
  /** Calls per second; above 0. */
  readonly rate: number;
  /** Calls that may come at once after a pause. */
  readonly burst: number;
}

/** What a shared limit gave. */
export interface SharedGrant {
  /** Calls that may pass: as many of those asked for as there were. */
  readonly granted: number;
  /** Calls that may follow at once. */
  readonly remaining: number;
  /** Milliseconds until one more call may pass; 0 when all that was asked for was granted. */
  readonly retryAfterMs: number;
}

/** Counts limits that several sidecars share. */
export interface SharedLimiter {
  /**
   * Takes up to `count` calls out of the limit, in one step that no other sidecar can come between. Rejects when the place where it is
   * counted cannot be reached; how long to wait for it is up to the caller. With a count of 0 nothing is taken: so it is asked whether
   * the place can be reached, when a configuration first names it and while it does not answer.
   */
  take(limit: SharedLimit, count: number): Promise<SharedGrant>;
  close(): Promise<void>;
}
