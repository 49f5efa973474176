/** The service that the requests are addressed to; the sidecar looks it up in its registry, the peers pass it on. */
export const SERVICE = 'upstream';

/**
 * The headers of every measured request besides Host: with request line and Host about 430 bytes, which is what a call
 * between services with a token and a trace looks like. The token is made up.
 */
export const REQUEST_HEADERS: readonly (readonly [string, string])[] = [
  ['User-Agent', 'orders-service/2.4.1 (bench; linux)'],
  ['Accept', 'application/json, text/plain;q=0.9, */*;q=0.8'],
  ['Accept-Encoding', 'gzip, deflate, br'],
  ['Authorization', `Bearer ${'not-a-real-token.'.repeat(8)}abcdefghijklmnopqrstuvwxyz0123456789abcdefgh`],
  ['traceparent', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'],
];

/** The whole head of a GET. */
export function requestHead(path: string, close = false): Buffer {
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: ${SERVICE}`,
    ...REQUEST_HEADERS.map(([name, value]) => `${name}: ${value}`),
  ];
  if (close) lines.push('Connection: close');
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}
