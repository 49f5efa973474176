import {
  grpcStatusOfHttp,
  Rejection,
  type AttemptFailure,
  type Endpoint,
  type ErrorCode as FailureCode,
} from '@mesher/core';
import { describeTimeout, Phase } from '../../exchange/call-phase.js';
import { answeredCall, localAnswer, localGrpcAnswer } from '../../exchange/local-answer.js';
import { refusalOfPeer } from '../../exchange/peer-refusal.js';
import { ErrorCode } from '../error-codes.js';
import type { TurnTask } from '../frames/output-pool.js';
import type { HeaderBlock } from '../hpack/header-block.js';
import { answerHead, localHead, localTrailers } from './answer-head.js';
import { AnswerNote } from './answer-note.js';
import { BlockAnswer } from './block-answer.js';
import { ForwardedStream } from './forwarded-stream.js';

/**
 * One call of an HTTP/2 client, between its stream and the attempt that carries it to an instance. {@link ForwardedStream} brings the
 * request there; here the answer comes back, and each end learns how the other ended.
 */
export class Http2Exchange extends ForwardedStream implements TurnTask {
  #grpcStatus: number | undefined = undefined;
  /** Of gRPC calls only: a conversation may last for hours, which says nothing about who answers. */
  #beganAfterMs: number | undefined = undefined;
  /** The instance has ended its direction of a tunnel. */
  #isHalfClosed = false;
  /**
   * Head of a gRPC answer that somebody wants to judge. Many servers send head and status at once where the protocol would let them
   * leave the head out: until the turn ends the status may still come, and with it the answer is none that has begun.
   */
  #held: HeaderBlock | undefined = undefined;

  // === what the instance answers

  onInterimAnswer(block: HeaderBlock): void {
    this.stream.interim(block);
    this.armPhase();
  }

  onAnswerHead(block: HeaderBlock, endStream: boolean): void {
    const isJudged = this.second !== undefined || this.call.watchesAnswer;
    if (isJudged && !endStream && this.call.isGrpc) {
      this.hold(block);
      return;
    }
    const isLookedAt = isJudged || AnswerNote.of(block).hasError;
    const trailers = endStream ? block : undefined;
    if (!isLookedAt || !this.#triesAgain(block, trailers)) this.#answer(block, trailers);
  }

  /** No status has come with the head that is held. */
  onTurnEnd(): void {
    this.#release(undefined);
  }

  onAnswerData(buffer: Buffer, start: number, end: number, endStream: boolean): void {
    if (this.#held !== undefined && !this.#release(undefined)) return;
    const bytes = end - start;
    this.env.stats.bytesToDownstream += bytes;
    this.call.responseBytes += bytes;
    this.stream.data(buffer, start, end, endStream);
    if (endStream) this.#finish();
    else this.armPhase();
  }

  onAnswerTrailers(block: HeaderBlock): void {
    if (this.#held !== undefined && !this.#release(block)) return;
    if (this.call.isGrpc) this.#grpcStatus = AnswerNote.of(block).grpcStatus;
    this.stream.trailers(block);
    this.#finish();
  }

  onAttemptFailed(failure: AttemptFailure, resetCode: number): void {
    // What becomes of a stream whose answer is complete is nobody's business (RFC 9113, 8.1).
    if (this.phase === Phase.Over) return;
    this.takeAttempt();
    this.#held = undefined;
    if (this.phase < Phase.Response) {
      this.attemptFailed(failure);
      return;
    }
    if (this.#isHalfClosed && resetCode === ErrorCode.noError) {
      this.#finish();
      return;
    }
    // What the instance says with RST_STREAM is what the client would have seen without us.
    if (this.call.isGrpc && !this.call.isTransparent && failure.code !== 'MESH_ERR_UPSTREAM_RESET') {
      this.#endWithStatus(new Rejection(failure.code, failure.message));
      return;
    }
    this.errorCode = failure.code;
    this.#over(false);
    this.stream.reset(resetCode);
  }

  // === what the client does

  /** The client is gone: everything on its behalf stops now. */
  onClientGone(): void {
    if (this.phase === Phase.Over) return;
    this.env.stats.clientAborts++;
    this.#over(true);
  }

  onAnswerSent(bytes: number): void {
    this.attempt?.consumed(bytes);
    // Also after the end of the answer, for as long as the client reads what waits for it.
    if (this.phase >= Phase.Response) this.armPhase();
  }

  onTimeout(): void {
    if (this.phase === Phase.Over) {
      // The answer is complete, but the client does not read it.
      this.stream.reset(ErrorCode.cancel);
      return;
    }
    const { times } = this;
    if (times !== undefined) {
      const now = this.env.now();
      if (now >= times.dueAt) {
        this.onDue(times, now);
        return;
      }
    }
    this.env.stats.timeouts++;
    if (this.phase === Phase.Response) this.breakOff('MESH_ERR_TIMEOUT');
    else if (this.phase === Phase.Connecting && this.attempt?.isConnecting === true) this.#failConnect();
    else {
      const requestStalled = !this.requestDone && (this.attempt === undefined || this.attempt.queuedBytes === 0);
      this.refuse(describeTimeout(this.phase, this.call, requestStalled, this.env.options));
    }
  }

  // === for the executor

  reply(rejection: Rejection): void {
    if (this.phase === Phase.Over) return;
    const { call, stream } = this;
    if (call.isTransparent) {
      // Nobody is there to answer in the place of who was called; a stream that was refused may be sent again (RFC 9113, 8.7).
      this.#resetWith(
        rejection.code,
        rejection.code === 'MESH_ERR_CONNECT' ? ErrorCode.refusedStream : ErrorCode.internalError,
      );
      return;
    }
    const answered = answeredCall(call);
    const answer = call.isGrpc ? localGrpcAnswer(rejection, answered) : localAnswer(rejection, answered);
    this.errorCode = rejection.code;
    this.status = answer.status;
    if (call.isGrpc) this.#grpcStatus = rejection.grpcStatus;
    this.#over(false);
    const endsWithHead = answer.body.length === 0 || call.isHead;
    stream.head(localHead(answer), endsWithHead);
    if (!endsWithHead) stream.data(answer.body, 0, answer.body.length, true);
    stream.refuseRest();
    // A client that does not read even this must not hold the stream.
    stream.arm(this.env.options.responseIdleTimeout);
  }

  protected breakOff(code: FailureCode): void {
    const { call, stream } = this;
    if (call.isGrpc && !call.isTransparent && stream.queuedBytes === 0) this.#endWithStatus(new Rejection(code));
    else this.#resetWith(code, ErrorCode.internalError);
  }

  protected override requestMoved(isComplete: boolean): void {
    if (isComplete && this.#isHalfClosed) this.#finish();
    else this.armPhase();
  }

  protected hold(head: HeaderBlock): void {
    this.#held = head;
    this.env.outputPool.beforeFlush(this);
  }

  protected override dropAttempt(): void {
    this.#held = undefined;
    super.dropAttempt();
  }

  // === inside

  /** The instance is not overloaded, but not there: another one may be. */
  #failConnect(): void {
    const { key } = this.call.endpoint as Endpoint;
    const message = `no connection to ${key} came about within ${this.env.options.pendingTimeout} ms`;
    this.dropAttempt();
    this.attemptFailed({ code: 'MESH_ERR_CONNECT', message, sent: false, reusedConnection: false });
  }

  /** @returns true when the answer is not passed on, because another attempt goes on or begins */
  #triesAgain(head: HeaderBlock, trailers: HeaderBlock | undefined): boolean {
    const { call } = this;
    const answer = new BlockAnswer(head, trailers, call.isGrpc);
    if (this.second !== undefined && this.yields(this.second, answer)) return true;
    const failure = refusalOfPeer(call, call.endpoint as Endpoint, answer);
    if (failure !== undefined) return this.retryRefused(failure);
    return call.watchesAnswer && this.retryAnswered(answer);
  }

  /**
   * Judges the head that is held, and passes it on.
   * @param trailers which came right behind it
   * @returns false when the answer is not passed on
   */
  #release(trailers: HeaderBlock | undefined): boolean {
    const held = this.#held;
    this.#held = undefined;
    if (held === undefined || this.#triesAgain(held, trailers)) return false;
    this.#answer(held, trailers);
    return this.phase === Phase.Response;
  }

  /**
   * Nothing will be tried again: the client gets the head of the answer.
   * @param trailers with which it is over: the head itself, or what comes right behind it
   */
  #answer(block: HeaderBlock, trailers: HeaderBlock | undefined): void {
    const { call, env } = this;
    const { status } = AnswerNote.of(block);
    const endStream = trailers === block;
    let grpcStatus: number | undefined;
    if (call.isGrpc && trailers !== undefined) {
      grpcStatus = AnswerNote.of(trailers).grpcStatus ?? grpcStatusOfHttp(status);
    }
    if (!this.answerBegins(status, grpcStatus)) return;
    this.phase = Phase.Response;
    this.status = status;
    this.#grpcStatus = grpcStatus;
    this.dropKept();
    this.times = undefined;
    if (call.isGrpc) this.#beganAfterMs = env.now() - call.startedAt;
    this.stream.head(answerHead(block, call, env), endStream);
    if (endStream) this.#finish();
    else this.armPhase();
  }

