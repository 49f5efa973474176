import type { Environment } from '../../environment.js';
import { BROKEN, ChunkScanner, NEED_MORE } from '../../http1/chunk-scanner.js';
import { COMPLETE, INCOMPLETE } from '../../http1/field-scanner.js';
import type { RequestScanner } from '../../http1/request-scanner.js';

const enum Body {
  None,
  Length,
  Chunked,
}

/** Who is told of the requests in a stream. */
export interface RequestSink {
  /**
   * A head is complete.
   * @param scan has just scanned it
   * @returns what is sent in its place, one byte per char; undefined to send it as it came
   */
  onHead(buffer: Buffer, scan: RequestScanner): string | undefined;
  /** So many bytes of a body, its framing included. */
  onRequestBody(length: number): void;
  send(data: Buffer | string): void;
}

/**
 * Finds the requests in what a client sends, and passes everything on at once but for a head that is not complete: what is added to it goes
 * behind its last field. What is no request, or may be read in two ways, ends the search: from there on the bytes pass unread, and
 * what is wrong with them is for the server to say.
 */
export class ObservedRequests {
  /** Nothing is searched any more. */
  isBlind = false;
  /** Monotonic milliseconds at which the head that is held began to come; Infinity when none is. */
  heldSince = Infinity;
  #held: Buffer | undefined;
  #body: Body = Body.None;
  #remaining = 0;
  #chunks: ChunkScanner | undefined;
  #mayBeOver = false;
  /** The last head was sent in other words. */
  #isReplaced = false;

  constructor(
    private readonly sink: RequestSink,
    private readonly env: Environment,
  ) {}

  /** All requests so far have come to their end, and no other has begun. */
  get isBetween(): boolean {
    return this.#held === undefined && this.#body === Body.None;
  }

  take(chunk: Buffer): void {
    if (this.isBlind) {
      this.sink.send(chunk);
      return;
    }
    const held = this.#held;
    this.#held = undefined;
    const buffer = held === undefined ? chunk : Buffer.concat([held, chunk]);
    let sent = 0;
    for (let i = 0; i < buffer.length;) {
      if (this.#body !== Body.None) i = this.#followBody(buffer, i);
      else {
        const end = this.#readHead(buffer, i, sent);
        if (end < 0) {
          // The head is not complete.
          if (i > sent) this.sink.send(buffer.subarray(sent, i));
          this.#held = buffer.subarray(i);
          if (this.heldSince === Infinity) this.heldSince = this.env.now();
          return;
        }
        // What was sent in the place of the head, and with it.
        if (this.#isReplaced) sent = end;
        i = end;
      }
      if (this.isBlind) break;
    }
    if (sent < buffer.length) this.sink.send(sent === 0 ? buffer : buffer.subarray(sent));
  }

  /** What the last request asked for, another protocol on its connection, was not granted. */
  goOn(): void {
    this.#mayBeOver = false;
  }

  /** From here on the bytes pass unread; what was held goes on. */
  giveUp(): void {
    this.isBlind = true;
    this.heldSince = Infinity;
    const held = this.#held;
    if (held === undefined) return;
    this.#held = undefined;
    this.sink.send(held);
  }

  /**
   * @param sent what of the buffer has been passed on
   * @returns the position after the head; -1 when more is needed. Blind: the buffer is to be passed on as it is
   */
  #readHead(buffer: Buffer, i: number, sent: number): number {
    this.#isReplaced = false;
    const scan = this.env.requestScanner;
    // What comes after a request for another protocol, before the answer, may be of that one.
    const result = this.#mayBeOver ? undefined : scan.scanRequest(buffer, i, buffer.length);
    const length = (result === COMPLETE ? scan.end : buffer.length) - i;
    const isTooLong = length > this.env.options.maxHeadBytes;
    if (result === INCOMPLETE && !isTooLong) return -1;
    this.heldSince = Infinity;
    if (result !== COMPLETE || isTooLong) {
      this.isBlind = true;
      return i;
    }
    const { chunked, contentLength, end, start } = scan;
    this.#mayBeOver = scan.connectionUpgrade || scan.form === 'authority';
    const head = this.sink.onHead(buffer, scan);
    if (head !== undefined) {
      if (start > sent) this.sink.send(buffer.subarray(sent, start));
      this.sink.send(head);
      this.#isReplaced = true;
    }
    if (chunked) {
      this.#body = Body.Chunked;
      (this.#chunks ??= new ChunkScanner(this.env.options.maxTrailerBytes)).reset();
    } else if (contentLength > 0) {
      this.#body = Body.Length;
      this.#remaining = contentLength;
    }
    return end;
  }

  #followBody(buffer: Buffer, i: number): number {
    let end = buffer.length;
    if (this.#body === Body.Chunked) {
      const at = (this.#chunks as ChunkScanner).feed(buffer, i, end);
      if (at === BROKEN) {
        this.isBlind = true;
        return i;
      }
      if (at !== NEED_MORE) {
        end = at;
        this.#body = Body.None;
      }
    } else {
      end = Math.min(end, i + this.#remaining);
      this.#remaining -= end - i;
      if (this.#remaining === 0) this.#body = Body.None;
    }
    this.sink.onRequestBody(end - i);
    return end;
  }
}
