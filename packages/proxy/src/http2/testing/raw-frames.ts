import { FrameType, readUint31, readUint32 } from '../frames/frame-format.js';

/** A frame as it was on the wire. */
export interface RawFrame {
  readonly type: number;
  readonly flags: number;
  readonly id: number;
  readonly payload: Buffer;
}

/** Cuts bytes into frames, without any judgement. */
export class RawFrames {
  readonly frames: RawFrame[] = [];
  #rest = Buffer.alloc(0);

  add(bytes: Buffer): void {
    let rest = Buffer.concat([this.#rest, bytes]);
    while (rest.length >= 9) {
      const length = rest.readUIntBE(0, 3);
      if (rest.length < 9 + length) break;
      this.frames.push({
        type: rest[3],
        flags: rest[4],
        id: readUint31(rest, 5),
        payload: rest.subarray(9, 9 + length),
      });
      rest = rest.subarray(9 + length);
    }
    this.#rest = rest;
  }

  of(type: number, id: number): RawFrame[] {
    return this.frames.filter((frame) => frame.type === type && frame.id === id);
  }

  /** Codes of the GOAWAY frames. */
  get goaways(): number[] {
    return this.of(FrameType.goaway, 0).map(({ payload }) => readUint32(payload, 4));
  }

  /** Code of the RST_STREAM of a stream. */
  resetOf(id: number): number | undefined {
    const [frame] = this.of(FrameType.rstStream, id);
    return frame === undefined ? undefined : readUint32(frame.payload, 0);
  }

  /** Lengths of the DATA frames of a stream. */
  dataOf(id: number): number[] {
    return this.of(FrameType.data, id).map(({ payload }) => payload.length);
  }

  isAnswered(id: number): boolean {
    return this.of(FrameType.headers, id).length > 0;
  }

  /** True when the peer has ended the stream. */
  isEnded(id: number): boolean {
    return this.frames.some(({ type, flags, id: of }) => of === id && type <= FrameType.headers && (flags & 1) === 1);
  }
}
