import type { BudgetHolder, BudgetWaiter, BufferBudget } from '../flow/buffer-budget.js';
import { ReceiveWindow } from '../flow/receive-window.js';
import type { FrameWriter } from '../frames/frame-writer.js';
import type { Http2Limits } from '../limits.js';
import type { Http2Stream } from './http2-stream.js';

/**
 * While too much waits on its connection, the window of a stream is opened only if less than this waits of it: those whose receivers
 * keep up are not to stand still because of those that do not.
 */
const SMALL_BYTES = 16_384;

/**
 * What the peer may send, and what of it waits here. The window of the connection is given back at once, or one slow stream would
 * stop all others; those of streams when bytes have left for the other side, and while too much waits, not at all.
 */
export class IncomingData implements BudgetWaiter {
  /**
   * Bytes that wait for the streams of this connection: of messages that came, and of messages that go. Counted on the streams of
   * clients, because what waits on the streams of instances waits for them.
   */
  #waiting = 0;
  /** Something has waited here: the budget knows of this connection until its end. */
  #isHolder = false;
  readonly #window: ReceiveWindow;
  /** Streams whose windows are to be opened once less is waiting. */
  #withheld: Set<Http2Stream> | undefined = undefined;

  /** @param holder whose streams are given up when too much waits for all; undefined where nothing is counted, see above */
  constructor(
    private readonly limits: Http2Limits,
    private readonly budget: BufferBudget,
    private readonly writer: FrameWriter,
    private readonly holder: BudgetHolder | undefined,
  ) {
    this.#window = ReceiveWindow.ofConnection(limits.connectionWindow);
  }

  /** Too much waits already for another call to be begun. */
  get isFull(): boolean {
    return this.#isCrowded || this.budget.isFull;
  }

  /** Bytes that wait for the streams of this connection. */
  get waitingBytes(): number {
    return this.#waiting;
  }

  /** Announces that the window is larger than peers assume. */
  begin(): void {
    this.#announce(this.#window.announce());
  }

  /** DATA arrives. @returns false when it is more than the peer was allowed to send */
  take(flowBytes: number): boolean {
    if (!this.#window.take(flowBytes)) return false;
    this.#announce(this.#window.giveBack(flowBytes));
    return true;
  }

  /** So many bytes more wait for a stream, or fewer. */
  count(bytes: number): void {
    const { holder } = this;
    if (holder === undefined || bytes === 0) return;
    const wasCrowded = this.#isCrowded;
    if (!this.#isHolder) {
      this.#isHolder = true;
      this.budget.hold(holder);
    }
    this.#waiting += bytes;
    this.budget.add(bytes);
    if (wasCrowded && this.#withheld !== undefined && !this.#isCrowded) this.reopen();
  }

  /** Bytes of a stream have left: opens its window by as much, now or when less is waiting. */
  giveBack(stream: Http2Stream, window: ReceiveWindow, bytes: number): void {
    const { isTight } = this.budget;
    if ((isTight || this.#isCrowded) && stream.heldBytes >= SMALL_BYTES) {
      window.keepBack(bytes);
      (this.#withheld ??= new Set()).add(stream);
      if (isTight) this.budget.wait(this);
      return;
    }
    const increment = window.giveBack(bytes);
    if (increment > 0) this.writer.windowUpdate(stream.id, increment);
  }

  /** A stream has ended. */
  leave(stream: Http2Stream): void {
    this.#withheld?.delete(stream);
  }

  /** The connection has ended. */
  stop(): void {
    this.#withheld = undefined;
    this.budget.leave(this);
    if (this.holder !== undefined) this.budget.release(this.holder);
  }

  /** There is room again. */
  reopen(): void {
    const withheld = this.#withheld;
    if (withheld === undefined) return;
    this.#withheld = undefined;
    for (const stream of withheld) stream.consumed(0);
  }

  get #isCrowded(): boolean {
    return this.#waiting >= this.limits.maxConnectionBufferedBytes;
  }

  #announce(increment: number): void {
    if (increment > 0) this.writer.windowUpdate(0, increment);
  }
}
