/** Where a connection to an instance stands. `draining` ones take no further calls. */
export type UpstreamState = 'connecting' | 'open' | 'draining' | 'closed';

/** Counters of the client role of HTTP/2: plain numbers, changed in place and read at scrape time. */
export class UpstreamCounts {
  /** Connections by their present state. */
  connecting = 0;
  open = 0;
  draining = 0;
  /** Connections that are over, of all time. */
  closed = 0;
  /** Requests that have a stream. */
  streams = 0;
  /** Requests that wait for one. */
  waiting = 0;
  /** Requests that an instance had not looked at and that were sent once more, by the pool itself. */
  replayed = 0;
  /** Streams that instances have refused (REFUSED_STREAM), those among them that were replayed included. */
  refused = 0;
  /** GOAWAY frames of instances. */
  goaways = 0;
  /** Connections given up because a PING was not answered. */
  unanswered = 0;

  /** A connection has come from one state into another. @param from undefined for a new one */
  moved(from: UpstreamState | undefined, to: UpstreamState): void {
    if (from !== undefined) this[from]--;
    this[to]++;
  }
}
