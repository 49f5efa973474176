import {
  Rejection,
  type AttemptFailure,
  type CallHandler,
  type Endpoint,
  type ErrorCode as FailureCode,
  type MirrorOrder,
} from '@mesher/core';
import type { Environment } from '../../environment.js';
import { describeTimeout, Phase } from '../../exchange/call-phase.js';
import { answeredCall, localAnswer, localGrpcAnswer, statusOf } from '../../exchange/local-answer.js';
import { refusalOfPeer } from '../../exchange/peer-refusal.js';
import { TimedCall } from '../../exchange/timed-call.js';
import type { UpstreamAttempt } from '../connection/attempt-stream.js';
import type { AnswerReceiver, RequestReceiver } from '../connection/stream-users.js';
import { ErrorCode } from '../error-codes.js';
import { summarize } from '../field-summary.js';
import type { HeaderBlock } from '../hpack/header-block.js';
import type { ServerStream } from '../server/server-stream.js';
import { answerHead, localHead } from './answer-head.js';
import { BlockAnswer, grpcStatusOf } from './block-answer.js';
import type { Http2Call } from './http2-call.js';
import { Http2SecondAttempt } from './http2-second-attempt.js';
import { KeptRequest } from './kept-request.js';

/** One call of an HTTP/2 client: between its stream and the attempt that carries it to an instance. */
export class Http2Exchange extends TimedCall<Http2SecondAttempt> implements RequestReceiver, AnswerReceiver {
  #attempt: UpstreamAttempt | undefined = undefined;
  /** The body so far, while it may have to be sent: for the first time, or once more. */
  #kept: KeptRequest | undefined = undefined;
  /** Bytes of the body that the present attempt has sent, and how many the client was told that it may send again. */
  #sent = 0;
  #credited = 0;
  #status = 0;
  #grpcStatus: number | undefined = undefined;
  #errorCode: FailureCode | undefined = undefined;

  constructor(
    readonly call: Http2Call,
    private readonly stream: ServerStream,
    handler: CallHandler,
    env: Environment,
  ) {
    super(handler, env);
  }

  /** Starts with the head; the rest of the request follows. */
  start(requestDone: boolean): void {
    this.requestDone = requestDone;
    this.decide();
  }

  // === what the client does

