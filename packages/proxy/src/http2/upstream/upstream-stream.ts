import type { AttemptFailure, ErrorCode as FailureCode } from '@mesher/core';
import type { OutgoingHead, UpstreamAttempt } from '../connection/attempt-stream.js';
import { Http2Stream } from '../connection/http2-stream.js';
import type { AnswerReceiver } from '../connection/stream-users.js';
import { ErrorCode } from '../error-codes.js';
import { summarize } from '../field-summary.js';
import { responseProblem, trailerProblem } from '../header-rules.js';
import type { HeaderBlock } from '../hpack/header-block.js';
import type { Http2Limits } from '../limits.js';
import type { Http2UpstreamConnection } from './http2-upstream-connection.js';
import type { StreamPool } from './stream-pool.js';

/** '1', with which the status of an interim answer begins. */
const ONE = 49;
/** Answers without content whatever their fields say (RFC 9110, 6.4.1). */
const NO_CONTENT = '204';
const NOT_MODIFIED = '304';

/** A request to an instance and its answer. */
export class UpstreamStream extends Http2Stream implements UpstreamAttempt {
  declare connection: Http2UpstreamConnection;
  /** How often the pool has sent the request once more. */
  replays = 0;
  #hasAnswer = false;
  #interimAnswers = 0;
  /** Part of the body has left this stream, and is not here any more. */
  #hasSentBody = false;
  /** How often the connection had written when the head was put behind what it had to write. */
  #writesBefore = -1;
  /** How often something had been read by then. */
  #readsBefore = -1;

  constructor(
    private readonly pool: StreamPool,
    /** Who gets the answer; may be exchanged for another one at any time. */
    public receiver: AnswerReceiver,
    readonly request: OutgoingHead,
    private readonly endsWithHead: boolean,
    private readonly limits: Http2Limits,
  ) {
    super(limits);
  }

  get isBegun(): boolean {
    return this.id !== 0;
  }

  get isConnecting(): boolean {
    return this.id === 0 && !this.isClosed && this.pool.isUnreached;
  }

  /** The request is an extended CONNECT (RFC 8441), which only peers take that have said so. */
  get needsExtendedConnect(): boolean {
    return summarize(this.request.block).protocol !== '';
  }

  /** The stream has its place: the head leaves. What has come of the body since it was opened leaves with {@link sendWaiting}. */
  begin(connection: Http2UpstreamConnection, id: number): void {
    this.attach(connection, id);
    this.#writesBefore = connection.output.writes;
    this.#readsBefore = connection.reads;
    const { block, edits, added } = this.request;
    this.writeHead(block, this.endsWithHead, edits, added);
  }

  /** Sends what waits, as far as windows and socket allow, and the rest when they allow more. */
  sendWaiting(): void {
    while (this.sendQueued()) {
      // one turn after another: nobody else has a stream that began this moment
    }
    if (!this.isClosed) this.connection.waits(this);
  }

  cancel(code: number): void {
    if (this.isClosed) return;
    if (this.id === 0) {
      this.isClosed = true;
      this.pool.leave(this);
    } else if (this.isRemoteEnded && this.isLocalEnded) {
      // The receiver is told of the end before the stream is closed: there is nothing to be reset.
      this.connection.closeIfDone(this);
    } else this.reset(code);
  }

  /** The attempt ends without an answer while it has no place. */
  refuse(failure: AttemptFailure): void {
    this.isClosed = true;
    this.receiver.onAttemptFailed(failure, ErrorCode.internalError);
  }

