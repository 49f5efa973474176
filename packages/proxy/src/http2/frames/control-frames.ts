import { ConnectionError, ErrorCode } from '../error-codes.js';
import { Flag, FrameType, PRIORITY_BYTES, readUint31, readUint32 } from './frame-format.js';
import type { FrameSink } from './frame-sink.js';
import { readSettings } from './settings-payload.js';

/** Payload of RST_STREAM and WINDOW_UPDATE. */
const CODE_BYTES = 4;
const PING_BYTES = 8;
/** Payload of GOAWAY without debug data. */
const GOAWAY_BYTES = 8;

/** A frame whose length its type does not allow (RFC 9113, 4.2). */
export function frameSizeError(frame: string): ConnectionError {
  return new ConnectionError(ErrorCode.frameSizeError, `${frame} of a wrong length`);
}

export function protocolError(problem: string): ConnectionError {
  return new ConnectionError(ErrorCode.protocolError, problem);
}

function readPriority(streamId: number, buffer: Buffer, start: number, length: number, sink: FrameSink): void {
  if (streamId === 0) throw protocolError('PRIORITY on stream 0');
  if (length !== PRIORITY_BYTES) {
    sink.streamError(streamId, ErrorCode.frameSizeError, 'PRIORITY of a wrong length');
  } else if (readUint31(buffer, start) === streamId) {
    sink.streamError(streamId, ErrorCode.protocolError, 'a stream that depends on itself');
  } else sink.ignored(streamId, FrameType.priority);
}

function readWindowUpdate(streamId: number, buffer: Buffer, start: number, length: number, sink: FrameSink): void {
  if (length !== CODE_BYTES) throw frameSizeError('WINDOW_UPDATE');
  const increment = readUint31(buffer, start);
  if (increment > 0) sink.windowUpdate(streamId, increment);
  else if (streamId === 0) throw protocolError('WINDOW_UPDATE of 0');
  else sink.streamError(streamId, ErrorCode.protocolError, 'WINDOW_UPDATE of 0');
}

/**
 * Reads a complete frame that is neither DATA nor part of a header block (RFC 9113, 6).
 * @throws ConnectionError when the connection has to end with its code
 */
export function readControlFrame(
  type: number,
  flags: number,
  streamId: number,
  buffer: Buffer,
  start: number,
  length: number,
  sink: FrameSink,
): void {
  switch (type) {
    case FrameType.priority:
      return readPriority(streamId, buffer, start, length, sink);
    case FrameType.rstStream:
      if (streamId === 0) throw protocolError('RST_STREAM on stream 0');
      if (length !== CODE_BYTES) throw frameSizeError('RST_STREAM');
      return sink.reset(streamId, readUint32(buffer, start));
    case FrameType.settings:
      if (streamId !== 0) throw protocolError('SETTINGS on a stream');
      return readSettings(flags, buffer, start, length, sink);
    case FrameType.pushPromise:
      // A client may not send it, and a server only when we allow it, which we never do (RFC 9113, 8.4).
      throw protocolError('PUSH_PROMISE');
    case FrameType.ping:
      if (streamId !== 0) throw protocolError('PING on a stream');
      if (length !== PING_BYTES) throw frameSizeError('PING');
      return sink.ping(buffer, start, (flags & Flag.ack) !== 0);
    case FrameType.goaway:
      if (streamId !== 0) throw protocolError('GOAWAY on a stream');
      if (length < GOAWAY_BYTES) throw frameSizeError('GOAWAY');
      return sink.goaway(
        readUint31(buffer, start),
        readUint32(buffer, start + 4),
        buffer,
        start + GOAWAY_BYTES,
        start + length,
      );
    case FrameType.windowUpdate:
      return readWindowUpdate(streamId, buffer, start, length, sink);
    default:
      return sink.ignored(streamId, type);
  }
}
