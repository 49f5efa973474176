import { Rejection, type AttemptFailure, type Endpoint } from '@mesher/core';
import type { Environment } from '../../environment.js';
import type { SecondAttempt } from '../../exchange/second-attempt.js';
import { notSent } from '../../exchange/timed-call.js';
import type { OutgoingHead, UpstreamAttempt } from '../connection/attempt-stream.js';
import type { AnswerReceiver } from '../connection/stream-users.js';
import { ErrorCode } from '../error-codes.js';
import type { TurnTask } from '../frames/output-pool.js';
import type { HeaderBlock } from '../hpack/header-block.js';
import { BlockAnswer } from './block-answer.js';
import type { ForwardedStream } from './forwarded-stream.js';
import type { KeptRequest } from './kept-request.js';
import { inLine, mustWait, openAttempt } from './open-attempt.js';

/** An attempt of HTTP/2 beside a slow first one. After its adoption it passes on what comes. */
export class Http2SecondAttempt implements SecondAttempt, AnswerReceiver, TurnTask {
  attempt: UpstreamAttempt | undefined = undefined;
  isAdopted = false;
  sentBytes = 0;
  /** It has failed before `start` returned. */
  #failure: AttemptFailure | undefined = undefined;
  #isStarting = true;
  /** Head of a gRPC answer that may be followed by its status at once. */
  #held: HeaderBlock | undefined = undefined;

  constructor(
    private readonly exchange: ForwardedStream,
    readonly endpoint: Endpoint,
    private readonly head: OutgoingHead,
    private readonly kept: KeptRequest | undefined,
    readonly tryAt: number,
    private readonly env: Environment,
  ) {}

  get isSent(): boolean {
    return this.attempt?.isBegun === true;
  }

  start(): AttemptFailure | undefined {
    const { exchange, env, endpoint, head, kept } = this;
    if (mustWait(env, exchange.call, endpoint)) return notSent(inLine(endpoint));
    const opened = openAttempt(env, exchange.call, endpoint, this, head, kept === undefined, false);
    if (opened instanceof Rejection) return notSent(opened);
    this.attempt = opened;
    kept?.sendTo(opened, true);
    this.#isStarting = false;
    return this.#failure;
  }

  /** The exchange takes over what is left. @returns the head that has come and was not judged yet */
  adopted(): HeaderBlock | undefined {
    const held = this.#held;
    this.isAdopted = true;
    this.#held = undefined;
    return held;
  }

  cancel(): void {
    const { attempt } = this;
    this.attempt = undefined;
    this.#held = undefined;
    attempt?.cancel(ErrorCode.cancel);
  }

  onRequestBegun(): void {
    if (this.isAdopted) this.exchange.onRequestBegun();
  }

  onReached(endpoint: Endpoint): void {
    this.exchange.onReached(endpoint);
  }

  onRequestSent(bytes: number): void {
    if (this.isAdopted) this.exchange.onRequestSent(bytes);
    else this.sentBytes += bytes;
  }

  onInterimAnswer(block: HeaderBlock): void {
    if (this.isAdopted) this.exchange.onInterimAnswer(block);
  }

  onAnswerHead(block: HeaderBlock, endStream: boolean): void {
    if (this.isAdopted) this.exchange.onAnswerHead(block, endStream);
    else if (endStream || !this.exchange.call.isGrpc) {
      if (this.#wins(block, endStream ? block : undefined)) this.exchange.onAnswerHead(block, endStream);
    } else {
      this.#held = block;
      this.env.outputPool.beforeFlush(this);
    }
  }

  /** No status has come with the head: what follows is an answer. */
  onTurnEnd(): void {
    this.#release(undefined);
  }

  onAnswerData(buffer: Buffer, start: number, end: number, endStream: boolean): void {
    if (this.#release(undefined)) this.exchange.onAnswerData(buffer, start, end, endStream);
  }

  onAnswerTrailers(block: HeaderBlock): void {
    if (this.#release(block)) this.exchange.onAnswerTrailers(block);
  }

  onAttemptFailed(failure: AttemptFailure, resetCode: number): void {
    this.attempt = undefined;
    this.#held = undefined;
    if (this.isAdopted) this.exchange.onAttemptFailed(failure, resetCode);
    else if (this.#isStarting) this.#failure = failure;
    else this.exchange.onSecondFailed(failure);
  }

  /** @returns false when the answer is not passed on */
  #release(trailers: HeaderBlock | undefined): boolean {
    const held = this.#held;
    if (held === undefined) return this.isAdopted;
    this.#held = undefined;
    if (this.#wins(held, trailers)) this.exchange.onAnswerHead(held, false);
    return this.isAdopted;
  }

  #wins(head: HeaderBlock, trailers: HeaderBlock | undefined): boolean {
    const { exchange } = this;
    if (exchange.takesSecond(new BlockAnswer(head, trailers, exchange.call.isGrpc))) return true;
    this.cancel();
    return false;
  }
}
