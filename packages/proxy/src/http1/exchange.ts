import {
  Rejection,
  type AttemptFailure,
  type CallHandler,
  type Endpoint,
  type ErrorCode,
  type Verdict,
} from '@mesher/core';
import type { Environment } from '../environment.js';
import type { EndpointPool } from '../upstream/endpoint-pool.js';
import type { UpstreamConnection } from '../upstream/upstream-connection.js';
import { latin1 } from './characters.js';
import type { Http1Call } from './http1-call.js';
import { prefersPlainText, renderLocalReply } from './local-reply.js';
import { refusalOfPeer } from './peer-refusal.js';
import { ONE_WRITE_BYTES, ReplayBuffer } from './replay-buffer.js';
import { renderResponseHead } from './response-head.js';
import type { ResponseScanner } from './response-scanner.js';
import type { ServerConnection } from './server-connection.js';
import { describeTimeout, Phase } from './exchange-phase.js';
import { Tunnel } from './tunnel.js';

/**
 * One request and its answer, between the connection of a client and that of an upstream. It asks the handler where to go,
 * keeps what is needed to send the request again, and sees to it that each end learns how the other ended.
 */
export class Exchange {
  requestDone = false;
  #phase: Phase = Phase.Deciding;
  #upstream: UpstreamConnection | undefined;
  #waitingIn: EndpointPool | undefined;
  #head = '';
  /** The body so far, while it may have to be sent: for the first time, or once more. */
  #kept: ReplayBuffer | undefined;
  #responseDone = false;
  #status = 0;
  #errorCode: ErrorCode | undefined;

  constructor(
    readonly call: Http1Call,
    private readonly server: ServerConnection,
    readonly handler: CallHandler,
    private readonly env: Environment,
  ) {}

  /** An HTTP/1.0 client does not understand chunks: it gets the bare data and the end of the connection. */
  get dechunk(): boolean {
    return this.call.minorVersion === 0;
  }

  get hasAnswered(): boolean {
    return this.#phase >= Phase.Response;
  }

