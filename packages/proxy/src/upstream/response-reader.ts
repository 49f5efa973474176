import type { Environment } from '../environment.js';
import { BROKEN, ChunkScanner, NEED_MORE, type ChunkData } from '../http1/chunk-scanner.js';
import { COMPLETE, INCOMPLETE, TOO_MANY_FIELDS } from '../http1/field-scanner.js';
import type { ResponseScanner } from '../http1/response-scanner.js';
import type { UpstreamUser } from './upstream-user.js';

/** Taken off the keep-alive time that an upstream announces, so that we close first. */
const KEEP_ALIVE_MARGIN_MS = 1000;

/** Most interim answers (1xx) before a final one: progress reports of a long job fit, a stream that never gets to its answer does not. */
const MAX_INTERIM_ANSWERS = 256;

/** What the connection learns about the answer that is being read. */
export interface ResponseProgress {
  /** Who gets the answer. */
  readonly user: UpstreamUser | undefined;
  /** The head is complete; `complete`: the whole answer is. Called before the user is told. */
  onHead(complete: boolean): void;
  /** The body is complete. Called before the user is told. */
  onBodyEnd(): void;
  /** Status 101: the bytes from `headEnd` on are no HTTP. */
  onSwitched(buffer: Buffer, start: number, headEnd: number, end: number): void;
  /** The upstream breaks the rules of HTTP/1.1; the connection is of no use any more. */
  onMalformed(problem: string): void;
}

/** Follows the framing of what an upstream answers, and passes it to the user piece by piece without copying. */
export class ResponseReader {
  /** The connection may serve another exchange after this answer. */
  keep = true;
  /** The body ends with the connection. */
  untilClose = false;
  /** Milliseconds that the upstream keeps an idle connection, by its own account. */
  idleLimit: number;
  #held: Buffer | undefined;
  #interimAnswers = 0;
  #remaining = 0;
  #isChunked = false;
  #chunks: ChunkScanner | undefined;
  #user: UpstreamUser | undefined;
  #onChunkData: ChunkData | undefined;

  constructor(
    private readonly progress: ResponseProgress,
    private readonly env: Environment,
  ) {
    this.idleLimit = env.options.upstreamIdleTimeout;
  }

  /** The answer has begun, but its head is not complete. */
  get hasPartialHead(): boolean {
    return this.#held !== undefined;
  }

