/** Frame types (RFC 9113, 6). */
export const FrameType = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export type FrameType = (typeof FrameType)[keyof typeof FrameType];

/** Frame flags (RFC 9113, 6); END_STREAM and ACK are the same bit in different types. */
export const Flag = { endStream: 0x01, ack: 0x01, endHeaders: 0x04, padded: 0x08, priority: 0x20 } as const;

/** Settings (RFC 9113, 6.5.2; RFC 8441, 3). */
export const Setting = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
  enableConnectProtocol: 8,
} as const;

/** Bytes of a frame header (RFC 9113, 4.1). */
export const FRAME_HEADER_BYTES = 9;
/** Depends-on and weight: the payload of PRIORITY, and a part of HEADERS with that flag (RFC 9113, 6.3). */
export const PRIORITY_BYTES = 5;
/** SETTINGS_MAX_FRAME_SIZE until the peer says otherwise, and the least that it may say (RFC 9113, 6.5.2). */
export const MIN_MAX_FRAME_BYTES = 16_384;
/** The most that SETTINGS_MAX_FRAME_SIZE may say. */
export const MAX_MAX_FRAME_BYTES = 0xff_ffff;
/** Highest stream id, and the reserved bit's complement. */
export const MAX_STREAM_ID = 0x7fff_ffff;

/** What a client sends first (RFC 9113, 3.4). */
export const CLIENT_PREFACE: Buffer = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** The unsigned 32-bit number at `at`. */
export function readUint32(buffer: Uint8Array, at: number): number {
  return ((buffer[at] << 24) | (buffer[at + 1] << 16) | (buffer[at + 2] << 8) | buffer[at + 3]) >>> 0;
}

/** The 31-bit number at `at`, without the reserved bit, which a receiver ignores (RFC 9113, 4.1). */
export function readUint31(buffer: Uint8Array, at: number): number {
  return ((buffer[at] & 0x7f) << 24) | (buffer[at + 1] << 16) | (buffer[at + 2] << 8) | buffer[at + 3];
}
