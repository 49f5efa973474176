import { Http2Stream } from '../connection/http2-stream.js';
import type { OutgoingHead } from '../connection/attempt-stream.js';
import type { RequestReceiver } from '../connection/stream-users.js';
import type { HeaderBlock } from '../hpack/header-block.js';
import type { Http2ServerConnection } from './http2-server-connection.js';

/** A request of a client and the answer to it. */
export class ServerStream extends Http2Stream {
  declare connection: Http2ServerConnection;
  /** Undefined until the request was accepted. */
  receiver: RequestReceiver | undefined = undefined;
  /** The head of the final answer has been written. */
  hasAnswer = false;

  constructor(connection: Http2ServerConnection, id: number, contentLength: number) {
    super(connection.limits);
    this.attach(connection, id);
    this.contentLength = contentLength;
  }

  /** Address of the client without a port. */
  get remoteAddress(): string {
    return this.connection.remoteAddress;
  }

  /** The head of the final answer; with `endStream` all of it. */
  head({ block, edits, added }: OutgoingHead, endStream: boolean): void {
    if (this.isClosed || this.isLocalEnded) return;
    this.hasAnswer = true;
    this.writeHead(block, endStream, edits, added);
  }

  /** An interim answer (1xx). */
  interim(block: HeaderBlock): void {
    if (this.isClosed || this.isLocalEnded) return;
    this.writeHead(block, false, undefined, undefined);
  }

  /** The answer is complete, or about to be: nobody needs the rest of the request (RFC 9113, 8.1). */
  refuseRest(): void {
    if (!this.isRemoteEnded) this.endsBoth();
  }

  /** Calls `receiver.onTimeout` after a time; see `Deadlines.arm`. */
  arm(delayMs: number, latest: number = Infinity): void {
    if (!this.isClosed) this.connection.armStream(this, delayMs, latest);
  }

  override onDeadline(): void {
    this.receiver?.onTimeout();
  }

  /** The trailer section of the request. @returns false when the body was shorter than announced */
  trailersReceived(block: HeaderBlock): boolean {
    if (this.endsTooEarly) return false;
    this.isRemoteEnded = true;
    this.receiver?.onRequestTrailers(block);
    this.connection.closeIfDone(this);
    return true;
  }

  broken(_code: number, _byPeer: boolean, _problem: string): void {
    const { receiver } = this;
    this.receiver = undefined;
    receiver?.onClientGone();
  }

  protected dataReceived(buffer: Buffer, start: number, end: number, endStream: boolean): void {
    const { receiver } = this;
    // Without one the request was answered here, and nobody wants the rest of it.
    if (receiver === undefined) this.consumed(end - start);
    else receiver.onRequestData(buffer, start, end, endStream);
  }

  protected dataSent(bytes: number): void {
    this.receiver?.onAnswerSent(bytes);
  }
}
