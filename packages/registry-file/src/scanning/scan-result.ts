/** What one look at a part of the directory brought. */
export interface ScanResult {
  /** Services whose instances may have changed. */
  readonly changed: ReadonlySet<string>;
  /** Why a part could not be looked at; what was known of it stays in use. */
  readonly failure: string | undefined;
  /** Complaints about single files. */
  readonly problems: readonly string[];
  /** Milliseconds after which another look is wanted before the next poll. */
  readonly recheckInMs: number | undefined;
}
