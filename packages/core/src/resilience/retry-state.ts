/** What has been tried again in one call; made when its first attempt has failed. */
export interface RetryState {
  /** Attempts after the first one, hedges not counted. */
  retries: number;
  /** Attempts in a row at the present instance. */
  triesHere: number;
  /** Second attempts beside a first one. */
  hedges: number;
  /** Attempts that sidecars below this one have reported. */
  below: number;
}
