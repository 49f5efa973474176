import { silentLogger } from '@mesher/core';
import { fakePorts } from '@mesher/core/testing';
import { Deadlines } from '../../deadlines.js';
import { Environment } from '../../environment.js';
import { DEFAULT_PROXY_OPTIONS, type ProxyOptions } from '../../options.js';
import { ProxyStats } from '../../stats.js';
import type { RequestReceiver } from '../connection/stream-users.js';
import { CLIENT_PREFACE } from '../frames/frame-format.js';
import { HeaderBlock } from '../hpack/header-block.js';
import { HeaderField } from '../hpack/header-field.js';
import type { Http2Limits } from '../limits.js';
import { Http2ServerConnection } from '../server/http2-server-connection.js';
import type { ServerStream } from '../server/server-stream.js';
import type { StreamAcceptor } from '../server/stream-acceptor.js';
import { FakeSocket } from './fake-socket.js';
import { RawFrames } from './raw-frames.js';
import { EMPTY_SETTINGS } from './wire.js';

/** Length of the answers of a {@link TestCall}, unless a test sets another one. */
export const ANSWER_BYTES = 128;

const OK = HeaderBlock.of([new HeaderField(':status', '200')]);

/** A call that is answered once its request is complete; it keeps count of what happens. */
export class TestCall implements RequestReceiver {
  received = 0;
  sent = 0;
  isComplete = false;
  isGone = false;
  trailers: HeaderBlock | undefined = undefined;
  /** Bytes of the request that are given back when the test says so; all at once by default. */
  holds = false;

  constructor(
    readonly stream: ServerStream,
    readonly head: HeaderBlock,
    private readonly answer: (call: TestCall) => void,
  ) {}

  onRequestData(_buffer: Buffer, start: number, end: number, endStream: boolean): void {
    this.received += end - start;
    if (!this.holds) this.stream.consumed(end - start);
    if (endStream) this.complete();
  }

  onRequestTrailers(block: HeaderBlock): void {
    this.trailers = block;
    this.complete();
  }

  onClientGone(): void {
    this.isGone = true;
  }

  onAnswerSent(bytes: number): void {
    this.sent += bytes;
  }

  onTimeout(): void {
    this.stream.reset(8);
  }

  complete(): void {
    this.isComplete = true;
    this.answer(this);
  }

  /** Sends a whole answer. */
  reply(bytes: number): void {
    this.stream.head({ block: OK, edits: undefined, added: undefined }, false);
    this.stream.data(Buffer.alloc(bytes, 97), 0, bytes, true);
  }
}

export interface ServerRigOptions {
  readonly limits?: Partial<Http2Limits>;
  readonly options?: Partial<ProxyOptions>;
  /** What is done with a complete request; by default an answer of {@link ANSWER_BYTES}. */
  readonly answer?: (call: TestCall) => void;
  /** Called for each new call. */
  readonly onCall?: (call: TestCall) => void;
}

/** What all accepted connections of a test share, and their calls. Time stands still unless the test moves it. */
export class ServerRig implements StreamAcceptor {
  readonly calls: TestCall[] = [];
  readonly stats = new ProxyStats();
  readonly env: Environment;
  /** Connections that are not closed. */
  readonly open = new Set<Http2ServerConnection>();
  readonly #ports = fakePorts();
  readonly #answer: (call: TestCall) => void;
  readonly #onCall: (call: TestCall) => void;

  constructor({ limits, options, answer, onCall }: ServerRigOptions = {}) {
    const { clock, timers, random } = this.#ports;
    const http2 = { ...DEFAULT_PROXY_OPTIONS.http2, ...limits };
    this.env = new Environment(
      { ...DEFAULT_PROXY_OPTIONS, ...options, http2 },
      new Deadlines(clock, timers),
      this.stats,
      silentLogger(),
      random,
      () => clock.now(),
    );
    this.#answer = answer ?? ((call): void => call.reply(ANSWER_BYTES));
    this.#onCall = onCall ?? ((): void => undefined);
  }

  accept(stream: ServerStream, head: HeaderBlock, endStream: boolean): RequestReceiver {
    const call = new TestCall(stream, head, this.#answer);
    this.calls.push(call);
    // Also told of what leaves before this returns.
    stream.receiver = call;
    this.#onCall(call);
    if (endStream) call.complete();
    return call;
  }

  closed(connection: Http2ServerConnection): void {
    this.open.delete(connection);
  }

  connect(): TestClient {
    return new TestClient(this);
  }

  /** Moves time past a timeout: the wheel fires up to two ticks late. */
  pass(ms: number): void {
    this.#ports.time.advance(ms + 150);
  }

  get pendingTimers(): number {
    return this.#ports.time.pendingTimers;
  }

  /** How often something was counted. */
  violations(kind: string): number {
    for (const [reason, count] of this.stats.http2Violations) if (reason === kind) return count;
    return 0;
  }
}

/** One client of a {@link ServerRig}: says what the test says, and hears all. */
export class TestClient {
  readonly socket = new FakeSocket();
  readonly seen = new RawFrames();
  readonly connection: Http2ServerConnection;

  constructor(private readonly rig: ServerRig) {
    this.connection = new Http2ServerConnection(this.socket.asSocket, rig, rig, rig.env);
    rig.open.add(this.connection);
  }

  /** Preface and empty SETTINGS, with the acknowledgement of ours. */
  greet(): this {
    return this.send(CLIENT_PREFACE, EMPTY_SETTINGS, SETTINGS_ACK);
  }

  /** Everything in one chunk; then what the connection wrote is read. */
  send(...frames: readonly Buffer[]): this {
    const bytes = Buffer.concat(frames);
    this.connection.onData(bytes);
    // A chunk may be overwritten once it was read.
    bytes.fill(0xee);
    return this.hear();
  }

  /** In chunks of that many bytes. */
  sendSlowly(bytes: Buffer, chunk: number): this {
    for (let at = 0; at < bytes.length; at += chunk) this.send(bytes.subarray(at, at + chunk));
    return this;
  }

  hear(): this {
    this.rig.env.outputPool.flushAll();
    this.seen.add(this.socket.take());
    return this;
  }

  /** True when nothing is served any more. */
  get isOver(): boolean {
    return this.socket.ended || this.socket.destroyed;
  }
}

const SETTINGS_ACK = Buffer.from([0, 0, 0, 4, 1, 0, 0, 0, 0]);