  /** True unless the rest of the body is known to be longer than that, or to have no end but that of the connection. */
  endsWithin(bytes: number): boolean {
    return !this.untilClose && this.keep && (this.#isChunked || this.#remaining <= bytes);
  }

  /** @param length bytes of `buffer` that were read; `buffer` is the caller's again after the call */
  readHead(user: UpstreamUser, buffer: Buffer, length: number): void {
    let end = length;
    if (this.#held !== undefined) {
      buffer = Buffer.concat([this.#held, buffer.subarray(0, length)]);
      end = buffer.length;
      this.#held = undefined;
    }
    const scan = this.env.responseScanner;
    for (let i = 0; i < end;) {
      const result = scan.scanResponse(buffer, i, end);
      if (result === INCOMPLETE) {
        if (end - i > this.env.options.maxHeadBytes) {
          this.progress.onMalformed('an answer whose head is larger than maxHeadBytes');
        } else this.#held = Buffer.from(buffer.subarray(i, end));
        return;
      }
      if (result !== COMPLETE) {
        this.progress.onMalformed(
          result === TOO_MANY_FIELDS ? 'an answer with more fields than maxHeaderFields' : scan.problem,
        );
        return;
      }
      if (scan.status >= 200) {
        this.#begin(user, scan, buffer, i, end);
        return;
      }
      if (scan.status === 101) {
        this.keep = false;
        this.progress.onSwitched(buffer, i, scan.end, end);
        return;
      }
      if (++this.#interimAnswers > MAX_INTERIM_ANSWERS) {
        this.progress.onMalformed(`more than ${MAX_INTERIM_ANSWERS} interim answers to one request`);
        return;
      }
      const next = scan.end;
      user.onInformational(scan, buffer, i);
      i = next;
    }
  }

  readBody(user: UpstreamUser, buffer: Buffer, i: number, end: number): void {
    let bodyEnd = end;
    let complete = false;
    const dechunk = this.#isChunked && user.dechunk;
    if (this.#isChunked) {
      const chunks = this.#chunks as ChunkScanner;
      const at = chunks.feed(buffer, i, end, dechunk ? this.#chunkData(user) : undefined);
      if (at === BROKEN) {
        this.progress.onMalformed(chunks.problem);
        return;
      }
      if (at !== NEED_MORE) {
        bodyEnd = at;
        complete = true;
      }
    } else if (!this.untilClose) {
      bodyEnd = Math.min(end, i + this.#remaining);
      this.#remaining -= bodyEnd - i;
      complete = this.#remaining === 0;
    }
    if (complete) {
      // Bytes after the answer were not asked for: the connection is not used again.
      if (bodyEnd < end) this.keep = false;
      this.progress.onBodyEnd();
    }
    if (!dechunk) user.onResponseBody(buffer, i, bodyEnd);
    else if (complete) this.#passTrailers(user);
    if (complete) user.onResponseEnd();
  }

  /** The head of the final answer is complete: finds out how its body ends. */
  #begin(user: UpstreamUser, scan: ResponseScanner, buffer: Buffer, start: number, end: number): void {
    const headEnd = scan.end;
    this.#interimAnswers = 0;
    this.keep = scan.minorVersion === 1 ? !scan.close : scan.keepAlive && !scan.close;
    if (scan.keepAliveTimeout >= 0) this.#learnIdleLimit(scan.keepAliveTimeout);
    this.#isChunked = false;
    this.untilClose = false;
    let bodyEnd = headEnd;
    let complete = true;
    if (user.isHead || scan.status === 204 || scan.status === 304) {
      // no body, whatever the fields say (RFC 9112, 6.3)
    } else if (scan.chunked) {
      this.#isChunked = true;
      const chunks = (this.#chunks ??= new ChunkScanner(this.env.options.maxTrailerBytes));
      chunks.reset();
      chunks.keepsTrailers = user.dechunk && user.onResponseTrailers !== undefined;
      if (user.dechunk) {
        this.progress.onHead(false);
        user.onResponseHead(scan, buffer, start, headEnd, false, true);
        // Another attempt may be made instead of passing this answer on; what is here of it has another user then, or none.
        const reader = this.progress.user;
        if (reader !== undefined) this.readBody(reader, buffer, headEnd, end);
        return;
      }
      const at = chunks.feed(buffer, headEnd, end);
      if (at === BROKEN) {
        this.progress.onMalformed(chunks.problem);
        return;
      }
      complete = at !== NEED_MORE;
      bodyEnd = complete ? at : end;
    } else if (scan.contentLength >= 0) {
      const available = end - headEnd;
      complete = available >= scan.contentLength;
      bodyEnd = complete ? headEnd + scan.contentLength : end;
      this.#remaining = scan.contentLength - (bodyEnd - headEnd);
    } else {
      this.untilClose = true;
      this.keep = false;
      complete = false;
      bodyEnd = end;
    }
    if (complete && bodyEnd < end) this.keep = false;
    this.progress.onHead(complete);
    user.onResponseHead(scan, buffer, start, bodyEnd, complete, this.untilClose);
  }

  #passTrailers(user: UpstreamUser): void {
    const { trailers } = this.#chunks as ChunkScanner;
    if (trailers !== '') user.onResponseTrailers?.(trailers);
  }

  #learnIdleLimit(seconds: number): void {
    const announced = Math.max(0, seconds * 1000 - KEEP_ALIVE_MARGIN_MS);
    this.idleLimit = Math.min(announced, this.env.options.keepAliveTimeout);
  }

  /** One function per connection, since chunks are taken apart for HTTP/1.0 clients only. */
  #chunkData(user: UpstreamUser): ChunkData {
    this.#user = user;
    return (this.#onChunkData ??= (buffer, start, end) => this.#user?.onResponseBody(buffer, start, end));
  }
}
