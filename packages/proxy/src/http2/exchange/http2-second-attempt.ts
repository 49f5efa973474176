import { Rejection, type AttemptFailure, type Endpoint } from '@mesher/core';
import type { Environment } from '../../environment.js';
import type { SecondAttempt } from '../../exchange/second-attempt.js';
import { notSent } from '../../exchange/timed-call.js';
import type { OutgoingHead, UpstreamAttempt } from '../connection/attempt-stream.js';
import type { AnswerReceiver } from '../connection/stream-users.js';
import { ErrorCode } from '../error-codes.js';
import type { HeaderBlock } from '../hpack/header-block.js';
import { BlockAnswer } from './block-answer.js';
import type { Http2Exchange } from './http2-exchange.js';
import type { KeptRequest } from './kept-request.js';

/** An attempt of HTTP/2 beside a slow first one. After its adoption it passes on what comes. */
export class Http2SecondAttempt implements SecondAttempt, AnswerReceiver {
  attempt: UpstreamAttempt | undefined = undefined;
  isAdopted = false;
  sentBytes = 0;

  constructor(
    private readonly exchange: Http2Exchange,
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
    const opened = this.env.streamPools.of(this.endpoint).open(this, this.head, this.kept === undefined);
    if (opened instanceof Rejection) return notSent(opened);
    this.attempt = opened;
    this.kept?.sendTo(opened, true);
    return undefined;
  }

  cancel(): void {
    this.attempt?.cancel(ErrorCode.cancel);
    this.attempt = undefined;
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
    if (this.isAdopted || this.exchange.takesSecond(new BlockAnswer(block, endStream ? block : undefined))) {
      this.exchange.onAnswerHead(block, endStream);
    } else this.cancel();
  }

  onAnswerData(buffer: Buffer, start: number, end: number, endStream: boolean): void {
    this.exchange.onAnswerData(buffer, start, end, endStream);
  }

  onAnswerTrailers(block: HeaderBlock): void {
    this.exchange.onAnswerTrailers(block);
  }

  onAttemptFailed(failure: AttemptFailure, resetCode: number): void {
    this.attempt = undefined;
    if (this.isAdopted) this.exchange.onAttemptFailed(failure, resetCode);
    else this.exchange.onSecondFailed(failure);
  }
}
