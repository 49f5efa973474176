/**
 * Servers of gRPC allow one PING in five minutes to a client that gets nothing from them, and end the connection after the third that
 * comes sooner (GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, GOAWAY with "too_many_pings"). Half a minute more for the way.
 */
const POLITE_INTERVAL_MS = 330_000;

/** What is to be done now, or when to ask again. */
export type KeepaliveStep =
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'ask'; readonly ms: number }
  | { readonly kind: 'dead' };

/**
 * Finds out whether a silent peer still lives: a machine that vanished closes no connection. Asked once after `interval` of silence,
 * and then rarely until the peer has something to say of its own accord. Calls that are given up one after another before the interval
 * is over do not put the question off.
 */
export class Keepalive {
  /** Monotonic milliseconds from which on silence counts. */
  #since: number;
  #isExpecting = false;
  #askedAt = -Infinity;
  #isAsked = false;
  /** The peer has sent part of an answer since the last PING, which resets what it counts against us. */
  #hasContent = true;

  constructor(now: number) {
    this.#since = now;
  }

  /** Something was sent that the peer has to answer, and nothing has come since. */
  get isExpecting(): boolean {
    return this.#isExpecting;
  }

  /** A call was sent. @param isFirst it is the only one: before it there was nothing to be said */
  expect(now: number, isFirst: boolean): void {
    if (this.#isExpecting) return;
    this.#isExpecting = true;
    if (isFirst) this.#since = now;
  }

  /** Anything has come: the peer lives. @param now monotonic milliseconds */
  heard(now: number): void {
    this.#since = now;
    this.#isExpecting = false;
    this.#isAsked = false;
  }

  /** Part of an answer has come. */
  content(): void {
    this.#hasContent = true;
  }

  /**
   * To be called when the time of the last step is over, or earlier.
   * @param interval silence in milliseconds after which a PING is sent; 0 never
   * @param timeout how long its answer may take, in milliseconds
   */
  step(now: number, interval: number, timeout: number): KeepaliveStep {
    if (this.#isAsked) {
      const left = this.#askedAt + timeout - now;
      return left > 0 ? { kind: 'wait', ms: left } : { kind: 'dead' };
    }
    if (interval === 0) return { kind: 'wait', ms: Infinity };
    const silentUntil = this.#since + interval;
    const politeFrom = this.#hasContent ? -Infinity : this.#askedAt + Math.max(interval, POLITE_INTERVAL_MS);
    const due = Math.max(silentUntil, politeFrom);
    if (now < due) return { kind: 'wait', ms: due - now };
    this.#isAsked = true;
    this.#isExpecting = true;
    this.#hasContent = false;
    this.#askedAt = now;
    return { kind: 'ask', ms: timeout };
  }
}
