import type { IncomingMessage } from 'node:http';
import type { GuardedRequest } from './request-guard.js';

/** Fields that an inbound sidecar adds: without declared service ports a caller can name any local port, this one too. */
const FORWARDED_FIELDS = ['x-mesher-hop', 'x-forwarded-host', 'x-forwarded-port'] as const;

/** What the guard looks at, of a request of `node:http`. */
export function guardedRequest(request: IncomingMessage): GuardedRequest {
  return {
    method: request.method ?? '',
    target: request.url ?? '',
    host: request.headers.host,
    origin: request.headers.origin,
    secFetchSite: headerText(request, 'sec-fetch-site'),
    forwarded: FORWARDED_FIELDS.some((name) => request.headers[name] !== undefined),
    localAddress: request.socket.localAddress ?? '',
  };
}

function headerText(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}
