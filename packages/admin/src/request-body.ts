import type { IncomingMessage } from 'node:http';

/**
 * Reads a request body to its end, so that the connection can be used again; stops at `maxBytes`.
 * @returns `too-large` when there is more (the connection must be closed after the answer), `gone` when the client left
 */
export function readRequestBody(
  request: IncomingMessage,
  maxBytes: number,
): Promise<{ readonly text: string } | 'too-large' | 'gone'> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) return Promise.resolve('too-large');
  return new Promise((resolve) => {
    const pieces: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= maxBytes) {
        pieces.push(chunk);
        return;
      }
      request.pause();
      resolve('too-large');
    });
    request.on('end', () => resolve({ text: Buffer.concat(pieces).toString('utf8') }));
    request.on('error', () => resolve('gone'));
    request.on('close', () => resolve('gone'));
  });
}