  /** Starts with the head complete and `body` (possibly none) of the request at hand. */
  start(body: Buffer | undefined, requestDone: boolean): void {
    this.requestDone = requestDone;
    if (body !== undefined) (this.#kept = new ReplayBuffer()).add(body);
    let verdict: Verdict | Promise<Verdict>;
    try {
      verdict = this.handler.begin(this.call);
    } catch (error) {
      this.#pluginFailed(error);
      return;
    }
    if (verdict instanceof Promise) this.#park(verdict, (later) => this.#proceed(later, true));
    else this.#proceed(verdict, false);
  }

  onRequestBody(piece: Buffer, done: boolean): void {
    this.requestDone = done;
    const upstream = this.#upstream;
    if (upstream === undefined || this.#phase < Phase.AwaitResponse) {
      const kept = (this.#kept ??= new ReplayBuffer());
      kept.add(piece);
      if (kept.bytes > this.env.options.maxReplayBytes) this.server.pause();
      return;
    }
    this.env.stats.bytesToUpstream += piece.length;
    upstream.writeBody(piece);
    if (this.call.bodyReplayable && this.#phase === Phase.AwaitResponse) {
      (this.#kept ??= new ReplayBuffer()).add(piece);
      this.#dropIfTooLarge();
    }
    if (upstream.backlog > this.env.options.writeBufferBytes) {
      this.server.pause();
      upstream.notifyWhenDrained();
    }
    this.#armRequest();
    if (done && this.#responseDone) this.#finish();
  }

  onUpstreamDrained(): void {
    this.server.resume();
  }

  // === what the pool says

  onConnecting(connection: UpstreamConnection): void {
    this.#upstream = connection;
    this.#waitingIn = undefined;
    // The connection has a timeout of its own.
    this.server.arm(Infinity);
  }

  onWaiting(pool: EndpointPool): void {
    this.#waitingIn = pool;
    this.server.arm(this.env.options.pendingTimeout);
  }

  onRefused(rejection: Rejection): void {
    this.reply(rejection);
  }

  onConnection(connection: UpstreamConnection): void {
    this.#upstream = connection;
    this.#waitingIn = undefined;
    if (this.call.form === 'authority') {
      // CONNECT: the rest of both connections is passed on as it comes (RFC 9110, 9.3.6).
      this.server.write('HTTP/1.1 200 Connection established\r\n\r\n');
      this.#becomeTunnel(connection, 200);
      return;
    }
    this.#phase = Phase.AwaitResponse;
    const kept = this.#kept;
    const head = this.#head;
    if (kept === undefined) {
      this.env.stats.bytesToUpstream += head.length;
      connection.write(head);
    } else {
      this.env.stats.bytesToUpstream += head.length + kept.bytes;
      kept.sendTo(connection, head);
      this.#dropIfTooLarge();
      if (connection.backlog > this.env.options.writeBufferBytes) connection.notifyWhenDrained();
      else this.server.resume();
    }
    this.#armRequest();
  }

  onAttemptFailed(failure: AttemptFailure): void {
    this.#upstream = undefined;
    if (this.#phase >= Phase.Response) {
      // The client has part of the answer: only breaking off tells it that the rest is missing (RFC 9112, 8).
      this.#breakOff(failure.code);
      return;
    }
    let verdict: Verdict | Promise<Verdict>;
    try {
      verdict = this.handler.again(this.call, failure);
    } catch (error) {
      this.#pluginFailed(error);
      return;
    }
    this.#goOn(verdict, failure);
  }

  // === what the upstream answers

  onInformational(scan: ResponseScanner, buffer: Buffer, start: number): void {
    // HTTP/1.0 knows no interim answers (RFC 9110, 15.2).
    if (this.call.minorVersion === 1 && !this.server.write(renderResponseHead(scan, buffer, start, ''))) {
      this.#holdUpstream();
    }
    this.#armRequest();
  }

  /** @returns false when this answer is not passed on, because another attempt is made */
  onResponseHead(
    scan: ResponseScanner,
    buffer: Buffer,
    start: number,
    bodyEnd: number,
    complete: boolean,
    untilClose: boolean,
  ): boolean {
    const failure = refusalOfPeer(this.call, scan, buffer, this.env);
    if (failure !== undefined && this.#retryInstead(failure, complete)) return false;
    this.#phase = Phase.Response;
    this.#status = scan.status;
    this.#kept = undefined;
    const server = this.server;
    if (untilClose || (!this.requestDone && scan.status >= 400)) server.closeAfterResponse();
    const extra = server.responseFields(this.call, scan.minorVersion);
    const text = renderResponseHead(scan, buffer, start, extra, this.dechunk && scan.chunked);
    const bodyStart = scan.end;
    const length = bodyEnd - bodyStart;
    this.env.stats.bytesToDownstream += text.length + length;
    let flushed: boolean;
    let pinned = false;
    if (length === 0) flushed = server.write(text);
    else if (length <= ONE_WRITE_BYTES) flushed = server.write(text + latin1(buffer, bodyStart, bodyEnd));
    else {
      flushed = server.writeHeadAndBody(text, buffer.subarray(bodyStart, bodyEnd));
      pinned = !flushed;
    }
    if (pinned) this.#upstream?.pin();
    if (!flushed && !(complete && this.requestDone)) this.#holdUpstream();
    if (complete) this.onResponseEnd();
    else server.arm(this.env.options.responseIdleTimeout);
    return true;
  }

  onResponseBody(buffer: Buffer, start: number, end: number): void {
    this.env.stats.bytesToDownstream += end - start;
    if (!this.server.writeBytes(buffer.subarray(start, end))) {
      this.#upstream?.pin();
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
    this.#upstream = undefined;
    if (this.#responseDone && this.#phase !== Phase.Over) this.#finish();
  }

  /** Status 101: the upstream speaks another protocol from `headEnd` on. */
  onUpgraded(buffer: Buffer, start: number, headEnd: number, end: number): void {
    this.server.write(latin1(buffer, start, headEnd));
    const tunnel = this.#becomeTunnel(this.#upstream as UpstreamConnection, 101);
    if (end > headEnd) tunnel.onUpstreamBytes(buffer, headEnd, end);
  }

  // === what the client does

  /** The client has read what was waiting for it. */
  onClientDrained(): void {
    this.#upstream?.resumeDrained();
    if (this.#phase === Phase.Response) this.server.arm(this.env.options.responseIdleTimeout);
  }

  /** The client is gone: everything on its behalf stops now. */
  abort(): void {
    if (this.#phase === Phase.Over) return;
    this.env.stats.clientAborts++;
    this.#over(true);
  }

  onTimeout(): void {
    this.env.stats.timeouts++;
    if (this.#responseDone) {
      // The client has its answer, or can read it; only the rest of its request is missing, and nobody needs that any more.
      this.#upstream?.destroy();
      this.#upstream = undefined;
      this.#finish();
    } else if (this.#phase === Phase.Response) this.#breakOff('MESH_ERR_TIMEOUT');
    else {
      const requestStalled = !this.requestDone && !this.server.isPaused;
      this.reply(describeTimeout(this.#phase, this.call, requestStalled, this.env.options));
    }
  }

  /** Ends the call with an answer of our own. */
  reply(rejection: Rejection): void {
    if (this.#phase === Phase.Over) return;
    if (!this.requestDone) this.server.closeAfterResponse();
    this.#status = rejection.status;
    this.#errorCode = rejection.code;
    const text = renderLocalReply(rejection, {
      service: this.call.destination?.service,
      requestId: this.call.requestId ?? this.call.header('x-request-id'),
      plainText: prefersPlainText(this.call),
      headOnly: this.call.isHead,
      close: this.server.closesAfterResponse,
    });
    this.#over(false);
    this.server.write(text);
    this.server.finished(this.requestDone);
  }

  // === inside

  /** Waits for a decision; nothing else is remembered of a call that has ended meanwhile. */
  #park(verdict: Promise<Verdict>, proceed: (verdict: Verdict) => void): void {
    this.#phase = Phase.Deciding;
    this.server.arm(this.env.options.responseTimeout);
    void verdict.then(
      (later) => {
        if (this.#phase === Phase.Deciding) proceed(later);
      },
      (error: unknown) => this.#pluginFailed(error),
    );
  }

  /** @param parked other requests have been scanned since this one was */
  #proceed(verdict: Verdict, parked: boolean): void {
    if (verdict instanceof Rejection) {
      this.reply(verdict);
      return;
    }
    if (parked) this.call.rescan(this.env.requestScanner);
    this.#head = this.call.render(this.env.requestScanner);
    this.#connect(verdict, this.call.form === 'authority');
  }

  #connect(endpoint: Endpoint, fresh: boolean): void {
    this.call.endpoint = endpoint;
    this.call.attempts++;
    this.#phase = Phase.Connecting;
    this.env.pools.of(endpoint).acquire(this, fresh);
  }

  /** Follows what the handler has decided after a failure. */
  #goOn(verdict: Verdict | Promise<Verdict>, failure: AttemptFailure): void {
    if (verdict instanceof Promise) {
      this.#park(verdict, (later) => this.#goOn(later, failure));
      return;
    }
    this.#phase = Phase.Deciding;
    if (verdict instanceof Rejection) this.reply(verdict);
    // Half a body is never sent, whatever the handler thinks.
    else if (!this.call.bodyReplayable) this.reply(new Rejection(failure.code, failure.message));
    else {
      if (failure.reusedConnection) this.env.stats.reusedConnectionRetries++;
      // The other idle connections of an endpoint that has closed one are suspect: the next try there takes a new one.
      const suspect = failure.reusedConnection && verdict === this.call.endpoint;
      this.#connect(verdict, suspect || this.call.form === 'authority');
    }
  }

  /** @returns true when another attempt is made instead of passing on what the peer's sidecar has answered */
  #retryInstead(failure: AttemptFailure, complete: boolean): boolean {
    if (!this.call.bodyReplayable) return false;
    let verdict: Verdict | Promise<Verdict>;
    try {
      verdict = this.handler.again(this.call, failure);
    } catch (error) {
      this.env.logger.error({ error }, 'a plugin failed while it decided about another attempt');
      return false;
    }
    // The peer's own words say more than ours would.
    if (verdict instanceof Rejection) return false;
    const upstream = this.#upstream as UpstreamConnection;
    this.#upstream = undefined;
    if (complete && this.requestDone) upstream.finish();
    else upstream.destroy();
    this.#goOn(verdict, failure);
    return true;
  }

  #becomeTunnel(upstream: UpstreamConnection, status: number): Tunnel {
    this.#phase = Phase.Response;
    this.#status = status;
    this.#kept = undefined;
    this.#upstream = undefined;
    const tunnel = new Tunnel(this.server, upstream, this.env, (code, aborted) => {
      this.#errorCode = code;
      this.#end(aborted);
    });
    upstream.becomeTunnel(tunnel);
    this.server.becomeTunnel(tunnel);
    return tunnel;
  }

  #dropIfTooLarge(): void {
    const kept = this.#kept;
    if (kept === undefined || kept.bytes <= this.env.options.maxReplayBytes) return;
    this.call.bodyReplayable = false;
    this.#kept = undefined;
  }

  #armRequest(): void {
    const { options } = this.env;
    if (this.#phase === Phase.AwaitResponse) {
      this.server.arm(this.requestDone ? options.responseTimeout : options.requestIdleTimeout);
    } else this.server.arm(options.responseIdleTimeout);
  }

  #holdUpstream(): void {
    this.#upstream?.pause();
    this.server.notifyWhenDrained();
  }

  #pluginFailed(error: unknown): void {
    if (this.#phase === Phase.Over) return;
    this.env.logger.error({ error }, 'a plugin failed while it decided about a call');
    this.reply(new Rejection('MESH_ERR_PLUGIN', error instanceof Error ? error.message : String(error)));
  }

  #finish(): void {
    const upstream = this.#upstream;
    this.#upstream = undefined;
    this.#end(false);
    upstream?.finish();
    this.server.finished(this.requestDone);
  }

  #breakOff(code: ErrorCode): void {
    this.#errorCode = code;
    this.#over(false);
    this.server.breakOff();
  }

  /** Lets go of everything upstream and reports the outcome. */
  #over(aborted: boolean): void {
    const upstream = this.#upstream;
    const connecting = this.#phase === Phase.Connecting;
    this.#upstream = undefined;
    this.#waitingIn?.leave(this);
    this.#kept = undefined;
    this.#end(aborted);
    if (upstream === undefined) return;
    // A connection that is still being made will serve somebody else.
    if (connecting) upstream.exchange = undefined;
    else upstream.destroy();
  }

  #end(aborted: boolean): void {
    if (this.#phase === Phase.Over) return;
    this.#phase = Phase.Over;
    try {
      this.handler.end(this.call, {
        status: this.#status,
        code: this.#errorCode,
        aborted,
        durationMs: this.env.now() - this.call.startedAt,
      });
    } catch (error) {
      this.env.logger.error({ error }, 'a plugin failed after a call had ended');
    }
  }
}
