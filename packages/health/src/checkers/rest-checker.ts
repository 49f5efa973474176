import { Agent } from 'node:http';
import type { Readable } from 'node:stream';
import { formatHostPort, type HealthChecker, type HealthResult, type LocalTarget } from '@mesher/core';
import { failureOf } from './failure-of.js';

/** From here on a server says itself that it is not well. */
const LOWEST_SERVER_ERROR = 500;

/** Asks by HTTP. Each check makes a connection of its own: whether one can be made is part of the question. */
export class RestChecker implements HealthChecker {
  readonly #agent = new Agent({ keepAlive: false });

  /** Some 100 ms on a busy machine, which only those spend who check by HTTP. */
  prepare(): Promise<unknown> {
    return import('axios');
  }

  async check(target: LocalTarget, signal: AbortSignal): Promise<HealthResult> {
    const { host, port, uri = '/', match } = target;
    const { default: axios } = await import('axios');
    try {
      const { status, data } = await axios.request<Readable>({
        url: `http://${formatHostPort({ host, port })}${uri}`,
        httpAgent: this.#agent,
        // The environment of the application names this very sidecar as its proxy.
        proxy: false,
        // Where a redirect leads is not the application any more.
        maxRedirects: 0,
        validateStatus: null,
        responseType: 'stream',
        headers: { 'user-agent': 'mesher-health-check', accept: '*/*' },
        signal,
      });
      if (isWrong(status, match.status)) {
        data.destroy();
        const expected = match.status === undefined ? '' : `, expected ${match.status}`;
        return { healthy: false, detail: `status ${status}${expected}` };
      }
      if (match.body === undefined) {
        data.destroy();
        return { healthy: true, detail: `status ${status}` };
      }
      const found = match.body.matches(await beginning(data, match.maxBody));
      return { healthy: found, detail: `status ${status}, the body ${found ? 'matches' : 'does not match'}` };
    } catch (error) {
      return failureOf(error);
    }
  }
}

function isWrong(status: number, expected: number | undefined): boolean {
  return expected === undefined ? status >= LOWEST_SERVER_ERROR : status !== expected;
}

/** The first `limit` bytes of a body as text; what follows is not waited for. */
async function beginning(body: Readable, limit: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Leaving the loop destroys the stream.
  for await (const chunk of body as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= limit) break;
  }
  return Buffer.concat(chunks).subarray(0, limit).toString('utf8');
}
