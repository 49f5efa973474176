import type { Socket } from 'node:net';
import type { Endpoint, ErrorCode } from '@mesher/core';
import { isServerPreface } from '../detect.js';
import { endedByReset, notifyWhenDrained, resetSocket, startReading, type SocketOwner } from '../socket-owner.js';
import { describeConnectError } from '../upstream/connect-error.js';
import type { FirstBytes } from './first-bytes.js';
import type { FlowBuffer } from './flow-buffer.js';
import { FULL_READ, readFlow } from './flow-reading.js';
import { RelayCall, type RelayContext } from './relay-call.js';
import type { ObservedRelay, StreamObserver } from './stream-observer.js';
import type { TcpCall } from './tcp-call.js';

/**
 * Passes bytes both ways between an accepted socket and a dialled one: back-pressure, half-close and resets included. It dials at
 * once, because with some protocols the server speaks first.
 */
export class Relay extends RelayCall implements SocketOwner, ObservedRelay {
  #clientEnded = false;
  #clientFailed = false;
  #clientClosed = false;
  #upstreamEnded = false;
  #pausedClient = false;
  /** Client bytes that came before there was a connection, or before they told their protocol. */
  #early: Buffer | undefined;
  /** What a server of HTTP/2 has said before its client did: a client that is served itself must not get it. */
  #preface: Buffer | undefined;
  #failure: Error | undefined;
  /** Where the client is read into since it has begun to send more than it says in turns. */
  #flow: FlowBuffer | undefined;
  /** Sees what passes. */
  #observer: StreamObserver | undefined;

  constructor(
    private readonly client: Socket,
    call: TcpCall,
    context: RelayContext,
    /** Looks at what the client says first; undefined when its protocol is known. */
    private firstBytes: FirstBytes | undefined,
    /** The client is not read before there is a connection: nothing that it says could change anything, and holding bytes costs. */
    private readonly readsLate: boolean,
  ) {
    super(call, context);
  }

  /** Bytes of the upstream wait for the client to read them. */
  get holdsUpstreamBytes(): boolean {
    return this.client.writableLength > 0;
  }

  /** @param early bytes that the client has sent already */
  start(early: Buffer | undefined): void {
    this.#early = early;
    this.begin();
  }

  // === the accepted side

  onData(chunk: Buffer): void {
    if (this.over) return;
    const observer = this.#observer;
    if (this.firstBytes !== undefined || (!this.connected && observer === undefined)) {
      this.#onEarlyData(chunk);
      return;
    }
    if (observer === undefined) this.sendUpstream(chunk);
    else {
      // What is added to a head leaves with it.
      this.upstream?.socket.cork();
      observer.onClientBytes(chunk);
      this.upstream?.socket.uncork();
    }
    const upstream = this.upstream;
    if (upstream !== undefined) {
      // Not the result of write(): that is false for every large chunk, even one that has left already.
      if (upstream.socket.writableLength > this.env.options.writeBufferBytes) {
        this.#pauseClient();
        notifyWhenDrained(upstream.socket, upstream);
      } else if (chunk.length === FULL_READ && observer === undefined) {
        this.#flow ??= readFlow(this.client, this.env.readBuffers, (bytes) => this.#onFlow(bytes));
      }
    }
    this.#touch();
  }

