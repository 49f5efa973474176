import type { Environment } from '../../environment.js';
import { BROKEN, ChunkScanner, NEED_MORE } from '../../http1/chunk-scanner.js';
import { COMPLETE, INCOMPLETE } from '../../http1/field-scanner.js';
import { latin1 } from '../../http1/characters.js';
import type { ResponseScanner } from '../../http1/response-scanner.js';

const SWITCHING_PROTOCOLS = 101;
/** `HTTP/1.1 200` */
const STATUS_LINE = /^HTTP\/1\.[01] ([1-9]\d\d)/;
const STATUS_LENGTH = 12;

const enum Reading {
  Head,
  Length,
  Chunked,
  UntilClose,
}

/** What must be known of a request to tell where its answer ends. */
export interface AwaitedAnswer {
  readonly isHead: boolean;
  /** `authority` for CONNECT: success makes a tunnel of the connection. */
  readonly form: string;
}

/** Who is told of the answers in a stream. */
export interface AnswerSink {
  /** The request that the next answer is for; undefined: none is awaited. */
  readonly awaited: AwaitedAnswer | undefined;
  /** The head of an answer is complete, which is no interim one. */
  onAnswer(status: number): void;
  /** So many bytes of a body, its framing included. */
  onAnswerBody(length: number): void;
  /** The answer is complete. */
  onAnswerEnd(): void;
  /** What follows is no HTTP/1, as the client has asked for. Of it, `length` bytes are there. */
  onSwitched(status: number, length: number): void;
  /** What came is no answer, or one whose end cannot be told. @param status of it; 0 when it has none */
  onUnreadable(status: number): void;
}

/** Finds the answers in what an upstream sends, which has been passed on already: nothing that is found here can change it. */
export class ObservedAnswers {
  isBlind = false;
  #reading: Reading = Reading.Head;
  /** The beginning of a head: a copy, since the bytes belong to the buffer of the socket. */
  #held: Buffer | undefined;
  #remaining = 0;
  #chunks: ChunkScanner | undefined;

  constructor(
    private readonly sink: AnswerSink,
    private readonly env: Environment,
  ) {}

  take(bytes: Buffer): void {
    const buffer = this.#held === undefined ? bytes : Buffer.concat([this.#held, bytes]);
    this.#held = undefined;
    for (let i = 0; i < buffer.length && !this.isBlind;) {
      i = this.#reading === Reading.Head ? this.#readHead(buffer, i) : this.#followBody(buffer, i);
    }
  }

  /** Nothing more comes: the end of an answer that has no other end. */
  end(): void {
    this.isBlind = true;
    this.#held = undefined;
    if (this.#reading !== Reading.UntilClose) return;
    this.#reading = Reading.Head;
    this.sink.onAnswerEnd();
  }

  #readHead(buffer: Buffer, i: number): number {
    const { env, sink } = this;
    const { awaited } = sink;
    const scan = env.responseScanner;
    const result = awaited === undefined ? undefined : scan.scanResponse(buffer, i, buffer.length);
    if (result === INCOMPLETE && buffer.length - i <= env.options.maxHeadBytes) {
      this.#held = Buffer.from(buffer.subarray(i));
      return buffer.length;
    }
    if (awaited === undefined || result !== COMPLETE) {
      this.isBlind = true;
      const [, status = '0'] = STATUS_LINE.exec(latin1(buffer, i, Math.min(buffer.length, i + STATUS_LENGTH))) ?? [];
      sink.onUnreadable(Number(status));
      return i;
    }
    const { status, end } = scan;
    const isTunnel = awaited.form === 'authority' && status >= 200 && status < 300;
    if (status === SWITCHING_PROTOCOLS || isTunnel) {
      this.isBlind = true;
      sink.onSwitched(status, buffer.length - end);
    } else if (status >= 200) this.#begin(awaited, scan);
    return end;
  }

  /** Finds out how the body ends (RFC 9112, 6.3). */
  #begin({ isHead }: AwaitedAnswer, scan: ResponseScanner): void {
    const { sink } = this;
    const { chunked, contentLength, status } = scan;
    sink.onAnswer(status);
    if (isHead || status === 204 || status === 304 || (!chunked && contentLength === 0)) sink.onAnswerEnd();
    else if (chunked) {
      this.#reading = Reading.Chunked;
      (this.#chunks ??= new ChunkScanner(this.env.options.maxTrailerBytes)).reset();
    } else if (contentLength > 0) {
      this.#reading = Reading.Length;
      this.#remaining = contentLength;
    } else this.#reading = Reading.UntilClose;
  }

  #followBody(buffer: Buffer, i: number): number {
    let end = buffer.length;
    let isComplete = false;
    if (this.#reading === Reading.Chunked) {
      const at = (this.#chunks as ChunkScanner).feed(buffer, i, end);
      if (at === BROKEN) {
        this.isBlind = true;
        this.sink.onUnreadable(0);
        return i;
      }
      isComplete = at !== NEED_MORE;
      if (isComplete) end = at;
    } else if (this.#reading === Reading.Length) {
      end = Math.min(end, i + this.#remaining);
      this.#remaining -= end - i;
      isComplete = this.#remaining === 0;
    }
    this.sink.onAnswerBody(end - i);
    if (isComplete) {
      this.#reading = Reading.Head;
      this.sink.onAnswerEnd();
    }
    return end;
  }
}
