import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { REQUEST_HEADERS, SERVICE } from './request-head.js';

const REQUEST_TIMEOUT_MS = 20_000;
/** Short beside any start time, long beside the cost of one attempt. */
const POLL_MS = 5;

/** One answer, its body reduced to length and digest. */
export interface Answer {
  readonly status: number;
  readonly bytes: number;
  readonly digest: string;
  /** The first 4 KiB of the body as text. */
  readonly text: string;
}

const KEPT_TEXT_CHARS = 4_096;

/** Fetches a path through a port of 127.0.0.1, on a connection of its own. */
export function fetchOnce(port: number, path: string, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request(
      {
        host: '127.0.0.1',
        port,
        path,
        agent: false,
        timeout: REQUEST_TIMEOUT_MS,
        headers: { Host: SERVICE, ...Object.fromEntries(REQUEST_HEADERS), ...headers },
      },
      (answer) => {
        const hash = createHash('sha256');
        let bytes = 0;
        let text = '';
        answer.on('data', (chunk: Buffer) => {
          hash.update(chunk);
          bytes += chunk.length;
          if (text.length < KEPT_TEXT_CHARS) text += chunk.toString('latin1', 0, KEPT_TEXT_CHARS);
        });
        answer.once('error', reject);
        answer.once('end', () => resolve({ status: answer.statusCode ?? 0, bytes, digest: hash.digest('hex'), text }));
      },
    );
    call.once('timeout', () => call.destroy(new Error(`no answer within ${REQUEST_TIMEOUT_MS} ms`)));
    call.once('error', reject);
    call.end();
  });
}

/**
 * Waits until a GET answers 200.
 *
 * @param ownName ask by the address instead of the name of the service behind a proxy
 *
 * @throws Error when the time is up or `alive` says that the process ended
 */
export async function waitForOk(
  port: number,
  path: string,
  timeoutMs: number,
  alive: () => boolean,
  ownName = false,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  let last = 'never tried';
  while (performance.now() < deadline) {
    if (!alive()) throw new Error('the process ended before it was ready');
    try {
      // The candidate's own name: an admin port refuses names that are not its own.
      const answer = await fetchOnce(port, path, ownName ? { Host: `127.0.0.1:${port}` } : {});
      if (answer.status === 200) return;
      last = `status ${answer.status}`;
    } catch (error) {
      last = String((error as Error).message);
    }
    await delay(POLL_MS);
  }
  throw new Error(`not ready within ${timeoutMs} ms (last attempt: ${last})`);
}