  onEnd(): void {
    if (this.over || endedByReset(this.client)) return;
    this.#clientEnded = true;
    if (this.firstBytes !== undefined) this.#settleProtocol();
    this.#observer?.onClientEnd();
    if (!this.connected) return;
    if (this.#upstreamEnded) this.#finish();
    else this.upstream?.socket.end();
  }

  onDrain(): void {
    if (this.client.writableLength !== 0) return;
    this.upstream?.socket.resume();
    this.#touch();
  }

  onError(_error: Error): void {
    // 'close' follows.
    this.#clientFailed = true;
  }

  onClose(): void {
    this.#clientClosed = true;
    this.#flow?.rest(this.#pausedClient);
    if (this.over) this.#closeIfBothClosed();
    else this.#abort(undefined, this.#clientFailed);
  }

  // === the dialled side

  onConnected(): void {
    this.connected = true;
    if (!this.tellConnected()) {
      this.#abort('MESH_ERR_PLUGIN', true);
      return;
    }
    const { preamble } = this.call;
    if (preamble !== undefined) this.upstream?.socket.write(preamble);
    // Bytes that have not told their protocol yet wait for the rest, but not for long.
    if (this.firstBytes !== undefined && this.#early !== undefined) {
      this.awaitRest();
    } else this.#open();
  }

  /** @returns false to stop reading until the client has taken what it got */
  onUpstreamBytes(bytes: Buffer): boolean {
    if (this.over) return true;
    if (this.firstBytes !== undefined && this.#isHeldBack(bytes)) return false;
    this.#passDown(bytes);
    this.#touch();
    if (this.client.writableLength === 0) return true;
    notifyWhenDrained(this.client, this);
    return false;
  }

  onUpstreamEnd(): void {
    const upstream = this.upstream;
    if (upstream !== undefined && endedByReset(upstream.socket)) return;
    this.#upstreamEnded = true;
    this.#observer?.onUpstreamEnd();
    if (this.#clientEnded) this.#finish();
    else this.client.end();
  }

  onUpstreamDrained(): void {
    // What is written from a buffer that is read into again has to have left.
    if (this.#flow === undefined || this.upstream?.socket.writableLength === 0) this.#resumeClient();
    this.#touch();
  }

  onUpstreamError(error: Error): void {
    this.#failure = error;
  }

  onUpstreamClosed(): void {
    this.upstream = undefined;
    const failure = this.#failure;
    this.#failure = undefined;
    if (this.over) this.#closeIfBothClosed();
    else if (!this.connected) {
      this.onConnectFailed(failure === undefined ? 'closed while it was connecting' : describeConnectError(failure));
    } else if (failure !== undefined) this.#abort('MESH_ERR_UPSTREAM_RESET', true);
    else this.#finish();
  }

  override onDeadline(): void {
    if (this.over) {
      // What is left does not leave.
      this.#closeBoth(true);
    } else if (this.refused) this.#abort(this.errorCode, true);
    else if (this.connected && this.firstBytes !== undefined && (this.#early ?? this.#preface) !== undefined) {
      if (this.#preface !== undefined) this.context.serverSpokeFirst?.();
      this.#settleProtocol();
    } else if (this.#observer !== undefined && this.#observer.dueAt <= this.env.now()) {
      this.#observer.onDue();
      if (!this.over) this.#touch();
    } else {
      this.env.stats.timeouts++;
      if (this.upstream === undefined || this.connected) this.#abort('MESH_ERR_TIMEOUT', true);
      else this.onConnectDeadline();
    }
  }

  protected onRefused(): void {
    // A client that speaks HTTP can be told why; its first bytes are probably on the way.
    if (this.firstBytes !== undefined && this.context.refusesAtOnce !== true)
      this.env.deadlines.arm(this, this.env.options.refusalGrace);
    else this.#abort(this.errorCode, this.#early === undefined || !this.isUnserved);
  }

  /** Only what an observer sees can be told to be idle. */
  drain(): void {
    if (this.#observer === undefined || this.over) return;
    this.#observer.drain();
    this.#touch();
  }

  destroy(): void {
    if (this.over) this.#closeBoth(false);
    else this.#abort(undefined, false);
  }

  // === what the observer asks for

  get endpoint(): Endpoint | undefined {
    return this.call.endpoint;
  }

  sendUpstream(data: Buffer | string): void {
    if (!this.connected) {
      const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : data;
      this.#early = this.#early === undefined ? bytes : Buffer.concat([this.#early, bytes]);
      return;
    }
    this.env.stats.bytesToUpstream += data.length;
    this.call.requestBytes += data.length;
    if (typeof data === 'string') this.upstream?.socket.write(data, 'latin1');
    else this.upstream?.socket.write(data);
  }

  closeIdle(): void {
    this.#finish();
  }

  // === the first bytes

  #onEarlyData(chunk: Buffer): void {
    const before = this.#early;
    const bytes = before === undefined ? chunk : Buffer.concat([before, chunk]);
    this.#early = bytes;
    if (this.firstBytes !== undefined) {
      const protocol = this.firstBytes(bytes);
      if (protocol === 'taken') {
        this.#abandon();
        return;
      }
      if (protocol === 'unclear') {
        // From the first byte on: one more from time to time must not keep them waiting.
        if (this.connected && before === undefined) this.awaitRest();
        return;
      }
      if (typeof protocol === 'object') this.#observe(protocol, bytes);
      else this.#settleProtocol();
    }
    if (!this.connected) this.#pauseClient();
  }

  /** The server speaks first: whatever the client will say, it is not HTTP, unless that is how a server of HTTP/2 begins. */
  #isHeldBack(bytes: Buffer): boolean {
    if (!isServerPreface(bytes)) {
      this.context.serverSpokeFirst?.();
      this.#settleProtocol();
      return false;
    }
    if (this.context.refusesAtOnce === true) return false;
    // A client of HTTP/2 does not wait for it (RFC 9113, 3.4).
    this.#preface = Buffer.from(bytes);
    this.env.deadlines.arm(this, this.env.options.detectTimeout);
    return true;
  }

  #passDown(bytes: Buffer): void {
    this.env.stats.bytesToDownstream += bytes.length;
    this.call.responseBytes += bytes.length;
    this.client.write(bytes);
    this.#observer?.onUpstreamBytes(bytes);
  }

  /** The connection stays, and its requests are seen: they are the calls from here on. */
  #observe(observer: StreamObserver, first: Buffer): void {
    this.supersede();
    this.#early = undefined;
    this.#observer = observer;
    observer.begin(this);
    observer.onClientBytes(first);
    this.#settleProtocol();
  }

  /** Nobody takes the connection over: what was held back goes on. */
  #settleProtocol(): void {
    this.firstBytes = undefined;
    if (this.#observer === undefined) this.env.stats.detectedTcp++;
    else this.env.stats.detectedHttp1++;
    if (this.refused) this.#abort(this.errorCode, true);
    else if (this.connected) this.#open();
  }

  /** There is a connection and nothing to wait for: from here on bytes flow. */
  #open(): void {
    const socket = this.upstream?.socket;
    const early = this.#early;
    const preface = this.#preface;
    this.#early = undefined;
    this.#preface = undefined;
    if (preface !== undefined) {
      this.#passDown(preface);
      socket?.resume();
    }
    if (early !== undefined) {
      this.env.stats.bytesToUpstream += early.length;
      this.call.requestBytes += early.length;
      socket?.write(early);
    }
    if (this.#clientEnded) socket?.end();
    if (this.readsLate) startReading(this.client);
    this.#resumeClient();
    this.#touch();
  }

  /** Gives up the connection without touching the client's socket, which has another owner now. */
  #abandon(): void {
    this.firstBytes = undefined;
    this.supersede();
    this.report(true);
    this.upstream?.release(false, false);
    this.upstream = undefined;
    this.#gone();
  }

  // === the end

  /** Both directions have been read to their end: what is queued still leaves, then both sockets close. */
  #finish(): void {
    this.#observer?.onUpstreamEnd();
    this.report(false);
    this.#observer?.onOver(undefined, false);
    const { client } = this;
    const upstream = this.upstream;
    const clientFlushed = client.writableLength === 0;
    if (clientFlushed) client.destroy();
    else client.destroySoon();
    if (upstream !== undefined) {
      if (upstream.socket.writableLength > 0) upstream.socket.destroySoon();
      else {
        this.upstream = undefined;
        upstream.release(false, !clientFlushed);
      }
    }
    if (clientFlushed && this.upstream === undefined) this.#gone();
    else this.#touch();
  }

  /** The connection ends before its time. */
  #abort(code: ErrorCode | undefined, reset: boolean): void {
    this.errorCode = code;
    this.report(this.#clientFailed);
    this.#observer?.onOver(code, this.#clientFailed);
    this.#closeBoth(reset);
  }

  #closeBoth(reset: boolean): void {
    const bufferInUse = this.holdsUpstreamBytes;
    const upstream = this.upstream;
    this.upstream = undefined;
    upstream?.release(reset, bufferInUse);
    if (reset) resetSocket(this.client);
    else this.client.destroy();
    this.#gone();
  }

  #closeIfBothClosed(): void {
    if (this.#clientClosed && this.upstream === undefined) this.#gone();
  }

  #gone(): void {
    this.env.deadlines.remove(this);
    this.context.closed(this);
  }

  #touch(): void {
    this.env.deadlines.arm(this, this.env.options.tunnelIdleTimeout, this.#observer?.dueAt);
  }

  /** @returns false to read no further until the upstream has taken all of it */
  #onFlow(bytes: Buffer): boolean {
    if (this.over) return true;
    const { upstream } = this;
    this.sendUpstream(bytes);
    this.#touch();
    if (upstream === undefined || upstream.socket.writableLength === 0) return true;
    this.#pausedClient = true;
    notifyWhenDrained(upstream.socket, upstream);
    return false;
  }

  #pauseClient(): void {
    this.#pausedClient = true;
    this.client.pause();
  }

  #resumeClient(): void {
    if (!this.#pausedClient) return;
    this.#pausedClient = false;
    this.client.resume();
  }
}
