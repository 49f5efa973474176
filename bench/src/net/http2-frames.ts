/** Types of frames that the bench looks at (RFC 9113, section 6). */
export const FRAME = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
} as const;

export const END_STREAM = 1;
export const END_HEADERS = 4;
export const ACK = 1;
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
/** Setting that says how much may be sent on each stream at first (RFC 9113, section 6.5.2). */
export const INITIAL_WINDOW_SIZE = 4;
/** Setting that bounds the table of the other side's HPACK encoder. */
export const HEADER_TABLE_SIZE = 1;
/** What every window holds until somebody says otherwise. */
export const DEFAULT_WINDOW = 65_535;

const HEAD_BYTES = 9;
const SETTING_BYTES = 6;

/** A frame in its buffer: the payload is `bytes[start..end)` and must not be kept. */
export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

/**
 * Cuts the bytes of one connection into frames. It believes its peer: the bench talks to programs under test over loopback, and
 * checks their answers, not their manners.
 */
export class FrameCutter {
  private rest: Buffer | undefined;

  /** @param preface bytes to be skipped first: what a client says before its first frame */
  constructor(private preface = 0) {}

  /** Takes the next bytes and tells of each frame that they complete. */
  push(chunk: Buffer, take: (frame: Frame) => void): void {
    const bytes = this.rest === undefined ? chunk : Buffer.concat([this.rest, chunk]);
    let at = 0;
    if (this.preface > 0) {
      at = Math.min(this.preface, bytes.length);
      this.preface -= at;
    }
    while (bytes.length - at >= HEAD_BYTES) {
      const start = at + HEAD_BYTES;
      const end = start + bytes.readUIntBE(at, 3);
      if (end > bytes.length) break;
      const type = bytes[at + 3] ?? 0;
      take({ type, flags: bytes[at + 4] ?? 0, stream: bytes.readUInt32BE(at + 5) & 0x7fffffff, bytes, start, end });
      at = end;
    }
    this.rest = at === bytes.length ? undefined : Buffer.from(bytes.subarray(at));
  }
}

/** The frame as bytes. */
export function frame(type: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

export function windowUpdate(stream: number, bytes: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(bytes);
  return frame(FRAME.windowUpdate, 0, stream, payload);
}

/** The value of a setting, or undefined when the frame does not name it. */
export function settingOf({ bytes, start, end }: Frame, wanted: number): number | undefined {
  for (let at = start; at + SETTING_BYTES <= end; at += SETTING_BYTES) {
    if (bytes.readUInt16BE(at) === wanted) return bytes.readUInt32BE(at + 2);
  }
  return undefined;
}

/** A header field that uses no table and no Huffman code (RFC 7541, section 6.2.2): every peer reads it alike. */
export function literalField(name: string, value: string): Buffer {
  const text = (content: string): Buffer => {
    if (content.length > 126) throw new Error(`too long for one byte of length: ${content}`);
    return Buffer.concat([Buffer.from([content.length]), Buffer.from(content, 'latin1')]);
  };
  return Buffer.concat([Buffer.from([0]), text(name), text(value)]);
}
