/** Where the admin port is unless configured otherwise: as in the original mesher, so probes and scrape configurations keep working. */
export const ADMIN_HOST = '127.0.0.1';
export const ADMIN_PORT = 30102;

/** What the admin port puts up with. Times are in milliseconds. */
export interface AdminLimits {
  /** Connections at once; when there are more, idle ones are closed first. */
  readonly maxConnections: number;
  /** Bytes of a request body. */
  readonly maxBodyBytes: number;
  /** Bytes of a request head. */
  readonly maxHeadBytes: number;
  /** Header fields of a request; more are ignored. */
  readonly maxHeaderFields: number;
  /** Until the head of a request is complete. */
  readonly headersTimeoutMs: number;
  /** Until the whole request is complete. */
  readonly requestTimeoutMs: number;
  /** How long a connection may wait for its next request. */
  readonly keepAliveTimeoutMs: number;
  /** How long nothing may move on a connection with a request on it. */
  readonly socketIdleMs: number;
  /** How long closing waits for answers that are being made. */
  readonly closeTimeoutMs: number;
}

export const ADMIN_LIMITS: AdminLimits = {
  // A few scrapers and probes, and browsers with six connections each.
  maxConnections: 64,
  // A client that sends a body by habit (`curl -d '{}'`) stays far below.
  maxBodyBytes: 16 * 1024,
  // The longest path has 20 bytes; a browser with many cookies for localhost sends 4 KB.
  maxHeadBytes: 8 * 1024,
  // A browser sends about 20.
  maxHeaderFields: 64,
  // A client of this machine or network sends its head in one packet; whoever needs longer is dead or hostile.
  headersTimeoutMs: 5000,
  // Head and body together; a body is a packet or two.
  requestTimeoutMs: 10_000,
  // Longer than the usual scrape intervals (15, 30, 60 s), so that a scraper keeps its connection and never meets a closing one.
  keepAliveTimeoutMs: 65_000,
  // Somebody who does not read a large metrics page.
  socketIdleMs: 30_000,
  // An answer takes milliseconds; one that takes longer than this has nobody who waits for it.
  closeTimeoutMs: 1000,
};

/**
 * How often Node looks for requests that are too slow, at most. Its own 30 s would make the bounds on the head and the request
 * meaningless.
 */
export const SLOW_REQUEST_CHECK_MS = 2500;
