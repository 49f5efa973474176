import type { Socket } from 'node:net';
import { Deadline } from '../../deadlines.js';
import type { Environment } from '../../environment.js';
import type { SocketOwner } from '../../socket-owner.js';
import { ConnectionError, ErrorCode, type ViolationKind } from '../error-codes.js';
import type { FrameReader } from '../frames/frame-reader.js';
import type { FrameWriter } from '../frames/frame-writer.js';
import { OutputBuffer, type OutputOwner } from '../frames/output-buffer.js';
import type { Http2Limits } from '../limits.js';
import { ConnectionTimes, Wait, type TimesOwner } from './connection-times.js';
import type { OutgoingData } from './outgoing-data.js';

/** The socket of an HTTP/2 connection: what is read and written, how long either may take, and how it ends. */
export abstract class Http2Transport extends Deadline implements OutputOwner, SocketOwner, TimesOwner {
  readonly limits: Http2Limits;
  readonly output: OutputBuffer;
  abstract readonly writer: FrameWriter;
  abstract readonly outgoing: OutgoingData;
  protected abstract readonly reader: FrameReader;
  protected readonly times: ConnectionTimes;
  /** The connection is over: nothing is read or written any more. */
  protected isGone = false;
  /** {@link FrameReader.completed} when the wait for the rest of a frame began; -1 while there is none. */
  #cutAfter = -1;

  constructor(
    protected readonly socket: Socket,
    protected readonly env: Environment,
  ) {
    super();
    this.limits = env.options.http2;
    this.output = new OutputBuffer(socket, env.outputPool, this, this.limits.maxUnsentBytes);
    this.times = new ConnectionTimes(this, env.deadlines);
  }

  /** Highest stream of the peer that was or may have been acted on, for GOAWAY. */
  protected abstract readonly lastStreamId: number;
  /** Ends all streams, which cannot go on. @param code what RST_STREAM would say if it could still be sent */
  protected abstract endStreams(code: ErrorCode, problem: string): void;
  /** The connection is over for the streams, all of which were told; what was written may still be on its way out. */
  protected abstract onGone(): void;

  // === the socket

  onData(chunk: Buffer): void {
    this.read(chunk, 0, chunk.length);
  }

  onEnd(): void {
    // Half-closed connections are of no use to HTTP/2: nothing can be acknowledged any more.
    this.destroy();
  }

  onDrain(): void {
    // the output has asked for a notice of its own
  }

  onError(_error: Error): void {
    // 'close' follows
  }

  onClose(): void {
    this.destroy();
  }

  /** Reads a chunk, which may be overwritten afterwards. */
  protected read(chunk: Buffer, start: number, end: number): void {
    if (this.isGone) return;
    try {
      this.reader.read(chunk, start, end);
      this.#watchFrame();
    } catch (error) {
      this.failWith(error);
    }
  }

  /** Ends the connection by what was thrown while something of the peer was looked at. */
  protected failWith(error: unknown): void {
    if (error instanceof ConnectionError) {
      this.countViolation(error.kind);
      this.fail(error.code, error.message);
    } else {
      this.env.logger.error({ error }, 'an HTTP/2 connection failed');
      this.fail(ErrorCode.internalError, 'internal error');
    }
  }

  /** A frame that has begun must end in time, because nothing else can pass meanwhile. */
  #watchFrame(): void {
    const { reader } = this;
    if (!reader.isWithinFrame) {
      if (this.#cutAfter === -1) return;
      this.#cutAfter = -1;
      this.times.settle(Wait.frame);
    } else if (this.#cutAfter !== reader.completed && !this.isGone) {
      this.#cutAfter = reader.completed;
      this.times.expect(Wait.frame, this.limits.headerTimeout);
    }
  }

  // === output

  outputDrained(): void {
    this.outgoing.serve();
  }

  outputOverflowed(): void {
    this.countViolation('unsent-bytes');
    this.destroy();
  }

  // === the end

  /** Ends the connection with GOAWAY (RFC 9113, 5.4.1). */
  protected fail(code: ErrorCode, problem: string): void {
    if (this.isGone) return;
    this.writer.goaway(this.lastStreamId, code, problem);
    this.finish(code, problem);
  }

  /**
   * Sends what was written, then the end. What the peer still sends is read and thrown away for a moment: closing with unread bytes
   * would reset the connection, and the reset may overtake what was written.
   */
  protected finish(code: ErrorCode, problem: string): void {
    if (this.isGone) return;
    this.output.finish();
    this.socket.end();
    this.#end(code, problem);
    const { lingerTimeout, responseIdleTimeout } = this.env.options;
    // The end of the last answers may have to wait for a slow peer; one that broke the rules is not waited for.
    const isUnsent = code === ErrorCode.noError && this.socket.writableLength > 0;
    if (!this.socket.destroyed) this.times.expect(Wait.linger, isUnsent ? responseIdleTimeout : lingerTimeout);
  }

  /** Ends everything at once. */
  destroy(): void {
    this.socket.destroy();
    if (!this.isGone) this.#end(ErrorCode.internalError, 'the connection is closed');
    this.times.stop();
    this.env.deadlines.remove(this);
  }

  expired(wait: Wait): void {
    if (wait === Wait.linger) this.destroy();
    else if (wait === Wait.settings) {
      this.countViolation('settings-timeout');
      this.fail(ErrorCode.settingsTimeout, 'our SETTINGS were not acknowledged in time');
    } else if (wait === Wait.frame) {
      this.countViolation('frame-timeout');
      this.fail(ErrorCode.protocolError, 'a frame took too long to be complete');
    }
  }

  override onDeadline(): void {
    // for the times of a role
  }

  protected countViolation(kind: ViolationKind): void {
    this.env.stats.http2Violations.count(kind);
  }

  #end(code: ErrorCode, problem: string): void {
    this.isGone = true;
    this.reader.stop();
    this.output.close();
    this.times.stop();
    this.endStreams(code, problem);
    this.onGone();
  }
}
