/** What has been tried again in one call; made when its first attempt has failed. */
export interface RetryState {
  /** Attempts after the first one that may have been more work for the service; hedges not counted. */
  repeated: number;
  /** Attempts in a row at the present instance. */
  triesHere: number;
  /** Attempts that were made beside another one. */
  hedges: number;
  /** Monotonic milliseconds at which the last of those began. */
  hedgedAt: number;
  /** Attempts after the first one that other layers of Mesher have made for this call. */
  elsewhere: number;
}

export function newRetryState(): RetryState {
  return { repeated: 0, triesHere: 1, hedges: 0, hedgedAt: 0, elsewhere: 0 };
}
