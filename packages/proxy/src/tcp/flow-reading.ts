import { Socket } from 'node:net';
import type { ReadBuffers } from '../upstream/read-buffers.js';
import { FlowBuffer } from './flow-buffer.js';

/** Bytes that Node reads at once. A chunk of this size says that more was there. */
export const FULL_READ = 65_536;

/** The fields in which Node keeps the buffer of `onread` and who is told of what it holds. */
interface ReadingFields {
  readonly buffer: symbol;
  readonly callback: symbol;
  readonly nextBuffer: symbol;
}

const FIELDS = findFields();

/** A socket of which nobody knows how it is made inside. */
interface Inside {
  readonly _handle?: { useUserBuffer?(buffer: Buffer): void } | null;
  [field: symbol]: unknown;
}

/**
 * Has an accepted socket read into a buffer that is used again, for the rest of its life, instead of emitting 'data'. Dialled sockets are
 * made so (`onread`); Node offers no such way for accepted ones, so this sets the fields that `onread` sets. Where they are missing nothing
 * changes, and uploads cost about twice the CPU.
 * @param onBytes tells whether to go on at once; otherwise `socket.resume()` does, and nothing may refer to the bytes by then
 * @returns the buffer; undefined when the socket goes on emitting 'data'
 */
export function readFlow(
  socket: Socket,
  pool: ReadBuffers,
  onBytes: (bytes: Buffer) => boolean,
): FlowBuffer | undefined {
  const inside = socket as unknown as Inside;
  const handle = inside._handle;
  if (FIELDS === undefined || socket.destroyed || socket.readableLength > 0) return undefined;
  if (typeof handle?.useUserBuffer !== 'function') return undefined;
  const flow = new FlowBuffer(pool, true);
  handle.useUserBuffer(flow.bytes);
  inside[FIELDS.buffer] = flow.bytes;
  inside[FIELDS.nextBuffer] = () => flow.bytes;
  inside[FIELDS.callback] = (length: number): boolean => {
    const goesOn = onBytes(flow.first(length));
    flow.adapt(length, !goesOn);
    return goesOn;
  };
  return flow;
}

function findFields(): ReadingFields | undefined {
  // Documented for sockets, and missing in their types.
  const options: object = { onread: { buffer: new Uint8Array(1), callback: () => true } };
  const probe = new Socket(options);
  const symbols = Object.getOwnPropertySymbols(probe);
  const find = (name: string): symbol | undefined => symbols.find(({ description }) => description === name);
  const buffer = find('kBuffer');
  const callback = find('kBufferCb');
  const nextBuffer = find('kBufferGen');
  if (buffer === undefined || callback === undefined || nextBuffer === undefined) return undefined;
  return { buffer, callback, nextBuffer };
}
