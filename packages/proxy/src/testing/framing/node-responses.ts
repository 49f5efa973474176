import { request, type IncomingMessage } from 'node:http';
import type { Reading } from './framed-message.js';
import { pairsOf } from './framed-message.js';
import { MemoryConnection } from './memory-connection.js';

/** Larger than any head that the tests make, so that size is never why the two parsers differ. */
const MAX_HEADER_SIZE = 1 << 20;

/** Reads one answer from bytes with the client of node:http, as strict as it comes. The connection ends behind the bytes. */
export async function readResponseWithNode(bytes: Buffer, isHead: boolean): Promise<Reading> {
  const connection = new MemoryConnection();
  let stopped: string | undefined;
  let answer: IncomingMessage | undefined;
  const chunks: Buffer[] = [];
  const call = request({
    createConnection: () => connection,
    method: isHead ? 'HEAD' : 'GET',
    insecureHTTPParser: false,
    maxHeaderSize: MAX_HEADER_SIZE,
  });
  call.maxHeadersCount = 0;
  call.on('response', (response) => {
    answer = response;
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('error', (error: NodeJS.ErrnoException) => (stopped ??= error.code ?? error.message));
  });
  call.on('error', (error: NodeJS.ErrnoException) => (stopped ??= error.code ?? error.message));
  call.on('upgrade', () => (stopped ??= 'upgrade'));
  call.end();
  connection.push(bytes);
  connection.push(null);
  // Streams and parser work in ticks of the process: all are over after a few turns of the event loop.
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
  connection.destroy();
  if (answer === undefined) return { messages: [], stopped };
  const message = {
    start: String(answer.statusCode),
    minorVersion: answer.httpVersionMinor,
    fields: pairsOf(answer.rawHeaders),
    body: Buffer.concat(chunks).toString('latin1'),
    trailers: pairsOf(answer.rawTrailers),
    complete: answer.complete,
  };
  return { messages: [message], stopped };
}
