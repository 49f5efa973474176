import type { Socket } from 'node:net';
import { Rejection, type CallHandler, type ErrorCode, type SourceIdentity, type SourceResolver } from '@mesher/core';
import { Deadline } from '../deadlines.js';
import type { Environment } from '../environment.js';
import { notifyWhenDrained, type SocketOwner } from '../socket-owner.js';
import { BROKEN, ChunkScanner, NEED_MORE } from './chunk-scanner.js';
import { Exchange } from './exchange.js';
import type { FieldName } from './field-lookup.js';
import {
  COMPLETE,
  INCOMPLETE,
  TOO_MANY_FIELDS,
  UNSUPPORTED_CODING,
  WRONG_VERSION,
  type ScanResult,
} from './field-scanner.js';
import { Http1Call, type PeerConnection } from './http1-call.js';
import { renderLocalReply } from './local-reply.js';

const enum Body {
  None,
  Length,
  Chunked,
}

/** What a listener tells the connections that it accepts. */
export interface ServerContext {
  readonly handler: CallHandler;
  readonly sources: readonly SourceResolver[];
  /** True while the listener drains: each answer is the last one of its connection. */
  readonly draining: boolean;
  /** Service that every call of this listener is for, whatever the host name says. */
  closed(connection: ServerConnection): void;
}

/**
 * The accepted side of HTTP/1: reads requests one after another, hands each to an exchange, and keeps the order of answers by
 * not reading the next request before the answer is complete (pipelined bytes are held, up to a bound).
 */
export class ServerConnection extends Deadline implements SocketOwner, PeerConnection {
  readonly remoteAddress: string;
  #exchange: Exchange | undefined;
  #held: Buffer | undefined;
  #body: Body = Body.None;
  #remaining = 0;
  #chunks: ChunkScanner | undefined;
  #close = false;
  #paused = false;
  #consuming = false;
  #lingering = false;
  #tunnel = false;
  /** The client has ended its side; whether it still reads shows when something is written. */
  #clientEnded = false;
  #wroteAfterEnd = false;
  #gone = false;

  constructor(
    private readonly socket: Socket,
    private readonly context: ServerContext,
    private readonly env: Environment,
  ) {
    super();
    this.remoteAddress = plainAddress(socket.remoteAddress);
    env.deadlines.arm(this, env.options.headTimeout);
  }

  get closesAfterResponse(): boolean {
    return this.#close;
  }

  /** True between requests. */
  get isIdle(): boolean {
    return this.#exchange === undefined && this.#held === undefined;
  }

  identify(call: Http1Call): SourceIdentity | undefined {
    for (const resolver of this.context.sources) {
      const source = resolver.identify(call);
      if (source !== undefined) return source;
    }
    return undefined;
  }

  fieldName(lowerCase: string): FieldName {
    return this.env.fieldName(lowerCase);
  }

  // === what the socket says

