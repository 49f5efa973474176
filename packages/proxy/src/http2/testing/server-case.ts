import type { Http2Limits } from '../limits.js';
import type { RawFrames } from './raw-frames.js';
import { frame, uint32 } from './wire.js';

/** What a client sends behind its preface and SETTINGS, and what must come of it. */
export interface ServerCase {
  readonly name: string;
  readonly frames: readonly Buffer[];
  /** Code of the GOAWAY that ends the connection. */
  readonly goaway?: number;
  /** Code of the RST_STREAM that ends stream 1; the connection goes on. */
  readonly reset?: number;
  /** Streams that are answered with 128 bytes; the connection goes on. */
  readonly answered?: readonly number[];
  /** Anything else. */
  readonly check?: (seen: RawFrames) => boolean;
  /** How the violation is counted, where the code alone does not say enough. */
  readonly counted?: string;
  readonly limits?: Partial<Http2Limits>;
  /** Requests wait here, because nobody takes them. */
  readonly holds?: boolean;
}

type Field = readonly [name: string, value: string];

const [METHOD, SCHEME, PATH, AUTHORITY]: readonly Field[] = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'x'],
];
export const PSEUDO = { METHOD, SCHEME, PATH, AUTHORITY };
export const GET: readonly Field[] = [METHOD, SCHEME, PATH, AUTHORITY];
export const POST: readonly Field[] = [[':method', 'POST'], SCHEME, PATH, AUTHORITY];

/** Literals that no table takes up, with strings of less than 127 bytes. */
export function literals(...fields: readonly Field[]): Buffer {
  return Buffer.concat(
    fields.map(([name, value]) =>
      Buffer.concat([
        Buffer.from([0, name.length]),
        Buffer.from(name, 'latin1'),
        Buffer.from([value.length]),
        Buffer.from(value, 'latin1'),
      ]),
    ),
  );
}

export const END = 1;
export const ALL = 4;

export function headers(id: number, flags: number, ...fields: readonly Field[]): Buffer {
  return frame(1, flags, id, literals(...fields));
}

/** A complete request without a body. */
export function get(id: number, ...more: readonly Field[]): Buffer {
  return headers(id, END | ALL, ...GET, ...more);
}

/** The head of a request with a body. */
export function post(id: number, ...more: readonly Field[]): Buffer {
  return headers(id, ALL, ...POST, ...more);
}

export function data(id: number, content: string | Buffer, flags = END): Buffer {
  return frame(0, flags, id, Buffer.from(content as Buffer));
}

export function reset(id: number, code = 8): Buffer {
  return frame(3, 0, id, uint32(code));
}

export function windowUpdate(id: number, increment: number): Buffer {
  return frame(8, 0, id, uint32(increment));
}

export function setting(id: number, value: number): Buffer {
  return frame(4, 0, 0, Buffer.concat([Buffer.from([0, id]), uint32(value)]));
}

export function times(count: number, make: (i: number) => Buffer): Buffer[] {
  return Array.from({ length: count }, (_, i) => make(i));
}
