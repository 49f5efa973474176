import type { AttemptFailure, ErrorCode as FailureCode } from '@mesher/core';
import type { OutgoingHead, UpstreamAttempt } from '../connection/attempt-stream.js';
import { Http2Stream } from '../connection/http2-stream.js';
import type { AnswerReceiver } from '../connection/stream-users.js';
import { ErrorCode } from '../error-codes.js';
import { responseProblem, trailerProblem } from '../header-rules.js';
import type { HeaderBlock } from '../hpack/header-block.js';
import type { Http2Limits } from '../limits.js';
import type { Http2UpstreamConnection } from './http2-upstream-connection.js';
import type { StreamPool } from './stream-pool.js';

/** A request to an instance and its answer. */
export class UpstreamStream extends Http2Stream implements UpstreamAttempt {
  declare connection: Http2UpstreamConnection;
  #hasAnswer = false;
  #interimAnswers = 0;

  constructor(
    private readonly pool: StreamPool,
    readonly receiver: AnswerReceiver,
    private readonly request: OutgoingHead,
    private readonly endsWithHead: boolean,
    private readonly limits: Http2Limits,
  ) {
    super(limits);
  }

  get isBegun(): boolean {
    return this.id !== 0;
  }

  /** The stream has its place: the head leaves, and what has come of the body since. */
  begin(connection: Http2UpstreamConnection, id: number): void {
    this.attach(connection, id);
    const { block, edits, added } = this.request;
    this.writeHead(block, this.endsWithHead, edits, added);
    if (!this.endsWithHead) connection.waits(this);
  }

  cancel(code: number): void {
    if (this.isClosed) return;
    if (this.id === 0) {
      this.isClosed = true;
      this.pool.leave(this);
    } else this.reset(code);
  }

  /** The attempt ends without an answer before it had a place. */
  refuse(failure: AttemptFailure): void {
    this.isClosed = true;
    this.receiver.onAttemptFailed(failure, ErrorCode.refusedStream);
  }

  /** @returns the stream error that the block is, or undefined */
  headReceived(block: HeaderBlock, endStream: boolean): string | undefined {
    if (this.#hasAnswer) return this.#trailersReceived(block, endStream);
    const problem = block.excess === 'none' ? responseProblem(block) : 'a head that is too large';
    if (problem !== undefined) return problem;
    const status = block.summary?.status ?? '';
    if (status.charCodeAt(0) === ONE) {
      if (endStream) return 'an interim answer that ends the stream';
      if (++this.#interimAnswers > this.limits.maxInterimAnswers) return 'too many interim answers';
      this.receiver.onInterimAnswer(block);
      return undefined;
    }
    this.#hasAnswer = true;
    this.connection.hasAnswered = true;
    if (endStream) this.isRemoteEnded = true;
    this.receiver.onAnswerHead(block, endStream);
    if (endStream) this.connection.closeIfDone(this);
    return undefined;
  }

  override onDeadline(): void {
    // the time of an attempt is watched by its call
  }

  broken(code: number, byPeer: boolean, problem: string): void {
    const { key } = this.connection.endpoint;
    const isRefused = byPeer && code === ErrorCode.refusedStream;
    const failureCode: FailureCode =
      byPeer || this.connection.isLost ? 'MESH_ERR_UPSTREAM_RESET' : 'MESH_ERR_BAD_UPSTREAM';
    this.receiver.onAttemptFailed(
      {
        code: failureCode,
        message: byPeer ? `${key} has reset the call (code ${code})` : `${key}: ${problem}`,
        sent: !isRefused,
        reusedConnection: this.connection.hasAnswered,
      },
      code,
    );
  }

  protected dataReceived(buffer: Buffer, start: number, end: number, endStream: boolean): void {
    this.receiver.onAnswerData(buffer, start, end, endStream);
  }

  protected dataSent(bytes: number): void {
    this.receiver.onRequestSent(bytes);
  }

  #trailersReceived(block: HeaderBlock, endStream: boolean): string | undefined {
    if (!endStream) return 'a second head that does not end the answer';
    const problem = trailerProblem(block);
    if (problem !== undefined) return problem;
    this.isRemoteEnded = true;
    this.receiver.onAnswerTrailers(block);
    this.connection.closeIfDone(this);
    return undefined;
  }
}

const ONE = 49;
