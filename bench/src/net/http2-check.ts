import { createHash } from 'node:crypto';
import { connect, type ClientHttp2Session, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http2';
import { setTimeout as delay } from 'node:timers/promises';
import type { Answer } from './http-check.js';

const CALL_TIMEOUT_MS = 20_000;
const POLL_MS = 5;
const KEPT_TEXT_CHARS = 4_096;
/** Large beside the large file's chunks, so that the check is not paced by windows. */
const WINDOW_BYTES = 16_777_216;

/** One call over HTTP/2 with prior knowledge. */
export interface Http2Call {
  readonly port: number;
  readonly authority: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

/** One answer; its trailers are empty when there were none. */
export interface Http2Answer extends Answer {
  readonly trailers: IncomingHttpHeaders;
}

/** Makes one call on a connection of its own. */
export function callOnce({ port, authority, path, headers, body }: Http2Call): Promise<Http2Answer> {
  return new Promise((resolve, reject) => {
    const session: ClientHttp2Session = connect(`http://127.0.0.1:${port}`, {
      settings: { initialWindowSize: WINDOW_BYTES, enablePush: false },
    });
    const fail = (error: Error): void => {
      session.destroy();
      reject(error);
    };
    session.once('error', fail);
    session.once('connect', () => session.setLocalWindowSize(WINDOW_BYTES));
    const head: OutgoingHttpHeaders = {
      ':method': body === undefined ? 'GET' : 'POST',
      ':authority': authority,
      ':path': path,
      ...headers,
    };
    const stream = session.request(head, { endStream: body === undefined });
    const hash = createHash('sha256');
    let status = 0;
    let bytes = 0;
    let text = '';
    let trailers: IncomingHttpHeaders = {};
    stream.setTimeout(CALL_TIMEOUT_MS, () => fail(new Error(`no answer within ${CALL_TIMEOUT_MS} ms`)));
    stream.once('response', (answer) => (status = answer[':status'] ?? 0));
    stream.once('trailers', (fields) => (trailers = fields));
    stream.on('data', (chunk: Buffer) => {
      hash.update(chunk);
      bytes += chunk.length;
      if (text.length < KEPT_TEXT_CHARS) text += chunk.toString('latin1', 0, KEPT_TEXT_CHARS);
    });
    stream.once('error', fail);
    stream.once('end', () => {
      session.close();
      resolve({ status, bytes, digest: hash.digest('hex'), text, trailers });
    });
    if (body !== undefined) stream.end(body);
  });
}

/**
 * Waits until a call answers 200.
 *
 * @throws Error when the time is up or `alive` says that the process ended
 */
export async function waitForHttp2Ok(call: Http2Call, timeoutMs: number, alive: () => boolean): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  let last = 'never tried';
  while (performance.now() < deadline) {
    if (!alive()) throw new Error('the process ended before it was ready');
    try {
      const { status } = await callOnce(call);
      if (status === 200) return;
      last = `status ${status}`;
    } catch (error) {
      last = String((error as Error).message);
    }
    await delay(POLL_MS);
  }
  throw new Error(`not ready within ${timeoutMs} ms (last attempt: ${last})`);
}
