import { createServer, type Socket } from 'node:net';
import { endWithParent, readTask, report } from '../load/helper.js';
import {
  ACK,
  DEFAULT_WINDOW,
  END_HEADERS,
  END_STREAM,
  FRAME,
  FrameCutter,
  HEADER_TABLE_SIZE,
  INITIAL_WINDOW_SIZE,
  PREFACE,
  frame,
  settingOf,
  windowUpdate,
  type Frame,
} from '../net/http2-frames.js';
import { letters } from './bodies.js';

/**
 * A gRPC server as a proxy sees one, and cheap enough to share a core with the load: it answers every call once its request has
 * ended with a head, one message and trailers, its HPACK as small as that of grpc-go after the first call of a connection. It counts
 * what it answers, so that calls which a proxy answered by itself do not pass as calls that arrived.
 */
export interface GrpcUpstreamTask {
  readonly port: number;
}

/** What the upstream saw since it was started. */
export interface GrpcUpstreamCount {
  /** Calls answered to their end. */
  readonly answered: number;
  /** Bytes of requests. */
  readonly received: number;
  /** Calls that have begun and not ended. */
  readonly open: number;
}

const BACKLOG = 4_096;
const MESSAGE_BYTES = 128;
/** Room for requests: on a stream, and on a connection. */
const STREAM_WINDOW = 1_048_576;
const CONNECTION_WINDOW = 0x3fffffff;
/** The header table that the indexes below need; nginx wants none at all. */
const NEEDED_TABLE = 4_096;

/** Head and trailers of an answer in HPACK. */
interface Encoding {
  readonly head: Buffer;
  readonly trailers: Buffer;
}

const blocks = (head: string, trailers: string): Encoding => ({
  head: Buffer.from(head, 'latin1'),
  trailers: Buffer.from(trailers, 'latin1'),
});

/** 0x88 is `:status: 200`; the others are literals that enter the table, and afterwards their indexes there (RFC 7541, 6.1 and 6.2.1). */
const FIRST = blocks('\x88\x5f\x10application/grpc', '\x40\x0bgrpc-status\x010\x40\x0cgrpc-message\x00');
const LATER = blocks('\x88\xc0', '\xbf\xbe');
/** The same without a table (6.2.2); the first block says that there is none (6.3). */
const FIRST_PLAIN = blocks('\x20\x88\x0f\x10\x10application/grpc', '\x00\x0bgrpc-status\x010\x00\x0cgrpc-message\x00');
const LATER_PLAIN: Encoding = { ...FIRST_PLAIN, head: FIRST_PLAIN.head.subarray(1) };
const MESSAGE = Buffer.concat([Buffer.from([0, 0, 0, 0, MESSAGE_BYTES]), letters(MESSAGE_BYTES)]);

interface Call {
  window: number;
  received: number;
}

let answered = 0;
let received = 0;
let open = 0;

class GrpcConnection {
  private readonly cutter = new FrameCutter(PREFACE.length);
  private readonly calls = new Map<number, Call>();
  /** Calls whose request has ended but whose answer does not fit into a window. */
  private waiting: number[] = [];
  private window = DEFAULT_WINDOW;
  private initialWindow = DEFAULT_WINDOW;
  private received = 0;
  private next = FIRST;
  private later = LATER;
  private out: Buffer[] = [];

  constructor(private readonly socket: Socket) {
    const settings = Buffer.alloc(6);
    settings.writeUInt16BE(INITIAL_WINDOW_SIZE);
    settings.writeUInt32BE(STREAM_WINDOW, 2);
    this.out.push(frame(FRAME.settings, 0, 0, settings), windowUpdate(0, CONNECTION_WINDOW - DEFAULT_WINDOW));
    socket.on('data', (bytes: Buffer) => {
      this.cutter.push(bytes, (found) => this.take(found));
      this.flush();
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => (open -= this.calls.size));
  }

  private flush(): void {
    if (this.out.length === 0) return;
    this.socket.write(this.out.length === 1 ? (this.out[0] ?? '') : Buffer.concat(this.out));
    this.out = [];
  }

  private take(found: Frame): void {
    const { type, flags, stream, bytes, start, end } = found;
    if (type === FRAME.headers) this.begin(stream, (flags & END_STREAM) !== 0);
    else if (type === FRAME.data) this.takeData(stream, end - start, (flags & END_STREAM) !== 0);
    else if (type === FRAME.windowUpdate) this.widen(stream, bytes.readUInt32BE(start));
    else if (type === FRAME.reset) this.end(stream);
    else if (type === FRAME.settings && (flags & ACK) === 0) this.takeSettings(found);
    else if (type === FRAME.ping && (flags & ACK) === 0)
      this.out.push(frame(FRAME.ping, ACK, 0, Buffer.from(bytes.subarray(start, end))));
  }

  private begin(stream: number, isWhole: boolean): void {
    if (!this.calls.has(stream)) {
      this.calls.set(stream, { window: this.initialWindow, received: 0 });
      open += 1;
    }
    if (isWhole) this.answer(stream);
  }

  private takeData(stream: number, length: number, isLast: boolean): void {
    received += length;
    this.received += length;
    if (this.received >= CONNECTION_WINDOW / 2) {
      this.out.push(windowUpdate(0, this.received));
      this.received = 0;
    }
    const call = this.calls.get(stream);
    if (call === undefined) return;
    call.received += length;
    if (isLast) this.answer(stream);
    else if (call.received >= STREAM_WINDOW / 2) {
      this.out.push(windowUpdate(stream, call.received));
      call.received = 0;
    }
  }

  private takeSettings(found: Frame): void {
    const table = settingOf(found, HEADER_TABLE_SIZE);
    if (table !== undefined && table < NEEDED_TABLE && this.next === FIRST) {
      this.next = FIRST_PLAIN;
      this.later = LATER_PLAIN;
    }
    const initial = settingOf(found, INITIAL_WINDOW_SIZE);
    if (initial !== undefined) {
      for (const call of this.calls.values()) call.window += initial - this.initialWindow;
      this.initialWindow = initial;
    }
    this.out.push(frame(FRAME.settings, ACK, 0));
    this.retry();
  }

  private widen(stream: number, bytes: number): void {
    const call = this.calls.get(stream);
    if (stream === 0) this.window += bytes;
    else if (call !== undefined) call.window += bytes;
    this.retry();
  }

  private retry(): void {
    const { waiting } = this;
    if (waiting.length === 0) return;
    this.waiting = [];
    for (const stream of waiting) this.answer(stream);
  }

  private answer(stream: number): void {
    const call = this.calls.get(stream);
    if (call === undefined) return;
    if (call.window < MESSAGE.length || this.window < MESSAGE.length) {
      this.waiting.push(stream);
      return;
    }
    const { head, trailers } = this.next;
    this.window -= MESSAGE.length;
    this.out.push(
      frame(FRAME.headers, END_HEADERS, stream, head),
      frame(FRAME.data, 0, stream, MESSAGE),
      frame(FRAME.headers, END_HEADERS | END_STREAM, stream, trailers),
    );
    this.next = this.later;
    answered += 1;
    this.end(stream);
  }

  private end(stream: number): void {
    if (this.calls.delete(stream)) open -= 1;
  }
}

const task = readTask<GrpcUpstreamTask>();
endWithParent((line) => {
  if (line === 'count?') report({ answered, received, open } satisfies GrpcUpstreamCount);
});
createServer({ noDelay: true }, (socket) => new GrpcConnection(socket)).listen(
  { host: '127.0.0.1', port: task.port, backlog: BACKLOG },
  () => report({ ready: true }),
);
