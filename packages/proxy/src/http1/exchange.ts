import { Rejection, type AttemptFailure, type CallHandler, type ErrorCode, type Verdict } from '@mesher/core';
import type { Environment } from '../environment.js';
import type { EndpointPool } from '../upstream/endpoint-pool.js';
import type { UpstreamConnection } from '../upstream/upstream-connection.js';
import { latin1 } from './characters.js';
import { findField } from './field-lookup.js';
import type { Http1Call } from './http1-call.js';
import { prefersPlainText, renderLocalReply } from './local-reply.js';
import { renderResponseHead } from './response-head.js';
import type { ResponseScanner } from './response-scanner.js';
import type { ServerConnection } from './server-connection.js';

/** Up to here head and body leave in one string write, which costs less than a vectored write of two buffers. */
const ONE_WRITE_BYTES = 4096;

const enum Phase {
  /** A policy or resolver is thinking. */
  Deciding,
  /** No connection yet. */
  Connecting,
  AwaitResponse,
  Response,
  Tunnel,
  Over,
}

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
  /** Body pieces for the next attempt; while there is no connection yet, those still to be sent at all. */
  #kept: Buffer[] | undefined;
  #keptBytes = 0;
  #responseDone = false;
  #status = 0;
  #errorCode: ErrorCode | undefined;
  #tunnelEnds = 0;

  constructor(
    readonly call: Http1Call,
    private readonly server: ServerConnection,
    private readonly handler: CallHandler,
    private readonly env: Environment,
  ) {}

  /** An HTTP/1.0 client does not understand chunks: it gets the bare data and the end of the connection. */
  get dechunk(): boolean {
    return this.call.minorVersion === 0;
  }

  get hasAnswered(): boolean {
    return this.#phase >= Phase.Response;
  }

  get isTunnel(): boolean {
    return this.#phase === Phase.Tunnel;
  }

  /** Starts with the head complete and `body` (possibly none) of the request at hand. */
  start(body: Buffer | undefined, requestDone: boolean): void {
    this.requestDone = requestDone;
    if (body !== undefined) this.#keep(body);
    let verdict: Verdict | Promise<Verdict>;
    try {
      verdict = this.handler.begin(this.call);
    } catch (error) {
      this.#pluginFailed(error);
      return;
    }
    if (verdict instanceof Promise) {
      this.server.arm(this.env.options.responseTimeout);
      void verdict.then(
        (later) => {
          if (this.#phase !== Phase.Deciding) return;
          this.call.rescan(this.env.requestScanner);
          this.#proceed(later);
        },
        (error: unknown) => this.#pluginFailed(error),
      );
      return;
    }
    this.#proceed(verdict);
  }

  onRequestBody(piece: Buffer, done: boolean): void {
    this.requestDone = done;
    const upstream = this.#upstream;
    if (upstream === undefined || this.#phase < Phase.AwaitResponse) {
      this.#keep(piece);
      if (this.#keptBytes > this.env.options.maxReplayBytes) this.server.pause();
      return;
    }
    this.env.stats.bytesToUpstream += piece.length;
    upstream.writeBody(piece);
    if (this.call.bodyReplayable && this.#phase === Phase.AwaitResponse) {
      this.#keep(piece);
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
    this.call.attempts++;
    if (this.call.form === 'authority') {
      this.#openTunnel(connection);
      return;
    }
    this.#phase = Phase.AwaitResponse;
    const kept = this.#kept;
    const head = this.#head;
    this.env.stats.bytesToUpstream += head.length + this.#keptBytes;
    if (kept === undefined) connection.write(head);
    else if (kept.length === 1 && this.#keptBytes <= ONE_WRITE_BYTES) {
      const piece = kept[0] as Buffer;
      connection.write(head + latin1(piece, 0, piece.length));
    } else {
      connection.writeHeadAndBody(head, kept[0] as Buffer);
      for (let i = 1; i < kept.length; i++) connection.writeBody(kept[i] as Buffer);
    }
    if (kept !== undefined) {
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
      this.#errorCode = failure.code;
      this.#over(false);
      this.server.breakOff();
      return;
    }
    this.#tryAgain(failure);
  }

  // === what the upstream answers

  onInformational(scan: ResponseScanner, buffer: Buffer, start: number): void {
    // HTTP/1.0 knows no interim answers (RFC 9110, 15.2).
    if (this.call.minorVersion === 1) this.server.write(renderResponseHead(scan, buffer, start, ''));
  }

  onResponseHead(
    scan: ResponseScanner,
    buffer: Buffer,
    start: number,
    bodyEnd: number,
    complete: boolean,
    untilClose: boolean,
  ): void {
    const failure = this.#refusalOfPeer(scan, buffer);
    if (failure !== undefined) {
      const upstream = this.#upstream as UpstreamConnection;
      const verdict = this.handler.again(this.call, failure);
      if (!(verdict instanceof Promise) && !(verdict instanceof Rejection)) {
        this.#upstream = undefined;
        if (complete && this.requestDone) upstream.finish();
        else upstream.destroy();
        this.#connect(verdict, false);
        return;
      }
    }
    this.#phase = Phase.Response;
    this.#status = scan.status;
    this.#kept = undefined;
    const server = this.server;
    if (untilClose || (!this.requestDone && scan.status >= 400)) server.closeAfterResponse();
    const extra = server.responseFields(this.call);
    const text = renderResponseHead(scan, buffer, start, extra, this.dechunk && scan.chunked);
    const bodyStart = scan.end;
    const length = bodyEnd - bodyStart;
    this.env.stats.bytesToDownstream += text.length + length;
    let flushed: boolean;
    if (length === 0) flushed = server.write(text);
    else if (length <= ONE_WRITE_BYTES) flushed = server.write(text + latin1(buffer, bodyStart, bodyEnd));
    else {
      flushed = server.writeHeadAndBody(text, buffer.subarray(bodyStart, bodyEnd));
      if (!flushed) (this.#upstream as UpstreamConnection).pin();
    }
    if (complete) this.onResponseEnd();
    else {
      if (!flushed) this.#holdUpstream();
      server.arm(this.env.options.responseIdleTimeout);
    }
  }

  onResponseBody(buffer: Buffer, start: number, end: number): void {
    this.env.stats.bytesToDownstream += end - start;
    const flushed = this.server.writeBytes(buffer.subarray(start, end));
    if (!flushed) {
      this.#upstream?.pin();
      this.#holdUpstream();
    }
    this.server.arm(this.env.options.responseIdleTimeout);
  }

  readonly onChunkData = (buffer: Buffer, start: number, end: number): void => this.onResponseBody(buffer, start, end);

  onResponseEnd(): void {
    this.#responseDone = true;
    if (this.requestDone) this.#finish();
  }

  /** The answer is complete and the upstream has closed, but the client is still sending. */
  onUpstreamClosedEarly(): void {
    this.#upstream = undefined;
    if (this.#responseDone && this.#phase !== Phase.Over) this.#finish();
  }

  // === upgraded connections and CONNECT

  onUpgraded(buffer: Buffer, start: number, headEnd: number, end: number): void {
    this.#phase = Phase.Tunnel;
    this.#status = 101;
    this.#kept = undefined;
    this.server.write(latin1(buffer, start, headEnd));
    if (end > headEnd) this.onTunnelBytes(buffer, headEnd, end);
    this.server.arm(this.env.options.tunnelIdleTimeout);
    this.server.becomeTunnel();
  }

  onTunnelBytes(buffer: Buffer, start: number, end: number): void {
    this.onResponseBody(buffer, start, end);
    this.server.arm(this.env.options.tunnelIdleTimeout);
  }

  onTunnelUpstreamEnd(): void {
    this.server.endWriting();
    this.#halfEnded();
  }

  onTunnelClosed(): void {
    this.#upstream = undefined;
    this.#over(false);
    this.server.destroySoon();
  }

  onTunnelClientBytes(piece: Buffer): void {
    const upstream = this.#upstream;
    if (upstream === undefined) return;
    this.env.stats.bytesToUpstream += piece.length;
    upstream.writeBody(piece);
    if (upstream.backlog > this.env.options.writeBufferBytes) {
      this.server.pause();
      upstream.notifyWhenDrained();
    }
    this.server.arm(this.env.options.tunnelIdleTimeout);
  }

  onTunnelClientEnd(): void {
    this.#upstream?.endWriting();
    this.#halfEnded();
  }

  // === what the client does

  /** The client has read what was waiting for it. */
  onClientDrained(): void {
    this.#upstream?.resume();
  }

  /** The client is gone: everything on its behalf stops now. */
  abort(): void {
    if (this.#phase === Phase.Over) return;
    const tunnel = this.#phase === Phase.Tunnel;
    if (!tunnel) this.env.stats.clientAborts++;
    this.#over(!tunnel);
  }

  onTimeout(): void {
    this.env.stats.timeouts++;
    switch (this.#phase) {
      case Phase.Deciding:
        this.reply(new Rejection('MESH_ERR_TIMEOUT', 'The decision about this call took too long'));
        break;
      case Phase.Connecting:
        this.reply(
          new Rejection(
            'MESH_ERR_OVERLOADED',
            `No connection became free within ${this.env.options.pendingTimeout} ms`,
            1,
          ),
        );
        break;
      case Phase.AwaitResponse:
        if (!this.requestDone) {
          this.reply(
            new Rejection(
              'MESH_ERR_REQUEST_TIMEOUT',
              `No byte of the request body came for ${this.env.options.requestIdleTimeout} ms`,
            ),
          );
        } else {
          this.reply(
            new Rejection(
              'MESH_ERR_TIMEOUT',
              `${this.call.endpoint?.key ?? 'the upstream'} did not answer within ${this.env.options.responseTimeout} ms`,
            ),
          );
        }
        break;
      case Phase.Response:
      case Phase.Tunnel:
        this.#errorCode = 'MESH_ERR_TIMEOUT';
        this.#over(false);
        this.server.breakOff();
        break;
      case Phase.Over:
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

  /** CONNECT: the rest of both connections is passed on as it comes (RFC 9110, 9.3.6). */
  #openTunnel(connection: UpstreamConnection): void {
    this.#phase = Phase.Tunnel;
    this.#status = 200;
    connection.becomeTunnel();
    this.server.write('HTTP/1.1 200 Connection established\r\n\r\n');
    this.server.arm(this.env.options.tunnelIdleTimeout);
    this.server.becomeTunnel();
  }

  /** One direction of a tunnel has ended; with the second one, all is over. */
  #halfEnded(): void {
    if (++this.#tunnelEnds < 2) return;
    const upstream = this.#upstream;
    this.#upstream = undefined;
    this.#end(false);
    upstream?.destroySoon();
    this.server.destroySoon();
  }

  #proceed(verdict: Verdict): void {
    if (verdict instanceof Rejection) {
      this.reply(verdict);
      return;
    }
    this.#head = this.call.render(this.env.requestScanner);
    this.#connect(verdict, this.call.form === 'authority');
  }

  #connect(endpoint: Exclude<Verdict, Rejection>, fresh: boolean): void {
    this.call.endpoint = endpoint;
    this.#phase = Phase.Connecting;
    this.env.pools.of(endpoint).acquire(this, fresh);
  }

  #tryAgain(failure: AttemptFailure): void {
    let verdict: Verdict | Promise<Verdict>;
    try {
      verdict = this.handler.again(this.call, failure);
    } catch (error) {
      this.#pluginFailed(error);
      return;
    }
    if (failure.reusedConnection) this.env.stats.reusedConnectionRetries++;
    this.#phase = Phase.Deciding;
    if (verdict instanceof Promise) {
      this.server.arm(this.env.options.responseTimeout);
      void verdict.then(
        (later) => {
          if (this.#phase === Phase.Deciding) this.#go(later);
        },
        (error: unknown) => this.#pluginFailed(error),
      );
    } else this.#go(verdict);
  }

  #go(verdict: Verdict): void {
    if (verdict instanceof Rejection) this.reply(verdict);
    // Idle connections of an endpoint that has just lost one are suspect: the second try takes a new one.
    else this.#connect(verdict, true);
  }

  /** The peer's sidecar says that it could not deliver the request: that is an attempt that failed, not an answer. */
  #refusalOfPeer(scan: ResponseScanner, buffer: Buffer): AttemptFailure | undefined {
    if (scan.status !== 502 && scan.status !== 503) return undefined;
    const field = this.env.fieldName('x-mesher-error');
    if ((scan.presence & field.bit) === 0) return undefined;
    const code = findField(buffer, scan.fieldsStart, scan.end - 2, field);
    if (code !== 'MESH_ERR_CONNECT' && code !== 'MESH_ERR_UPSTREAM_RESET' && code !== 'MESH_ERR_DRAINING')
      return undefined;
    return {
      code,
      message: `the sidecar at ${this.call.endpoint?.key ?? ''} answered ${code}`,
      sent: code === 'MESH_ERR_UPSTREAM_RESET',
      reusedConnection: false,
    };
  }

  #keep(piece: Buffer): void {
    if (piece.length === 0) return;
    (this.#kept ??= []).push(piece);
    this.#keptBytes += piece.length;
  }

  #dropIfTooLarge(): void {
    if (this.#keptBytes <= this.env.options.maxReplayBytes) return;
    this.call.bodyReplayable = false;
    this.#kept = undefined;
    this.#keptBytes = 0;
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
    this.handler.end(this.call, {
      status: this.#status,
      code: this.#errorCode,
      aborted,
      durationMs: this.env.now() - this.call.startedAt,
    });
  }
}
