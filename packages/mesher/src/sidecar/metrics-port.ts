import { BoundedServer } from '@mesher/admin';
import type { Logger, MetricsPage, Timers } from '@mesher/core';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { LoopbackGuard } from './loopback-guard.js';

export interface MetricsPortParts {
  readonly host: string;
  readonly port: number;
  /** That of /metrics of the admin port. */
  readonly page: Pick<MetricsPage, 'render'>;
  readonly timers: Timers;
  readonly logger: Logger;
}

/**
 * A port that answers every path with the metrics, as netramesh's does: for a Prometheus on another machine, which the admin port would
 * have to let drain this sidecar, too. It listens once `listen()` is called.
 */
export function makeMetricsPort({ host, port, page, timers, logger }: MetricsPortParts): BoundedServer {
  const guard = new LoopbackGuard(host);
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    request.resume();
    const refusal = guard.check(request);
    if (refusal !== undefined) return send(request, response, refusal.status, TEXT, refusal.text);
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      return send(request, response, 405, TEXT, 'Metrics are read with GET.\n');
    }
    const { contentType, body } = await page.render();
    send(request, response, 200, contentType, body);
  };
  return new BoundedServer(answer, { name: 'the metrics port', host, port }, timers, logger);
}

const TEXT = 'text/plain; charset=utf-8';

function send(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  contentType: string,
  body: string,
): void {
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    // A body that nobody reads would keep the connection waiting.
    ...(request.complete ? {} : { connection: 'close' }),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}
