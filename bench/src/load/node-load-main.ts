import { connect, type Socket } from 'node:net';
import { requestHead } from '../net/request-head.js';
import { ResponseReader } from '../net/response-reader.js';
import { endWithParent, readTask, report } from './helper.js';
import { LatencyHistogram } from './latency-histogram.js';
import type { LoadOrder } from './load-result.js';

/**
 * The load generator used where wrk is missing, and the only one that paces: with `rate` it sends that many requests per
 * second over up to `connections` connections, without waiting for answers. It costs more CPU per request than wrk, so
 * its requests/s at saturation are those of the load core, not of the proxy.
 */
export interface NodeLoadTask extends LoadOrder {
  readonly rate?: number;
}

const READ_BUFFER_BYTES = 65_536;
/** How often the pacing loop looks at the clock. */
const PACE_MS = 1;
/** How long answers still under way may take once the time is up. */
const DRAIN_MS = 2_000;

const task = readTask<NodeLoadTask>();
const head = requestHead(task.path, task.close);
const latencies = new LatencyHistogram();
const faults = new Map<string, number>();
const idle: Lane[] = [];
const queue: number[] = [];
let open = 0;
let inFlight = 0;
let sent = 0;
let completed = 0;
let bodyBytes = 0;
let stopping = false;
let finished = false;
const start = performance.now();

function fault(reason: string): void {
  faults.set(reason, (faults.get(reason) ?? 0) + 1);
}

/** One connection with at most one request under way. */
class Lane {
  private socket: Socket | undefined;
  private reader = new ResponseReader();
  private sentAt = 0;
  private busy = false;

  /** @param since when the request was due, in milliseconds */
  send(since: number): void {
    this.sentAt = since;
    this.busy = true;
    inFlight += 1;
    this.socket ??= this.open();
    this.socket.write(head);
  }

  private open(): Socket {
    this.reader = new ResponseReader((status) => {
      if (status < 200 || status > 299) fault(`answers with status ${status}`);
    });
    const socket = connect({
      host: '127.0.0.1',
      port: task.port,
      noDelay: true,
      onread: {
        buffer: Buffer.allocUnsafeSlow(READ_BUFFER_BYTES),
        callback: (bytes, buffer) => {
          this.receive(socket, Buffer.from(buffer.buffer, buffer.byteOffset, bytes));
          return true;
        },
      },
    });
    socket.on('error', (error: NodeJS.ErrnoException) => fault(`socket errors (${error.code ?? error.message})`));
    socket.on('close', () => this.closed(socket));
    return socket;
  }

  private receive(socket: Socket, bytes: Buffer): void {
    if (socket !== this.socket) return;
    let done: number;
    const before = this.reader.bodyBytes;
    try {
      done = this.reader.push(bytes);
      bodyBytes += this.reader.bodyBytes - before;
    } catch {
      fault('answers that could not be read');
      socket.destroy();
      return;
    }
    if (done === 0 || !this.busy) return;
    latencies.record((performance.now() - this.sentAt) * 1e3);
    if (task.close) {
      this.socket = undefined;
      socket.end();
    }
    this.ended(true);
  }

  private closed(socket: Socket): void {
    if (socket !== this.socket) return;
    this.socket = undefined;
    if (this.busy) {
      fault('connections closed before the answer');
      this.ended(false);
    }
  }

  private ended(counted: boolean): void {
    this.busy = false;
    inFlight -= 1;
    if (counted) completed += 1;
    if (stopping) {
      if (inFlight === 0) finish();
    } else if (task.rate === undefined) {
      // A failed connection waits a moment, so that a dead target does not become a busy loop.
      if (counted) this.send(performance.now());
      else setTimeout(() => (stopping ? undefined : this.send(performance.now())), 10);
    } else {
      const due = queue.shift();
      if (due === undefined) idle.push(this);
      else this.send(due);
    }
  }
}

function pace(rate: number): void {
  const now = performance.now();
  const due = Math.floor(((now - start) / 1e3) * rate);
  for (; sent < due; sent += 1) {
    const lane = idle.pop();
    if (lane !== undefined) lane.send(now);
    else if (open < task.connections) {
      open += 1;
      new Lane().send(now);
    } else queue.push(now);
  }
}

function finish(): void {
  if (finished) return;
  finished = true;
  if (queue.length > 0) fault('requests not sent in time');
  report({
    requests: completed,
    seconds: (performance.now() - start) / 1e3,
    bytes: bodyBytes,
    p50Micros: latencies.percentile(0.5),
    p99Micros: latencies.percentile(0.99),
    faults: [...faults]
      .map(([reason, count]) => `${count} ${reason}`)
      .concat(completed === 0 ? ['no request completed'] : []),
  });
  process.exit(0);
}

endWithParent();
if (task.rate === undefined) for (let lane = 0; lane < task.connections; lane += 1) new Lane().send(performance.now());
else setInterval(pace, PACE_MS, task.rate);
setTimeout(() => {
  stopping = true;
  if (inFlight === 0) finish();
  setTimeout(() => {
    fault('runs with answers still missing at the end');
    finish();
  }, DRAIN_MS);
}, task.seconds * 1e3);
