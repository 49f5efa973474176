import type { Socket } from 'node:net';
import { NO_FAULT, type Fault } from './faults.js';

/** Bytes that are held before the sender has to wait. */
const MAX_HELD = 1024 * 1024;
/** Pieces per second of a throttled connection. */
const PIECES_PER_SECOND = 20;

/** What waits to be passed on: bytes, the end, or that the connection broke. */
interface Item {
  readonly what: Buffer | 'end' | 'break';
  readonly cameAt: number;
}

export interface PipeEvents {
  /** Bytes were passed on. */
  readonly onBytes: (count: number) => void;
  /** The fault has done something to the connection. */
  readonly onFault: () => void;
  /** Ends the whole connection. */
  readonly onCut: (how: 'close' | 'reset') => void;
}

/** One direction of a connection, with a fault that may change at any time. */
export class FaultPipe {
  readonly #queue: Item[] = [];
  #held = 0;
  #fault: Fault = NO_FAULT;
  /** Bytes that were passed on under the present fault. */
  #passed = 0;
  /** The fault has done its work: garbage was sent, or the end. */
  #isDone = false;
  #to: Socket | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** A throttled direction is quiet until then. */
  #quietUntil = 0;
  #isStopped = false;

  constructor(
    private readonly from: Socket,
    private readonly events: PipeEvents,
  ) {
    from.on('data', (bytes: Buffer) => this.#take(bytes));
    from.on('end', () => this.#take('end'));
    from.on('error', () => this.#take('break'));
    from.on('close', (hadError) => {
      // Closed without an end: it was destroyed on this side.
      if (!hadError && !from.readableEnded) this.#take('break');
    });
  }

  /** Where the bytes go, once that is there. */
  set to(socket: Socket) {
    this.#to = socket;
    socket.on('drain', () => this.#pump());
    this.#pump();
  }

  /** Held bytes are passed on as the new fault wants it. */
  set fault(fault: Fault) {
    this.#fault = fault;
    this.#passed = 0;
    this.#isDone = false;
    this.#pump();
  }

  /** Passes nothing on any more. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#queue.length = 0;
  }

  #take(what: Item['what']): void {
    if (this.#isStopped) return;
    this.#queue.push({ what, cameAt: performance.now() });
    if (typeof what !== 'string') this.#held += what.length;
    if (this.#held > MAX_HELD) this.from.pause();
    this.#pump();
  }

  #pump(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const to = this.#to;
    if (to === undefined || this.#isStopped) return;
    if (this.#fault.kind === 'half-close' && !this.#isDone) {
      this.#isDone = true;
      this.events.onFault();
      to.end();
    }
    while (this.#queue[0] !== undefined && !to.writableNeedDrain) {
      if (!this.#step(this.#queue[0], to)) return;
    }
  }

  /** Passes something on. @returns false when it has to wait */
  #step({ what, cameAt }: Item, to: Socket): boolean {
    const fault = this.#fault;
    const notBefore =
      fault.kind === 'delay' ? cameAt + fault.ms : fault.kind === 'throttle' ? this.#quietUntil : -Infinity;
    const wait = notBefore - performance.now();
    if (wait > 0) return this.#later(wait);
    if (fault.kind === 'silence') return false;
    if (typeof what === 'string') return this.#finish(what, to);
    switch (fault.kind) {
      case 'half-close':
        this.#drop(what.length);
        return true;
      case 'throttle':
        this.#quietUntil = performance.now() + 1_000 / PIECES_PER_SECOND;
        this.#write(to, what, Math.max(1, Math.floor(fault.bytesPerSecond / PIECES_PER_SECOND)));
        return true;
      case 'truncate':
        return this.#truncate(to, what, fault);
      case 'garbage':
        return this.#spoil(to, what, fault);
      default:
        this.#write(to, what, what.length);
        return true;
    }
  }

  #finish(what: 'end' | 'break', to: Socket): boolean {
    this.#queue.shift();
    if (what === 'end') to.end();
    else to.resetAndDestroy();
    return true;
  }

  #truncate(to: Socket, bytes: Buffer, fault: Fault & { kind: 'truncate' }): boolean {
    const left = fault.afterBytes - this.#passed;
    if (left > 0) this.#write(to, bytes, left);
    if (this.#passed < fault.afterBytes || this.#isDone) return this.#passed < fault.afterBytes;
    this.#isDone = true;
    this.events.onFault();
    if (fault.ending !== 'silence') this.events.onCut(fault.ending);
    return false;
  }

  #spoil(to: Socket, bytes: Buffer, fault: Fault & { kind: 'garbage' }): boolean {
    const left = fault.afterBytes - this.#passed;
    if (this.#isDone || left > 0) {
      this.#write(to, bytes, this.#isDone ? bytes.length : left);
      return true;
    }
    this.#isDone = true;
    this.events.onFault();
    to.write(fault.bytes);
    if (fault.how === 'replace') this.#drop(fault.bytes.length);
    return true;
  }

  /** Passes on as many bytes as that, at most, of the first piece. */
  #write(to: Socket, bytes: Buffer, count: number): void {
    const part = bytes.subarray(0, count);
    this.#drop(part.length);
    this.#passed += part.length;
    this.events.onBytes(part.length);
    to.write(part);
  }

  /** Takes bytes off the queue, of the first piece only. */
  #drop(count: number): void {
    const first = this.#queue.shift();
    if (first === undefined || typeof first.what === 'string') return;
    this.#held -= Math.min(count, first.what.length);
    if (count < first.what.length) this.#queue.unshift({ ...first, what: first.what.subarray(count) });
    if (this.#held <= MAX_HELD && this.from.isPaused()) this.from.resume();
  }

  #later(ms: number): false {
    this.#timer = setTimeout(() => this.#pump(), ms);
    this.#timer.unref();
    return false;
  }
}
