import type { Deadlines } from '../../deadlines.js';
import { ConnectionError, ErrorCode, type ViolationKind } from '../error-codes.js';
import type { Http2Limits } from '../limits.js';

/** A WINDOW_UPDATE for the stream and one for the connection are what a peer may answer to each DATA frame. */
const UPDATES_PER_DATA_FRAME = 2;
/** gRPC measures bandwidth with one PING per round trip in which DATA came: on a local network thousands in a second. */
const PINGS_PER_DATA_FRAME = 1;

/**
 * Counts what costs us more than its sender, within windows of time: frames that flow control does not slow, and calls that are
 * begun only to be reset.
 */
export class FloodGuard {
  #since = -Infinity;
  #calls = 0;
  #resets = 0;
  #controlFrames = 0;
  #emptyData = 0;
  #windowUpdates = 0;

  constructor(
    private readonly limits: Http2Limits,
    private readonly deadlines: Deadlines,
  ) {}

  /** The peer has opened a stream. */
  call(): void {
    this.#roll();
    this.#calls++;
  }

  /**
   * A call was reset before its answer began: by the peer (rapid reset, CVE-2023-44487), or by us for something that the peer did to
   * make us (CVE-2025-8671).
   * @throws ConnectionError ENHANCE_YOUR_CALM when they are too many, and most of the calls
   */
  reset(): void {
    this.#roll();
    if (++this.#resets > this.limits.maxResets && this.#resets * 2 > this.#calls) throw flood('reset-flood');
  }

  /** PING, SETTINGS, PRIORITY, unknown frames, and such as name streams that are gone. @throws ConnectionError */
  controlFrame(): void {
    this.#roll();
    if (++this.#controlFrames > this.limits.maxControlFrames) throw flood('control-flood');
  }

  /** DATA without content that ends nothing. @throws ConnectionError */
  emptyData(): void {
    this.#roll();
    if (++this.#emptyData > this.limits.maxEmptyData) throw flood('empty-data-flood');
  }

  /** @throws ConnectionError */
  windowUpdate(): void {
    if (++this.#windowUpdates <= this.limits.maxWindowUpdates) return;
    this.#roll();
    if (this.#windowUpdates > this.limits.maxWindowUpdates) throw flood('window-update-flood');
  }

  /** We have sent a DATA frame. */
  dataSent(): void {
    const { maxWindowUpdates, maxControlFrames } = this.limits;
    // Not without a bound, or a long download would pay for a flood afterwards.
    if (this.#windowUpdates > -maxWindowUpdates) this.#windowUpdates -= UPDATES_PER_DATA_FRAME;
    if (this.#controlFrames > -maxControlFrames) this.#controlFrames -= PINGS_PER_DATA_FRAME;
  }

  #roll(): void {
    const { now } = this.deadlines;
    if (now - this.#since <= this.limits.resetWindow) return;
    this.#since = now;
    this.#calls = 0;
    this.#resets = 0;
    this.#emptyData = 0;
    // What was sent in the last window of time may be answered in this one.
    this.#controlFrames = Math.min(this.#controlFrames, 0);
    this.#windowUpdates = Math.min(this.#windowUpdates, 0);
  }
}

function flood(kind: ViolationKind): ConnectionError {
  return new ConnectionError(ErrorCode.enhanceYourCalm, `too many frames that do nothing (${kind})`, kind);
}
