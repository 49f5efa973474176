import type { Endpoint } from '@mesher/core';
import type { Environment } from '../environment.js';
import type { ResponseScanner } from '../http1/response-scanner.js';
import type { AnswerReceiver } from '../http2/connection/stream-users.js';
import { ErrorCode } from '../http2/error-codes.js';
import { HeaderBlock } from '../http2/hpack/header-block.js';
import { HeaderField } from '../http2/hpack/header-field.js';
import type { TunnelEnd, UpstreamLink } from '../upstream/upstream-link.js';
import { asCopy } from './chunks.js';
import { blockOfAnswer } from './field-lines.js';
import { NO_BYTES, PooledAttempt } from './pooled-attempt.js';
import { webSocketAccept, WEBSOCKET } from './websocket-handshake.js';

/** What a CONNECT is answered with (RFC 9110, 9.3.6). */
const ESTABLISHED = HeaderBlock.of([new HeaderField(':status', '200')]);
const ACCEPT = 'sec-websocket-accept';

/**
 * A CONNECT of HTTP/2 over a connection of its own: bytes both ways, each direction with its own end (RFC 9113, 8.5). A WebSocket
 * (RFC 8441, 5) is asked for with an upgrade request first; its 101 becomes 200, and any other answer is passed on.
 */
export class TunnelAttempt extends PooledAttempt implements TunnelEnd {
  readonly isHead = false;
  #isTunnel = false;
  #clientEnded = false;
  #upstreamEnded = false;

  /**
   * @param request the upgrade request; undefined for a plain CONNECT
   * @param key its `Sec-WebSocket-Key`
   */
  constructor(
    receiver: AnswerReceiver,
    endpoint: Endpoint,
    env: Environment,
    private readonly request: string | undefined,
    private readonly key: string,
  ) {
    super(receiver, endpoint, env);
  }

  get upgrade(): string | undefined {
    return this.request === undefined ? undefined : WEBSOCKET;
  }

  protected connected(link: UpstreamLink): void {
    if (this.request !== undefined) link.write(this.request);
    else {
      this.#becomeTunnel(link);
      this.receiver.onAnswerHead(ESTABLISHED, false);
      if (!this.isOver) this.open(link);
    }
  }

  protected send(link: UpstreamLink, buffer: Buffer, start: number, end: number, endStream: boolean): void {
    if (end > start) link.writeBody(asCopy(buffer, start, end));
    if (endStream) this.#clientEnds(link);
  }

  protected sendTrailers(link: UpstreamLink): void {
    // A tunnel has none; they end it like any other end.
    this.#clientEnds(link);
  }

  protected drop(link: UpstreamLink, code: number): void {
    if (!this.#isTunnel) link.abandon();
    // An error of the stream is passed on as one of the connection (RFC 9113, 8.5).
    else if (code === ErrorCode.noError) link.destroySoon();
    else link.reset();
  }

  // === the answer to an upgrade request

  onInformational(scan: ResponseScanner, buffer: Buffer): void {
    if (!this.isOver) this.receiver.onInterimAnswer(blockOfAnswer(scan, buffer, scan.status));
  }

  /** No switch of protocols: the client gets the answer that it would have got from an HTTP/1 server. */
  onResponseHead(scan: ResponseScanner, buffer: Buffer, _start: number, bodyEnd: number, complete: boolean): void {
    if (this.isOver) return;
    // The client would take it for the beginning of the WebSocket (RFC 8441, 5).
    if (scan.status < 300) {
      this.failMalformed(`answered ${scan.status} to an upgrade to ${WEBSOCKET}, not 101`);
      return;
    }
    const bodyStart = scan.end;
    const endsWithHead = complete && bodyEnd === bodyStart;
    this.receiver.onAnswerHead(blockOfAnswer(scan, buffer, scan.status), endsWithHead);
    if (!this.isOver && bodyEnd > bodyStart) this.give(buffer, bodyStart, bodyEnd, complete);
    if (complete) this.#closeLink();
  }

  onResponseBody(buffer: Buffer, start: number, end: number): void {
    if (!this.isOver && end > start) this.give(buffer, start, end, false);
  }

  onResponseEnd(): void {
    if (this.isOver) return;
    this.receiver.onAnswerData(NO_BYTES, 0, 0, true);
    this.#closeLink();
  }

  onUpgraded(buffer: Buffer, _start: number, headEnd: number, end: number): void {
    const { link } = this;
    if (this.isOver || link === undefined) return;
    const block = blockOfAnswer(this.env.responseScanner, buffer, 200, ACCEPT);
    const accepted = this.env.answer.of(buffer).header(ACCEPT);
    this.env.answer.release();
    if (accepted !== webSocketAccept(this.key)) {
      this.failMalformed(`answered an upgrade to ${WEBSOCKET} with a ${ACCEPT} that does not belong to its key`);
      return;
    }
    this.#becomeTunnel(link);
    this.receiver.onAnswerHead(block, false);
    if (!this.isOver && end > headEnd) this.onUpstreamBytes(buffer, headEnd, end);
    if (!this.isOver) this.open(link);
  }

  // === the tunnel

  onUpstreamBytes(buffer: Buffer, start: number, end: number): void {
    if (!this.isOver) this.give(buffer, start, end, false);
  }

  onUpstreamEnd(): void {
    if (this.isOver) return;
    this.#upstreamEnded = true;
    this.receiver.onAnswerData(NO_BYTES, 0, 0, true);
    if (this.#clientEnded) this.#closeLink();
  }

  onUpstreamClosed(broken: boolean): void {
    if (this.isOver) return;
    if (!broken && !this.#upstreamEnded) this.onUpstreamEnd();
    // Nothing more can be sent there, which a client that has not ended its own side must learn.
    if (!this.isOver) this.#lost(broken);
  }

  // === inside

  #becomeTunnel(link: UpstreamLink): void {
    this.#isTunnel = true;
    link.becomeTunnel(this);
  }

  #clientEnds(link: UpstreamLink): void {
    if (this.#clientEnded) return;
    this.#clientEnded = true;
    if (this.#upstreamEnded) this.#closeLink();
    else link.endWriting();
  }

  #lost(broken: boolean): void {
    this.isOver = true;
    this.link = undefined;
    const message = `${this.endpoint.key} has ${broken ? 'reset' : 'closed'} the connection of the tunnel`;
    this.receiver.onAttemptFailed(
      { code: 'MESH_ERR_UPSTREAM_RESET', message, sent: true, reusedConnection: false },
      broken ? ErrorCode.connectError : ErrorCode.noError,
    );
  }

  #closeLink(): void {
    if (this.isOver) return;
    const { link } = this;
    this.isOver = true;
    this.link = undefined;
    link?.destroySoon();
  }
}