  #resetWith(code: FailureCode, resetCode: ErrorCode): void {
    this.errorCode = code;
    this.#over(false);
    this.stream.reset(resetCode);
  }

  /** Ends a gRPC answer that has begun as its protocol does: with a status, which no client takes for success. */
  #endWithStatus(rejection: Rejection): void {
    const { call, stream } = this;
    const trailers = localTrailers(localGrpcAnswer(rejection, answeredCall(call)));
    this.errorCode = rejection.code;
    this.#grpcStatus = rejection.grpcStatus;
    this.#over(false);
    stream.trailers(trailers);
    stream.refuseRest();
    stream.arm(this.env.options.responseIdleTimeout);
  }

  /** The answer is complete. */
  #finish(): void {
    if (!this.requestDone && !this.#isHalfClosed && this.isTunnel && this.status < 300) {
      // The other direction goes on until the client has ended it, too (RFC 9113, 8.5).
      this.#isHalfClosed = true;
      this.armPhase();
      return;
    }
    const attempt = this.takeAttempt();
    // Nobody needs the rest of a request that has been answered.
    const isUnsent = attempt !== undefined && (!this.requestDone || (attempt.queuedBytes > 0 && !this.#isHalfClosed));
    if (isUnsent) attempt.cancel(ErrorCode.noError);
    // What clients make of an answer that does not say it.
    if (this.call.isGrpc) this.#grpcStatus ??= grpcStatusOfHttp(this.status);
    this.end(false, this.#grpcStatus, this.#beganAfterMs);
    this.stream.refuseRest();
  }

  /** Lets go of everything upstream and reports the outcome. */
  #over(aborted: boolean): void {
    const { second } = this;
    const attempt = this.takeAttempt();
    this.second = undefined;
    this.dropKept();
    this.#held = undefined;
    this.end(aborted, this.#grpcStatus, this.#beganAfterMs);
    attempt?.cancel(ErrorCode.cancel);
    if (second === undefined) return;
    this.env.stats.hedgesLost++;
    second.cancel();
  }
}