  onRequestData(buffer: Buffer, start: number, end: number, endStream: boolean): void {
    const { call } = this;
    const bytes = end - start;
    call.requestBytes += bytes;
    if (endStream) this.#requestEnds();
    if (this.phase === Phase.Over) {
      this.stream.consumed(bytes);
      return;
    }
    this.env.stats.bytesToUpstream += bytes;
    const attempt = this.#attempt;
    if (attempt === undefined || (call.bodyReplayable && this.phase < Phase.Response)) {
      (this.#kept ??= new KeptRequest()).add(buffer, start, end);
      if (attempt !== undefined) this.#dropIfTooLarge();
    }
    if (attempt === undefined) return;
    attempt.data(buffer, start, end, endStream);
    this.armPhase();
  }

  onRequestTrailers(block: HeaderBlock): void {
    this.#requestEnds();
    if (this.phase === Phase.Over) return;
    const attempt = this.#attempt;
    if (attempt === undefined || this.call.bodyReplayable) (this.#kept ??= new KeptRequest()).trailers = block;
    attempt?.trailers(block);
    if (attempt !== undefined) this.armPhase();
  }

  /** The client is gone: everything on its behalf stops now. */
  onClientGone(): void {
    if (this.phase === Phase.Over) return;
    this.env.stats.clientAborts++;
    this.#over(true, ErrorCode.cancel);
  }

  onAnswerSent(bytes: number): void {
    this.#attempt?.consumed(bytes);
    if (this.phase === Phase.Response) this.stream.arm(this.env.options.responseIdleTimeout);
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
    else {
      const requestStalled = !this.requestDone && (this.#attempt === undefined || this.#attempt.queuedBytes === 0);
      this.refuse(describeTimeout(this.phase, this.call, requestStalled, this.env.options));
    }
  }

  // === what the instance answers

  onRequestBegun(): void {
    this.phase = Phase.AwaitResponse;
    this.armPhase();
  }

  onRequestSent(bytes: number): void {
    this.#sent += bytes;
    if (this.#sent <= this.#credited) return;
    this.stream.consumed(this.#sent - this.#credited);
    this.#credited = this.#sent;
  }

  onInterimAnswer(block: HeaderBlock): void {
    this.stream.interim(block);
    this.armPhase();
  }

  onAnswerHead(block: HeaderBlock, endStream: boolean): void {
    if (this.#isLookedAt(block, endStream) && this.#triesAgain(new BlockAnswer(block, endStream ? block : undefined))) {
      return;
    }
    const { call, env } = this;
    this.phase = Phase.Response;
    this.#status = Number(summarize(block).status);
    this.#kept = undefined;
    this.times = undefined;
    if (call.watchesBeginning) this.handler.begun?.(call, this.#status);
    if (call.isGrpc && endStream) this.#grpcStatus = grpcStatusOf(block);
    this.stream.head(answerHead(block, call, env), endStream);
    if (endStream) this.#finish();
    else this.stream.arm(env.options.responseIdleTimeout);
  }

  onAnswerData(buffer: Buffer, start: number, end: number, endStream: boolean): void {
    const bytes = end - start;
    this.env.stats.bytesToDownstream += bytes;
    this.call.responseBytes += bytes;
    this.stream.data(buffer, start, end, endStream);
    if (endStream) this.#finish();
    else this.stream.arm(this.env.options.responseIdleTimeout);
  }

  onAnswerTrailers(block: HeaderBlock): void {
    if (this.call.isGrpc) this.#grpcStatus = grpcStatusOf(block);
    this.stream.trailers(block);
    this.#finish();
  }

  onAttemptFailed(failure: AttemptFailure, resetCode: number): void {
    this.#attempt = undefined;
    if (this.phase < Phase.Response) {
      this.attemptFailed(failure);
      return;
    }
    this.#errorCode = failure.code;
    this.#over(false, ErrorCode.cancel);
    // The code of the instance is what the client would have seen without us.
    this.stream.reset(resetCode);
  }

  // === for the executor

  reply(rejection: Rejection): void {
    if (this.phase === Phase.Over) return;
    const { call, stream } = this;
    this.#errorCode = rejection.code;
    const answered = answeredCall(call);
    const answer = call.isGrpc ? localGrpcAnswer(rejection, answered) : localAnswer(rejection, answered);
    this.#status = call.isGrpc ? answer.status : statusOf(rejection);
    if (call.isGrpc) this.#grpcStatus = rejection.grpcStatus;
    this.#over(false, ErrorCode.cancel);
    const endsWithHead = answer.body.length === 0 || call.isHead;
    stream.head(localHead(answer), endsWithHead);
    if (!endsWithHead) stream.data(answer.body, 0, answer.body.length, true);
    stream.refuseRest();
  }

  protected get isTunnel(): boolean {
    return this.call.method === 'CONNECT';
  }

  protected get mayHaveCompany(): boolean {
    return !this.isTunnel;
  }

  protected get isTooLargeToKeep(): boolean {
    return this.#kept !== undefined && this.#kept.bytes > this.env.options.maxReplayBytes;
  }

  protected arm(delayMs: number, latest: number): void {
    this.stream.arm(delayMs, latest);
  }

  protected armPhase(): void {
    const { options } = this.env;
    if (this.phase === Phase.Connecting) this.stream.arm(options.pendingTimeout, this.dueAt);
    else if (this.phase === Phase.AwaitResponse) {
      // A deadline that was chosen for the service takes the place of ours, also when it is later.
      const responseTimeout = this.call.deadlineIsOurs ? Infinity : options.responseTimeout;
      this.stream.arm(this.requestDone ? responseTimeout : options.requestIdleTimeout, this.dueAt);
    } else this.stream.arm(options.responseIdleTimeout);
  }

  protected breakOff(code: FailureCode): void {
    this.#errorCode = code;
    this.#over(false, ErrorCode.cancel);
    this.stream.reset(ErrorCode.internalError);
  }

  protected render(): void {
    // the call itself is the head, and the encoder applies its edits
  }

  protected renderAgain(): void {
    // see render
  }

  protected acquire(endpoint: Endpoint): void {
    const kept = this.#kept;
    this.#sent = 0;
    const opened = this.env.streamPools.of(endpoint).open(this, this.call, this.requestDone && kept === undefined);
    if (opened instanceof Rejection) {
      this.onRefused(opened);
      return;
    }
    this.#attempt = opened;
    if (opened.isBegun) this.phase = Phase.AwaitResponse;
    if (kept !== undefined) {
      kept.sendTo(opened, this.requestDone);
      this.#dropIfTooLarge();
    }
    this.armPhase();
  }

  protected discardAnswer(): void {
    this.dropAttempt();
  }

  protected dropAttempt(): void {
    const attempt = this.#attempt;
    this.#attempt = undefined;
    attempt?.cancel(ErrorCode.cancel);
  }

  protected createSecond(endpoint: Endpoint, tryAt: number): Http2SecondAttempt {
    return new Http2SecondAttempt(this, endpoint, this.call.snapshot(), this.#kept, tryAt, this.env);
  }

  protected adopt(second: Http2SecondAttempt): void {
    this.#attempt = second.attempt;
    second.isAdopted = true;
    this.#sent = second.sentBytes;
  }

  protected startMirror(_order: MirrorOrder): void {
    // copies
  }

  // === inside

  #requestEnds(): void {
    this.requestCompleted();
    this.requestDone = true;
  }

  #isLookedAt(block: HeaderBlock, _endStream: boolean): boolean {
    return this.second !== undefined || this.call.watchesAnswer || block.first('x-mesher-error') !== undefined;
  }

  #triesAgain(answer: BlockAnswer): boolean {
    const { call } = this;
    if (this.second !== undefined && this.yields(this.second, answer)) return true;
    const failure = refusalOfPeer(call, call.endpoint as Endpoint, answer);
    if (failure !== undefined) return this.retryRefused(failure);
    return call.watchesAnswer && this.retryAnswered(answer);
  }

  #dropIfTooLarge(): void {
    if (!this.isTooLargeToKeep) return;
    this.call.bodyReplayable = false;
    this.#kept = undefined;
  }

  /** The answer is complete. */
  #finish(): void {
    const attempt = this.#attempt;
    this.#attempt = undefined;
    // Nobody needs the rest of a request that has been answered.
    if (!this.requestDone) attempt?.cancel(ErrorCode.noError);
    this.#end(false);
    this.stream.refuseRest();
  }

  /** Lets go of everything upstream and reports the outcome. */
  #over(aborted: boolean, resetCode: number): void {
    const { second } = this;
    const attempt = this.#attempt;
    this.second = undefined;
    this.#attempt = undefined;
    this.#kept = undefined;
    this.#end(aborted);
    attempt?.cancel(resetCode);
    if (second === undefined) return;
    this.env.stats.hedgesLost++;
    second.cancel();
  }

  #end(aborted: boolean): void {
    if (this.phase === Phase.Over) return;
    this.phase = Phase.Over;
    this.times = undefined;
    try {
      this.handler.end(this.call, {
        status: this.#status,
        grpcStatus: this.#grpcStatus,
        code: this.#errorCode,
        aborted,
        durationMs: this.env.now() - this.call.startedAt,
      });
    } catch (error) {
      this.env.logger.error({ error }, 'a plugin failed after a call had ended');
    }
  }
}
