import type { Pattern } from '../routing/pattern.js';

/** What is to be checked: a port of the local application. */
export interface LocalTarget {
  /** A loopback address: `127.0.0.1` or `::1`. */
  readonly host: string;
  readonly port: number;
  /** As configured: begins with `/`; undefined when it is left out. */
  readonly uri: string | undefined;
  /** What an answer must look like, for protocols that have such things. */
  readonly match: {
    readonly status: number | undefined;
    /** Found anywhere in the body; linear in its length. */
    readonly body: Pattern | undefined;
    /** So much of the body is looked at, in bytes. */
    readonly maxBody: number;
  };
}

/** How one check ended. */
export interface HealthResult {
  readonly healthy: boolean;
  /** One line for people: what was seen, or what is wrong. */
  readonly detail: string;
  /** True when nobody listens at that address: the loopback address of the other family is asked then. */
  readonly refused?: boolean;
}

/** One way to ask a local application how it is; the plugin kind `health-checker`, by the `protocol` of a check. */
export interface HealthChecker {
  /**
   * Called until it succeeds, before the first check: loads what takes time to load, which is not to count as time that the application
   * took. Left out by those who need nothing.
   */
  prepare?(): Promise<unknown>;
  /**
   * Asks once. A promise that rejects counts as not healthy, with the message of the error.
   * @param signal aborts when the time of the check is over, or nobody wants to know any more
   */
  check(target: LocalTarget, signal: AbortSignal): Promise<HealthResult>;
}