  /** @returns the stream error that the block is, or undefined */
  headReceived(block: HeaderBlock, endStream: boolean): string | undefined {
    if (this.#hasAnswer) return this.#trailersReceived(block, endStream);
    const problem = block.excess === 'none' ? responseProblem(block) : `a head with too much of it (${block.excess})`;
    if (problem !== undefined) return problem;
    const { status, contentLength } = summarize(block);
    if (status.charCodeAt(0) === ONE) return this.#interimReceived(block, endStream);
    const hasContent =
      summarize(this.request.block).method !== 'HEAD' && status !== NO_CONTENT && status !== NOT_MODIFIED;
    // An answer that has no content whatever it announces must not have any.
    this.contentLength = hasContent ? contentLength : 0;
    if (endStream && this.endsTooEarly) return 'less DATA than announced';
    this.#hasAnswer = true;
    this.connection.hasAnswered = true;
    if (endStream) this.isRemoteEnded = true;
    this.receiver.onAnswerHead(block, endStream);
    if (endStream) this.#answered();
    return undefined;
  }

  override dataBegins(flowBytes: number, paddingBytes: number, endStream: boolean): ErrorCode | undefined {
    if (!this.#hasAnswer) return ErrorCode.protocolError;
    return super.dataBegins(flowBytes, paddingBytes, endStream);
  }

  /** The answer is complete, but the instance does not take the rest of the request. */
  override onDeadline(): void {
    this.reset(ErrorCode.cancel);
  }

  broken(code: number, byPeer: boolean, problem: string): void {
    // The answer was complete: what became of the rest of the request does not matter (RFC 9113, 8.1).
    if (this.#hasAnswer && this.isRemoteEnded) return;
    const { connection } = this;
    const isUnprocessed = this.#isUnprocessed(code, byPeer);
    if (isUnprocessed && this.mayBeginAgain && this.pool.readmits(this)) return;
    const reusedConnection = isUnprocessed ? connection.refusedAfterWork() : this.#isStale && connection.hasAnswered;
    if (!byPeer && !connection.isOver) connection.countMalformed();
    this.receiver.onAttemptFailed(
      {
        code: this.#failureCode(byPeer),
        message: byPeer ? this.#resetMessage(code) : `${connection.endpoint.key}: ${connection.lossReason ?? problem}`,
        sent: !isUnprocessed,
        reusedConnection,
      },
      byPeer ? code : ErrorCode.internalError,
    );
  }

  /** Back to where the request was before it had a place. Only as long as all of it is here. */
  rewind(): void {
    this.replays++;
    this.id = 0;
    this.isClosed = false;
    this.isLocalEnded = false;
  }

  /** All of the request is here: its head, and of its body nothing has left. */
  protected override get mayBeginAgain(): boolean {
    const isAnswered = this.#hasAnswer || this.#interimAnswers > 0;
    return !isAnswered && !this.#hasSentBody && (this.endsWithHead || !this.isLocalEnded);
  }

  protected dataReceived(buffer: Buffer, start: number, end: number, endStream: boolean): void {
    this.connection.contentReceived();
    this.receiver.onAnswerData(buffer, start, end, endStream);
    if (endStream) this.#answered();
  }

  protected dataSent(bytes: number): void {
    this.#hasSentBody = true;
    this.receiver.onRequestSent(bytes);
    if (this.isRemoteEnded) this.#awaitRest();
  }

  /** The peer has not looked at the request: it says so, or nothing of it has left. */
  #isUnprocessed(code: number, byPeer: boolean): boolean {
    if (this.#hasAnswer) return false;
    if (byPeer) return code === ErrorCode.refusedStream;
    const { connection } = this;
    return connection.isOver && (connection.isForeign || connection.output.writes === this.#writesBefore);
  }

  /** The connection was lost before anything came on it since: very likely it was dead already, as idle ones of HTTP/1 may be. */
  get #isStale(): boolean {
    return this.connection.isLost && this.connection.reads === this.#readsBefore;
  }

  #failureCode(byPeer: boolean): FailureCode {
    if (byPeer) return 'MESH_ERR_UPSTREAM_RESET';
    if (this.pool.isClosed) return 'MESH_ERR_DRAINING';
    // Of a connection that is lost in the middle of an answer HTTP/1 says the same.
    return this.connection.isLost && !this.#hasAnswer ? 'MESH_ERR_UPSTREAM_RESET' : 'MESH_ERR_BAD_UPSTREAM';
  }

  #resetMessage(code: number): string {
    const { key } = this.connection.endpoint;
    return code === ErrorCode.refusedStream
      ? `${key} has refused the call`
      : `${key} has reset the call (code ${code})`;
  }

  #interimReceived(block: HeaderBlock, endStream: boolean): string | undefined {
    if (endStream) return 'an interim answer that ends the stream';
    if (++this.#interimAnswers > this.limits.maxInterimAnswers) return 'too many interim answers';
    this.receiver.onInterimAnswer(block);
    return undefined;
  }

  #trailersReceived(block: HeaderBlock, endStream: boolean): string | undefined {
    if (!endStream) return 'a second head that does not end the answer';
    const problem = block.excess === 'none' ? trailerProblem(block) : `trailers with too much of it (${block.excess})`;
    if (problem !== undefined) return problem;
    if (this.endsTooEarly) return 'less DATA than announced';
    this.isRemoteEnded = true;
    this.receiver.onAnswerTrailers(block);
    this.#answered();
    return undefined;
  }

  #answered(): void {
    if (this.isClosed) return;
    if (this.isLocalEnded) this.connection.closeIfDone(this);
    else this.#awaitRest();
  }

  #awaitRest(): void {
    if (!this.isClosed && !this.isLocalEnded) this.connection.awaitRest(this);
  }
}
