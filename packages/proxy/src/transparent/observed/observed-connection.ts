import type { CallHandler, Destination, ErrorCode, Invocation, SourceIdentity, SourceResolver } from '@mesher/core';
import type { Environment } from '../../environment.js';
import type { FieldName } from '../../http1/field-lookup.js';
import { Http1Call, type PeerConnection } from '../../http1/http1-call.js';
import type { RequestScanner } from '../../http1/request-scanner.js';
import type { ObservedRelay, StreamObserver } from '../../tcp/stream-observer.js';
import { ObservedAnswers, type AnswerSink } from './observed-answers.js';
import { ObservedRequests, type RequestSink } from './observed-requests.js';

/**
 * Bytes beside its head that a call may keep in memory until it is answered. A head that came with more, bodies and other heads, is copied:
 * whoever sends ahead could have 64 KB kept for each forty bytes that are counted otherwise.
 */
const MAX_KEPT_BESIDE = 1_024;

/** Who is told of requests that pass, and may edit their fields at once. They go to where they were going, whatever it returns. */
export interface RequestObserver extends Pick<CallHandler, 'direction' | 'end'> {
  begin(call: Invocation): unknown;
}

export interface ObservedContext {
  readonly observer: RequestObserver;
  readonly destination: Destination | undefined;
  readonly sources: readonly SourceResolver[];
  readonly env: Environment;
}

/**
 * A relayed connection whose client speaks HTTP/1. Each request is a call of its own, although nobody decides about it: its observer is told
 * when it begins and how it ended, and may edit its fields. All else passes as it came, on the one connection to the upstream.
 */
export class ObservedConnection implements StreamObserver, PeerConnection, RequestSink, AnswerSink {
  /** Requests without a complete answer, in the order of their answers. */
  readonly #calls: Http1Call[] = [];
  /** Of the answer to the first of them; 0 until it has begun. */
  #status = 0;
  #requestOfBody: Http1Call | undefined;
  /** Its connection speaks something else now, until it ends. */
  #tunnel: Http1Call | undefined;
  /** Heads of the requests above. */
  #headBytes = 0;
  #drainAt = Infinity;
  #isDraining = false;
  #relay: ObservedRelay | undefined;
  readonly #requests: ObservedRequests;
  readonly #answers: ObservedAnswers;

  constructor(
    private readonly context: ObservedContext,
    readonly remoteAddress: string,
  ) {
    this.#requests = new ObservedRequests(this, context.env);
    this.#answers = new ObservedAnswers(this, context.env);
  }

  // === what the relay says

