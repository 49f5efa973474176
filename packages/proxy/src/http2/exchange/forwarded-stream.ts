import { Rejection, type AttemptFailure, type CallHandler, type Endpoint, type MirrorOrder } from '@mesher/core';
import type { Environment } from '../../environment.js';
import { Phase } from '../../exchange/call-phase.js';
import { TimedCall } from '../../exchange/timed-call.js';
import type { UpstreamAttempt } from '../connection/attempt-stream.js';
import type { AnswerReceiver, RequestReceiver } from '../connection/stream-users.js';
import { ErrorCode } from '../error-codes.js';
import type { HeaderBlock } from '../hpack/header-block.js';
import type { ServerStream } from '../server/server-stream.js';
import type { Http2Call } from './http2-call.js';
import { Http2Mirror } from './http2-mirror.js';
import { Http2SecondAttempt } from './http2-second-attempt.js';
import { KeptRequest } from './kept-request.js';
import { openAttempt } from './open-attempt.js';

/** A request of an HTTP/2 client on its way: is sent as it comes, and is kept for as long as it may have to be sent again. */
export abstract class ForwardedStream extends TimedCall<Http2SecondAttempt> implements RequestReceiver, AnswerReceiver {
  protected attempt: UpstreamAttempt | undefined = undefined;
  /** The body so far, while it may have to be sent: for the first time, or once more. */
  protected kept: KeptRequest | undefined = undefined;
  protected mirror: Http2Mirror | undefined = undefined;
  /** Bytes of the body that the present attempt has sent, and how many the client was told that it may send again. */
  #sent = 0;
  #credited = 0;
  /** Counts the attempts that have begun or ended, to notice what happens while one is being opened. */
  #turns = 0;

  constructor(
    readonly call: Http2Call,
    protected readonly stream: ServerStream,
    handler: CallHandler,
    env: Environment,
  ) {
    super(handler, env);
  }

