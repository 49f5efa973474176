/** Ends a body in chunks that has no trailers (RFC 9112, 7.1). */
const END = '0\r\n\r\n';

/**
 * A piece of a body as one chunk, in bytes of its own.
 * @param isLast the end of the body follows right behind it
 */
export function asChunk(buffer: Buffer, start: number, end: number, isLast: boolean): Buffer {
  const length = end - start;
  if (length === 0) return Buffer.from(isLast ? END : '', 'latin1');
  const head = `${length.toString(16)}\r\n`;
  const tail = isLast ? `\r\n${END}` : '\r\n';
  const chunk = Buffer.allocUnsafe(head.length + length + tail.length);
  chunk.write(head, 0, 'latin1');
  buffer.copy(chunk, head.length, start, end);
  chunk.write(tail, head.length + length, 'latin1');
  return chunk;
}

/** A piece of a body in bytes of its own: the buffer that it stands in is read into again. */
export function asCopy(buffer: Buffer, start: number, end: number): Buffer {
  const copy = Buffer.allocUnsafe(end - start);
  buffer.copy(copy, 0, start, end);
  return copy;
}
