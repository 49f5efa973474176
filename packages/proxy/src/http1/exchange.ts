import type { AttemptFailure, Endpoint, ErrorCode, MirrorOrder, Rejection } from '@mesher/core';
import { acquireLink } from '../bridge/acquire-link.js';
import { describeTimeout, Phase } from '../exchange/call-phase.js';
import { statusOf } from '../exchange/local-answer.js';
import { mayBeRefusal, refusalOfPeer } from '../exchange/peer-refusal.js';
import type { UpstreamLink } from '../upstream/upstream-link.js';
import type { UpstreamUser } from '../upstream/upstream-user.js';
import { latin1 } from './characters.js';
import { ConnectTunnel } from './connect-tunnel.js';
import { ForwardedRequest } from './forwarded-request.js';
import { Http1SecondAttempt } from './http1-second-attempt.js';
import { renderReplyTo } from './local-reply.js';
import { MirrorRequest } from './mirror-request.js';
import { ONE_WRITE_BYTES } from './replay-buffer.js';
import { renderFields, withFields } from './response-fields.js';
import { fieldsToDrop, renderResponseHead } from './response-head.js';
import type { ResponseScanner } from './response-scanner.js';
import { Tunnel } from './tunnel.js';

/** The answer to a CONNECT (RFC 9110, 9.3.6). */
export const TUNNEL_GRANTED = 'HTTP/1.1 200 Connection established\r\n\r\n';

/**
 * One request and its answer, between the connection of a client and that of an upstream. {@link ForwardedRequest} brings the
 * request there; here the answer comes back, and each end learns how the other ended.
 */
export class Exchange extends ForwardedRequest implements UpstreamUser {
  /** The client of a CONNECT has been told already that there is a tunnel: an error can only cut it. */
  isGranted = false;
  #responseDone = false;

  get isHead(): boolean {
    return this.call.isHead;
  }

  get upgrade(): string | undefined {
    return this.call.upgrade;
  }

  /** An HTTP/1.0 client does not understand chunks: it gets the bare data and the end of the connection. */
  get dechunk(): boolean {
    return this.call.minorVersion === 0;
  }

  get hasAnswered(): boolean {
    return this.phase >= Phase.Response;
  }

  // === what the upstream answers

  onInformational(scan: ResponseScanner, buffer: Buffer, start: number): void {
    // HTTP/1.0 knows no interim answers (RFC 9110, 15.2).
    if (this.call.minorVersion === 1 && !this.server.write(renderResponseHead(scan, buffer, start, ''))) {
      this.#holdUpstream();
    }
    this.armRequest();
  }