  get dueAt(): number {
    return Math.min(this.#drainAt, this.#requests.heldSince + this.context.env.options.headTimeout);
  }

  begin(relay: ObservedRelay): void {
    this.#relay = relay;
  }

  onClientBytes(chunk: Buffer): void {
    if (this.#tunnel !== undefined) this.#tunnel.requestBytes += chunk.length;
    this.#drainAt = Infinity;
    this.#requests.take(chunk);
    this.#drainIfIdle();
  }

  onClientEnd(): void {
    this.#requests.giveUp();
  }

  onUpstreamBytes(bytes: Buffer): void {
    if (this.#tunnel !== undefined) this.#tunnel.responseBytes += bytes.length;
    if (!this.#answers.isBlind) this.#answers.take(bytes);
    this.#drainIfIdle();
  }

  onUpstreamEnd(): void {
    this.#answers.end();
    this.#requests.giveUp();
    // A tunnel may go on in the other direction.
    while (this.#calls.length > 0) this.#end('MESH_ERR_UPSTREAM_RESET', false);
  }

  onDue(): void {
    if (this.#drainAt !== Infinity) this.#relay?.closeIdle();
    else this.#requests.giveUp();
  }

  drain(): void {
    this.#isDraining = true;
    this.#drainIfIdle();
  }

  onOver(code: ErrorCode | undefined, aborted: boolean): void {
    this.#answers.isBlind = true;
    const tunnel = this.#tunnel;
    this.#tunnel = undefined;
    if (tunnel !== undefined) this.#report(tunnel, code, aborted);
    while (this.#calls.length > 0) this.#end(code, code === undefined);
  }

  // === for the calls

  identify(call: Http1Call): SourceIdentity | undefined {
    for (const resolver of this.context.sources) {
      const source = resolver.identify(call);
      if (source !== undefined) return source;
    }
    return undefined;
  }

  fieldName(lowerCase: string): FieldName {
    return this.context.env.fieldName(lowerCase);
  }

  // === the requests

  onHead(buffer: Buffer, scan: RequestScanner): string | undefined {
    const { destination, env, observer } = this.context;
    const call = new Http1Call(observer.direction, this, ownHead(buffer, scan), scan);
    call.startedAt = env.now();
    call.destination = destination;
    call.endpoint = this.#relay?.endpoint;
    call.attempts = 1;
    this.#calls.push(call);
    this.#requestOfBody = call;
    this.#headBytes += call.headBytes;
    // Whoever sends so far ahead is not kept waiting, but not remembered any more either.
    if (this.#headBytes > env.options.maxPipelinedBytes) this.#requests.isBlind = true;
    try {
      observer.begin(call);
    } catch (error) {
      env.logger.error({ error }, 'a plugin failed when a request passed');
      return undefined;
    }
    return call.isEdited ? call.renderEdited(scan) : undefined;
  }

  onRequestBody(length: number): void {
    const call = this.#requestOfBody;
    if (call !== undefined) call.requestBytes += length;
  }

  send(data: Buffer | string): void {
    this.#relay?.sendUpstream(data);
  }

  // === the answers, and both bodies

  get awaited(): Http1Call | undefined {
    return this.#calls[0];
  }

  onAnswer(status: number): void {
    this.#status = status;
    // No request is read behind one for another protocol, so if there was one, this answers it.
    if (this.#calls.length === 1) this.#requests.goOn();
  }

  onAnswerBody(length: number): void {
    const [call] = this.#calls;
    if (call !== undefined) call.responseBytes += length;
  }

  onAnswerEnd(): void {
    this.#end(undefined, false);
  }

  onSwitched(status: number, length: number): void {
    this.#requests.giveUp();
    const call = this.#calls.shift();
    if (call === undefined) return;
    call.responseBytes = length;
    this.#headBytes -= call.headBytes;
    // Nothing will answer what came behind it.
    while (this.#calls.length > 0) this.#end(undefined, false);
    this.#tunnel = call;
    this.#status = status;
  }

  onUnreadable(status: number): void {
    this.#requests.giveUp();
    if (this.#status === 0) this.#status = status;
    while (this.#calls.length > 0) this.#end(undefined, false);
  }

  // === inside

  #end(code: ErrorCode | undefined, aborted: boolean): void {
    const call = this.#calls.shift();
    if (call === undefined) return;
    this.#headBytes -= call.headBytes;
    this.#report(call, code, aborted);
    this.#status = 0;
  }

  #report(call: Http1Call, code: ErrorCode | undefined, aborted: boolean): void {
    const { env, observer } = this.context;
    try {
      const durationMs = env.now() - call.startedAt;
      observer.end(call, { status: this.#status, code, aborted, durationMs });
    } catch (error) {
      env.logger.error({ error }, 'a plugin failed after a request had passed');
    }
  }

  /** A connection between two requests is closed when the process is about to end; a request that is on its way is still let through. */
  #drainIfIdle(): void {
    if (!this.#isDraining || this.#requests.isBlind) return;
    const isIdle = this.#calls.length === 0 && this.#requests.isBetween;
    const { env } = this.context;
    if (!isIdle) this.#drainAt = Infinity;
    else if (this.#drainAt === Infinity) this.#drainAt = env.now() + env.options.drainGrace;
  }
}

/** The bytes for a call that may wait. @param scan has just scanned its head, and has scanned it in the bytes that are returned afterwards */
function ownHead(buffer: Buffer, scan: RequestScanner): Buffer {
  const { end, start } = scan;
  // What was put together from pieces, or cut out of them, lies in a larger block.
  if (buffer.buffer.byteLength - (end - start) <= MAX_KEPT_BESIDE) return buffer;
  const head = Buffer.allocUnsafeSlow(end - start);
  buffer.copy(head, 0, start, end);
  scan.scanRequest(head, 0, head.length);
  return head;
}