  abstract onClientGone(): void;
  abstract onAnswerSent(bytes: number): void;
  abstract onTimeout(): void;
  abstract onInterimAnswer(block: HeaderBlock): void;
  abstract onAnswerHead(block: HeaderBlock, endStream: boolean): void;
  abstract onAnswerData(buffer: Buffer, start: number, end: number, endStream: boolean): void;
  abstract onAnswerTrailers(block: HeaderBlock): void;
  abstract onAttemptFailed(failure: AttemptFailure, resetCode: number): void;
  /** Puts the head of an answer off until the turn ends: its status may still come. */
  protected abstract hold(head: HeaderBlock): void;

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
    this.mirror?.onBody(buffer, start, end, endStream);
    const { attempt } = this;
    if (attempt === undefined || (call.bodyReplayable && this.phase < Phase.Response)) {
      (this.kept ??= new KeptRequest()).add(buffer, start, end);
      this.env.http2Buffered.add(bytes);
      if (attempt?.isBegun === true) this.#dropIfTooLarge();
    }
    if (attempt === undefined) return;
    this.env.stats.bytesToUpstream += bytes;
    attempt.data(buffer, start, end, endStream);
    // Writing may have ended the attempt, and begun another one.
    if (attempt === this.attempt) this.requestMoved(endStream);
  }

  onRequestTrailers(block: HeaderBlock): void {
    this.#requestEnds();
    if (this.phase === Phase.Over) return;
    this.mirror?.onTrailers(block);
    const { attempt } = this;
    if (attempt === undefined || (this.call.bodyReplayable && this.phase < Phase.Response)) {
      (this.kept ??= new KeptRequest()).trailers = block;
    }
    if (attempt === undefined) return;
    attempt.trailers(block);
    if (attempt === this.attempt) this.requestMoved(true);
  }

  // === what the attempt says

  onRequestBegun(): void {
    this.phase = Phase.AwaitResponse;
    this.#dropIfTooLarge();
    this.armPhase();
  }

  /** The client gets back what has left for the instance: once, however often it is sent. */
  onRequestSent(bytes: number): void {
    this.#sent += bytes;
    if (this.#sent <= this.#credited) return;
    const freed = this.#sent - this.#credited;
    this.#credited = this.#sent;
    this.stream.consumed(freed);
  }

  // === for the executor

  protected get isTunnel(): boolean {
    return this.call.method === 'CONNECT';
  }

  protected get mayHaveCompany(): boolean {
    return !this.isTunnel;
  }

  protected get isTooLargeToKeep(): boolean {
    const { kept, env } = this;
    return kept !== undefined && (kept.bytes > env.options.maxReplayBytes || !env.http2Buffered.mayKeep);
  }

  protected arm(delayMs: number, latest: number): void {
    this.stream.arm(delayMs, latest);
  }

  protected armPhase(): void {
    const { options } = this.env;
    if (this.phase === Phase.Connecting) this.stream.arm(options.pendingTimeout, this.dueAt);
    else if (this.phase === Phase.AwaitResponse) {
      this.stream.arm(this.call.isGrpc ? this.#grpcPatience : this.#httpPatience, this.dueAt);
    } else this.stream.arm(this.isTunnel ? options.tunnelIdleTimeout : options.responseIdleTimeout);
  }

  /** Something of the request has been passed on. @param isComplete it was the last of it */
  protected requestMoved(_isComplete: boolean): void {
    this.armPhase();
  }

  protected render(): void {
    // the call itself is the head, and the encoder applies its edits
  }

  protected renderAgain(): void {
    // see render
  }

  protected acquire(endpoint: Endpoint, fresh: boolean): void {
    const { call, env, kept } = this;
    const turn = ++this.#turns;
    this.#sent = 0;
    const endsWithHead = this.requestDone && kept === undefined;
    const opened = openAttempt(env, call, endpoint, this, call, endsWithHead, fresh);
    // A connection that breaks while the head is written has been told of, and answered, already.
    if (turn !== this.#turns) {
      if (!(opened instanceof Rejection)) opened.cancel(ErrorCode.cancel);
      return;
    }
    if (opened instanceof Rejection) {
      this.onRefused(opened);
      return;
    }
    this.attempt = opened;
    if (opened.isBegun) this.phase = Phase.AwaitResponse;
    if (kept !== undefined) {
      env.stats.bytesToUpstream += kept.bytes;
      kept.sendTo(opened, this.requestDone);
      if (turn !== this.#turns) return;
      if (opened.isBegun) this.#dropIfTooLarge();
    }
    this.armPhase();
  }

  /** Nothing of the body has to be sent again. */
  protected dropKept(): void {
    const { kept } = this;
    if (kept === undefined) return;
    this.kept = undefined;
    this.env.http2Buffered.add(-kept.bytes);
  }

  protected discardAnswer(): void {
    this.dropAttempt();
  }

  protected dropAttempt(): void {
    this.takeAttempt()?.cancel(ErrorCode.cancel);
  }

  /** The present attempt is over, or somebody else's business. */
  protected takeAttempt(): UpstreamAttempt | undefined {
    const { attempt } = this;
    this.attempt = undefined;
    this.#turns++;
    return attempt;
  }

  protected createSecond(endpoint: Endpoint, tryAt: number): Http2SecondAttempt {
    return new Http2SecondAttempt(this, endpoint, this.call.snapshot(), this.kept, tryAt, this.env);
  }

  protected adopt(second: Http2SecondAttempt): void {
    this.attempt = second.attempt;
    this.#sent = 0;
    this.onRequestSent(second.sentBytes);
    const head = second.adopted();
    if (head !== undefined) this.hold(head);
  }

  protected startMirror(order: MirrorOrder): void {
    this.mirror = Http2Mirror.start(this.call, order, this.kept, this.requestDone, this.handler, this.env);
  }

  // === inside

  /** Milliseconds that may pass in silence before the answer begins. */
  get #httpPatience(): number {
    const { options } = this.env;
    // In a tunnel the client may say nothing before it has the answer.
    if (!this.requestDone && !this.isTunnel) return options.requestIdleTimeout;
    // A deadline that was chosen for the service takes the place of ours, also when it is later.
    return this.call.deadlineIsOurs ? Infinity : options.responseTimeout;
  }

  /**
   * The same of gRPC, where a call that got no deadline has none, and where servers may send the head of a stream with its first message
   * only: before it silence counts as it does between messages, on either side. A deadline takes its place, once it counts.
   */
  get #grpcPatience(): number {
    const { deadlineAt, deadlineIsOurs } = this.call;
    const hasDeadline = deadlineAt !== Infinity && (this.requestDone || !deadlineIsOurs);
    return hasDeadline ? Infinity : this.env.options.responseIdleTimeout;
  }

  #requestEnds(): void {
    this.requestCompleted();
    this.requestDone = true;
  }

  /** Until an attempt has begun all of the body is kept, which the window of the stream bounds: it may have to go elsewhere. */
  #dropIfTooLarge(): void {
    if (!this.isTooLargeToKeep) return;
    this.call.bodyReplayable = false;
    this.dropKept();
  }
}