  onResponseHead(
    scan: ResponseScanner,
    buffer: Buffer,
    start: number,
    bodyEnd: number,
    complete: boolean,
    untilClose: boolean,
  ): void {
    const { call, server } = this;
    const isLookedAt = this.second !== undefined || call.watchesAnswer || mayBeRefusal(scan.status);
    if (isLookedAt && this.#triesAgain(buffer)) return;
    if (!this.answerBegins(scan.status)) return;
    this.phase = Phase.Response;
    this.status = scan.status;
    this.kept = undefined;
    this.times = undefined;
    if (untilClose || (!this.requestDone && scan.status >= 400)) server.closeAfterResponse();
    let extra = server.responseFields(call, scan.minorVersion);
    if (call.responseFields !== undefined) extra += renderFields(call.responseFields);
    const removed = call.removedResponseFields?.map((name) => this.env.fieldName(name));
    const without = fieldsToDrop(scan, this.dechunk, call.direction === 'inbound' && !server.isTransparent, removed);
    const text = renderResponseHead(scan, buffer, start, extra, without);
    const bodyStart = scan.end;
    const length = bodyEnd - bodyStart;
    this.env.stats.bytesToDownstream += text.length + length;
    call.responseBytes = length;
    let flushed: boolean;
    let pinned = false;
    if (length === 0) flushed = server.write(text);
    else if (length <= ONE_WRITE_BYTES) flushed = server.write(text + latin1(buffer, bodyStart, bodyEnd));
    else {
      flushed = server.writeHeadAndBody(text, buffer.subarray(bodyStart, bodyEnd));
      pinned = !flushed;
    }
    if (pinned) this.upstream?.pin();
    if (!flushed && !(complete && this.requestDone)) this.#holdUpstream();
    if (complete) this.onResponseEnd();
    else server.arm(this.env.options.responseIdleTimeout);
  }

  onAttemptFailed(failure: AttemptFailure): void {
    this.upstream = undefined;
    this.attemptFailed(failure);
  }

  /** The second attempt has been answered. */
  onSecondHead(
    second: Http1SecondAttempt,
    scan: ResponseScanner,
    buffer: Buffer,
    start: number,
    bodyEnd: number,
    complete: boolean,
    untilClose: boolean,
  ): void {
    const { answer } = this.env;
    const isTaken = this.takesSecond(answer.of(buffer));
    answer.release();
    if (isTaken) this.onResponseHead(scan, buffer, start, bodyEnd, complete, untilClose);
    else second.upstream?.discard();
  }

  onResponseBody(buffer: Buffer, start: number, end: number): void {
    this.env.stats.bytesToDownstream += end - start;
    this.call.responseBytes += end - start;
    if (!this.server.writeBytes(buffer.subarray(start, end))) {
      this.upstream?.pin();
      this.#holdUpstream();
    }
    this.server.arm(this.env.options.responseIdleTimeout);
  }

  onResponseEnd(): void {
    this.#responseDone = true;
    if (this.requestDone) this.#finish();
  }

  /** The answer is complete and the upstream has closed, but the client is still sending. */
  onUpstreamClosedEarly(): void {
    this.upstream = undefined;
    if (this.#responseDone && this.phase !== Phase.Over) this.#finish();
  }

  /** Status 101: the upstream speaks another protocol from `headEnd` on. */
  onUpgraded(buffer: Buffer, start: number, headEnd: number, end: number): void {
    if (!this.answerBegins(101)) return;
    this.server.write(withFields(latin1(buffer, start, headEnd), this.call.responseFields));
    const tunnel = this.#becomeTunnel(this.upstream as UpstreamLink, 101);
    if (end > headEnd) tunnel.onUpstreamBytes(buffer, headEnd, end);
  }

  // === what the client does

  /** The client has read what was waiting for it. */
  onClientDrained(): void {
    this.upstream?.resumeDrained();
    if (this.phase === Phase.Response) this.server.arm(this.env.options.responseIdleTimeout);
  }

  /** The client is gone: everything on its behalf stops now. */
  abort(): void {
    if (this.phase === Phase.Over) return;
    this.env.stats.clientAborts++;
    this.#over(true);
  }

  onTimeout(): void {
    const { times } = this;
    if (times !== undefined) {
      const now = this.env.now();
      if (now >= times.dueAt) {
        this.onDue(times, now);
        return;
      }
    }
    this.env.stats.timeouts++;
    if (this.#responseDone) {
      // The client has its answer, or can read it; only the rest of its request is missing, and nobody needs that any more.
      this.upstream?.destroy();
      this.upstream = undefined;
      this.#finish();
    } else if (this.phase === Phase.Response) this.breakOff('MESH_ERR_TIMEOUT');
    else {
      const requestStalled = !this.requestDone && !this.server.isPaused;
      this.refuse(describeTimeout(this.phase, this.call, requestStalled, this.env.options));
    }
  }

  reply(rejection: Rejection): void {
    if (this.phase === Phase.Over) return;
    if (!this.requestDone) this.server.closeAfterResponse();
    this.status = statusOf(rejection);
    this.errorCode = rejection.code;
    const text = renderReplyTo(this.call, rejection, this.server.closesAfterResponse);
    this.#over(false);
    if (this.isGranted) {
      this.server.breakOff();
      return;
    }
    this.server.write(text);
    this.server.finished(this.requestDone);
  }

  // === inside

  protected acquire(endpoint: Endpoint, fresh: boolean): void {
    // What follows a CONNECT is no HTTP: the bytes go to the endpoint as they are, whatever it speaks.
    if (this.isTunnel) this.env.pools.of(endpoint).acquire(this, fresh);
    else acquireLink(this.env, endpoint, this, fresh);
  }

  protected get isTunnel(): boolean {
    return this.call.form === 'authority';
  }

  protected get mayHaveCompany(): boolean {
    return !this.isTunnel && this.call.upgrade === undefined;
  }

  protected render(parked: boolean): void {
    const { requestScanner } = this.env;
    if (parked) this.call.rescan(requestScanner);
    this.head = this.call.render(requestScanner);
  }

  protected renderAgain(): void {
    if (this.call.isEdited) this.render(true);
  }

  protected discardAnswer(): void {
    const { upstream } = this;
    this.upstream = undefined;
    if (this.requestDone) upstream?.discard();
    else upstream?.abandon();
  }

  protected startMirror(order: MirrorOrder): void {
    const { call, head, kept, requestDone, handler, env } = this;
    this.mirror = MirrorRequest.start(call, order, head, kept, requestDone, handler, env);
  }

  protected createSecond(endpoint: Endpoint, tryAt: number): Http1SecondAttempt {
    // The first one may not have been sent yet, and keeps its own head.
    const head = this.#headOfSecond();
    return new Http1SecondAttempt(this, endpoint, head, tryAt, this.env);
  }

  protected adopt(second: Http1SecondAttempt): void {
    const connection = second.upstream as UpstreamLink;
    this.head = second.head;
    this.upstream = connection;
    connection.user = this;
  }

  protected dropAttempt(): void {
    const { upstream, waitingIn } = this;
    this.upstream = undefined;
    this.waitingIn = undefined;
    waitingIn?.leave(this);
    upstream?.abandon();
  }

  protected onRequestSent(): void {
    if (this.#responseDone) this.#finish();
  }

  /** The rest of both connections is passed on as it comes (RFC 9110, 9.3.6). */
  protected onConnectTunnel(connection: UpstreamLink): void {
    if (!this.answerBegins(200)) return;
    if (!this.isGranted) this.server.write(withFields(TUNNEL_GRANTED, this.call.responseFields));
    this.#becomeTunnel(connection, 200, ConnectTunnel);
  }

  protected breakOff(code: ErrorCode): void {
    this.errorCode = code;
    this.#over(false);
    this.server.breakOff();
  }

  /** @returns true when the answer is not passed on, because another attempt goes on or begins */
  #triesAgain(buffer: Buffer): boolean {
    const { call } = this;
    const answer = this.env.answer.of(buffer);
    let isOver = this.second !== undefined && this.yields(this.second, answer);
    if (!isOver) {
      const failure = refusalOfPeer(call, call.endpoint as Endpoint, answer);
      if (failure !== undefined) isOver = this.retryRefused(failure);
      else if (call.watchesAnswer) isOver = this.retryAnswered(answer);
    }
    answer.release();
    return isOver;
  }

  #headOfSecond(): string {
    const { call, env } = this;
    if (!call.isEdited) return this.head;
    call.rescan(env.requestScanner);
    return call.render(env.requestScanner);
  }

  #becomeTunnel(upstream: UpstreamLink, status: number, Kind: typeof Tunnel = Tunnel): Tunnel {
    this.phase = Phase.Response;
    this.status = status;
    this.kept = undefined;
    this.upstream = undefined;
    const tunnel = new Kind(this.call, this.server, upstream, this.env, (code, aborted) => {
      this.errorCode = code;
      this.end(aborted);
    });
    upstream.becomeTunnel(tunnel);
    this.server.becomeTunnel(tunnel);
    return tunnel;
  }

  #holdUpstream(): void {
    this.upstream?.pause();
    this.server.notifyWhenDrained();
  }

  #finish(): void {
    const { upstream } = this;
    this.upstream = undefined;
    this.end(false);
    upstream?.finish();
    this.server.finished(this.requestDone);
  }

  /** Lets go of everything upstream and reports the outcome. */
  #over(aborted: boolean): void {
    const { second, upstream, waitingIn } = this;
    this.second = undefined;
    this.upstream = undefined;
    waitingIn?.leave(this);
    this.kept = undefined;
    this.end(aborted);
    // A connection that is still being made will serve somebody else.
    upstream?.abandon();
    if (second === undefined) return;
    this.env.stats.hedgesLost++;
    second.cancel();
  }
}