  onData(chunk: Buffer): void {
    if (this.#lingering) return;
    if (this.#tunnel) {
      this.#exchange?.onTunnelClientBytes(chunk);
      return;
    }
    if (this.#held !== undefined) {
      chunk = Buffer.concat([this.#held, chunk]);
      this.#held = undefined;
    }
    this.#consume(chunk, 0);
  }

  onDrain(): void {
    this.#exchange?.onClientDrained();
  }

  onEnd(): void {
    if (this.#tunnel) {
      this.#exchange?.onTunnelClientEnd();
      return;
    }
    const exchange = this.#exchange;
    if (exchange === undefined || !exchange.requestDone) {
      this.destroy();
      return;
    }
    // A client that ends its side after the request may still read (half-close), or may be gone. The next write would show
    // it; when nothing is written for a moment, gone is assumed.
    this.#clientEnded = true;
    this.#close = true;
    this.env.deadlines.arm(this, this.env.options.halfCloseGrace);
  }

  onError(_error: Error): void {
    // 'close' follows; there is nobody left to tell.
  }

  onClose(): void {
    this.destroy();
  }

  override onDeadline(): void {
    const exchange = this.#exchange;
    if (this.#lingering || exchange === undefined) {
      if (this.#held !== undefined && !this.#lingering) {
        this.#refuse(
          'MESH_ERR_REQUEST_TIMEOUT',
          `The head of the request was not complete after ${this.env.options.headTimeout} ms`,
        );
      } else this.destroy();
      return;
    }
    if (this.#clientEnded) {
      if (!this.#wroteAfterEnd) {
        this.destroy();
        return;
      }
      // It takes what we write: a true half-close. From here on the usual timeouts hold.
      this.#clientEnded = false;
      this.arm(this.env.options.responseIdleTimeout);
      return;
    }
    exchange.onTimeout();
  }

  // === what the exchange asks for

  arm(delayMs: number): void {
    // The doubt about a client that has ended its side is settled first.
    if (!this.#clientEnded) this.env.deadlines.arm(this, delayMs);
  }

  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.socket.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.socket.resume();
  }

  /** @returns false while some of it waits for the client to read */
  write(text: string): boolean {
    this.#wroteAfterEnd = this.#clientEnded;
    this.socket.write(text, 'latin1');
    return this.socket.writableLength === 0;
  }

  writeHeadAndBody(head: string, body: Buffer): boolean {
    this.#wroteAfterEnd = this.#clientEnded;
    this.socket.cork();
    this.socket.write(head, 'latin1');
    this.socket.write(body);
    this.socket.uncork();
    return this.socket.writableLength === 0;
  }

  writeBytes(bytes: Buffer): boolean {
    this.#wroteAfterEnd = this.#clientEnded;
    this.socket.write(bytes);
    return this.socket.writableLength === 0;
  }

  notifyWhenDrained(): void {
    notifyWhenDrained(this.socket, this);
  }

  closeAfterResponse(): void {
    this.#close = true;
  }

  /** The fields of this hop for the answer. */
  responseFields(call: Http1Call): string {
    if (this.context.draining) this.#close = true;
    let fields = this.#close ? 'Connection: close\r\n' : call.minorVersion === 0 ? 'Connection: keep-alive\r\n' : '';
    if (this.env.options.serverTiming) fields += serverTiming(call, this.env.now());
    return fields;
  }

  becomeTunnel(): void {
    this.#tunnel = true;
    const held = this.#held;
    this.#held = undefined;
    this.resume();
    if (held !== undefined) this.#exchange?.onTunnelClientBytes(held);
  }

  endWriting(): void {
    this.socket.end();
  }

  destroySoon(): void {
    if (this.socket.writableLength === 0) this.destroy();
    else {
      this.#lingering = true;
      this.socket.end(() => this.destroy());
      this.env.deadlines.arm(this, this.env.options.lingerTimeout);
    }
  }

  /** Ends the connection so that the client cannot take the answer for complete. */
  breakOff(): void {
    this.#exchange = undefined;
    if (!this.#gone) this.socket.resetAndDestroy();
    this.destroy();
  }

  /** The exchange is over and its answer has been written. */
  finished(requestDone: boolean): void {
    this.#exchange = undefined;
    if (this.#gone) return;
    if (this.#close || !requestDone || this.context.draining) {
      this.#closeGently(requestDone);
      return;
    }
    this.env.deadlines.arm(this, this.env.options.keepAliveTimeout);
    const held = this.#held;
    if (held !== undefined && !this.#consuming) {
      this.#held = undefined;
      this.resume();
      this.#consume(held, 0);
    } else this.resume();
  }

  /** Ends the connection if it is between two requests; otherwise the present answer will be its last. */
  drain(): void {
    if (this.isIdle) this.destroy();
    else this.#close = true;
  }

  destroy(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.env.deadlines.remove(this);
    const exchange = this.#exchange;
    this.#exchange = undefined;
    exchange?.abort();
    this.socket.destroy();
    this.context.closed(this);
  }

  // === reading requests

  #consume(buffer: Buffer, i: number): void {
    this.#consuming = true;
    while (i < buffer.length && !this.#gone && !this.#lingering) {
      if (this.#tunnel) {
        this.#exchange?.onTunnelClientBytes(buffer.subarray(i));
        break;
      }
      if (this.#exchange === undefined) {
        i = this.#readHead(buffer, i);
        if (i < 0) break;
      } else if (this.#body !== Body.None) {
        i = this.#readBody(this.#exchange, buffer, i);
        if (i < 0) break;
      } else {
        this.#hold(buffer.subarray(i));
        break;
      }
    }
    this.#consuming = false;
  }

  /** @returns the position after what was taken; -1 when more is needed or the connection is refused */
  #readHead(buffer: Buffer, i: number): number {
    const scan = this.env.requestScanner;
    const result = scan.scanRequest(buffer, i, buffer.length);
    const { options } = this.env;
    if (result !== COMPLETE) {
      if (result !== INCOMPLETE) return this.#refuseHead(result);
      if (buffer.length - i > options.maxHeadBytes) {
        return buffer.indexOf('\r\n', i) < 0
          ? this.#refuse('MESH_ERR_URI_TOO_LONG', `The request line is longer than ${options.maxHeadBytes} bytes`)
          : this.#refuse(
              'MESH_ERR_HEADER_TOO_LARGE',
              `The head of the request is larger than ${options.maxHeadBytes} bytes`,
            );
      }
      if (this.#held === undefined) this.env.deadlines.arm(this, options.headTimeout);
      this.#held = i === 0 ? buffer : buffer.subarray(i);
      return -1;
    }
    if (scan.end - i > options.maxHeadBytes) {
      return this.#refuse(
        'MESH_ERR_HEADER_TOO_LARGE',
        `The head of the request is larger than ${options.maxHeadBytes} bytes`,
      );
    }
    const bodyStart = scan.end;
    let bodyEnd = bodyStart;
    this.#body = Body.None;
    if (scan.form === 'authority') {
      // what follows a CONNECT belongs to the tunnel
    } else if (scan.chunked) {
      this.#body = Body.Chunked;
      const chunks = (this.#chunks ??= new ChunkScanner(options.maxTrailerBytes));
      chunks.reset();
      const at = chunks.feed(buffer, bodyStart, buffer.length);
      if (at === BROKEN) return this.#refuse('MESH_ERR_BAD_REQUEST', `The request has ${chunks.problem}`);
      if (at === NEED_MORE) bodyEnd = buffer.length;
      else {
        bodyEnd = at;
        this.#body = Body.None;
      }
    } else if (scan.contentLength > 0) {
      bodyEnd = Math.min(buffer.length, bodyStart + scan.contentLength);
      this.#remaining = scan.contentLength - (bodyEnd - bodyStart);
      if (this.#remaining > 0) this.#body = Body.Length;
    }
    // Only a request without a body may ask for another protocol; h2c is not offered (RFC 9113 has dropped it).
    if (scan.chunked || scan.contentLength > 0 || isH2c(buffer, scan.upgradeStart, scan.upgradeEnd))
      scan.connectionUpgrade = false;
    this.#close = scan.close || (scan.minorVersion === 0 && !scan.keepAlive) || this.context.draining;
    if (!this.#close && scan.minorVersion === 0 && !scan.keepAlive) this.#close = true;
    this.env.deadlines.disarm(this);
    const call = new Http1Call(this.context.handler.direction, this, buffer, scan);
    call.startedAt = this.env.now();
    const exchange = new Exchange(call, this, this.context.handler, this.env);
    this.#exchange = exchange;
    exchange.start(bodyEnd > bodyStart ? buffer.subarray(bodyStart, bodyEnd) : undefined, this.#body === Body.None);
    return bodyEnd;
  }

  #readBody(exchange: Exchange, buffer: Buffer, i: number): number {
    let bodyEnd = buffer.length;
    let done = false;
    if (this.#body === Body.Chunked) {
      const chunks = this.#chunks as ChunkScanner;
      const at = chunks.feed(buffer, i, buffer.length);
      if (at === BROKEN) {
        if (exchange.hasAnswered) this.destroy();
        else exchange.reply(new Rejection('MESH_ERR_BAD_REQUEST', `The request has ${chunks.problem}`));
        return -1;
      }
      if (at !== NEED_MORE) {
        bodyEnd = at;
        done = true;
      }
    } else {
      bodyEnd = Math.min(buffer.length, i + this.#remaining);
      this.#remaining -= bodyEnd - i;
      done = this.#remaining === 0;
    }
    if (done) this.#body = Body.None;
    exchange.onRequestBody(buffer.subarray(i, bodyEnd), done);
    return bodyEnd;
  }

  #hold(rest: Buffer): void {
    this.#held = rest;
    if (rest.length > this.env.options.maxPipelinedBytes) this.pause();
  }

  #refuseHead(result: ScanResult): number {
    const { problem } = this.env.requestScanner;
    switch (result) {
      case TOO_MANY_FIELDS:
        return this.#refuse(
          'MESH_ERR_HEADER_TOO_LARGE',
          `The request has more than ${this.env.options.maxHeaderFields} header fields`,
        );
      case UNSUPPORTED_CODING:
        return this.#refuse('MESH_ERR_NOT_IMPLEMENTED', `The request uses ${problem}`);
      case WRONG_VERSION:
        return this.#refuse('MESH_ERR_VERSION', `The request names ${problem}`);
      default:
        return this.#refuse('MESH_ERR_BAD_REQUEST', `The request has ${problem}`);
    }
  }

  /** Answers what is not a request and closes; nothing of it is forwarded. */
  #refuse(code: ErrorCode, message: string): number {
    this.env.stats.malformedRequests++;
    this.#close = true;
    this.#held = undefined;
    const rejection = new Rejection(code, message);
    this.write(
      renderLocalReply(rejection, {
        service: undefined,
        requestId: undefined,
        plainText: false,
        headOnly: false,
        close: true,
      }),
    );
    this.#closeGently(false);
    return -1;
  }

  /**
   * Closes after the last answer. While the client may still be sending, the connection is read to its end for a moment: closing
   * it with unread bytes would reset it, and the reset may overtake the answer (RFC 9112, 9.6).
   */
  #closeGently(requestDone: boolean): void {
    this.#lingering = true;
    if (requestDone && this.#held === undefined && this.socket.writableLength === 0) {
      this.socket.destroySoon();
      return;
    }
    this.#held = undefined;
    this.resume();
    this.socket.end();
    this.env.deadlines.arm(this, this.env.options.lingerTimeout);
  }
}

/** IPv4-mapped IPv6 addresses are written as IPv4, so that one client has one name on all listeners. */
function plainAddress(address: string | undefined): string {
  if (address === undefined) return '';
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}

function isH2c(buffer: Buffer, start: number, end: number): boolean {
  return end > start && start !== 0 && /(?:^|,)\s*h2c\s*(?:,|$)/i.test(buffer.toString('latin1', start, end));
}

/** `Server-Timing` (W3C): which sidecar, which way, to which instance, and the time until the head of the answer. */
function serverTiming(call: Http1Call, now: number): string {
  const target = call.endpoint === undefined ? '' : ` ${call.endpoint.key}`;
  const service = call.destination === undefined ? '' : ` ${call.destination.service}`;
  return `Server-Timing: mesher;desc="${call.direction}${service}${target}";dur=${(now - call.startedAt).toFixed(2)}\r\n`;
}
