import { request, type Agent, type IncomingMessage } from 'node:http';

/** An answer of these tests takes milliseconds. */
const LONGEST_CALL_MS = 30_000;

export interface CallOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Buffer;
  /** `host:port` of the proxy: the request line then carries the whole URL, as clients with `http_proxy` write it. */
  readonly proxy?: string;
  readonly agent?: Agent;
}

export interface CallResult {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** One HTTP call, read to its end. */
export function call(url: string, options: CallOptions = {}): Promise<CallResult> {
  const { hostname, port, pathname, search, host } = new URL(url);
  const via = options.proxy === undefined ? undefined : new URL(`http://${options.proxy}`);
  return new Promise((resolve, reject) => {
    const outgoing = request({
      host: unbracketed(via?.hostname ?? hostname),
      port: via?.port ?? (port === '' ? 80 : port),
      method: options.method ?? 'GET',
      path: via === undefined ? pathname + search : url,
      headers: { host, ...options.headers } as Record<string, string | string[]>,
      agent: options.agent ?? false,
      signal: AbortSignal.timeout(LONGEST_CALL_MS),
    });
    outgoing.once('error', reject);
    outgoing.once('response', (incoming) => {
      const pieces: Buffer[] = [];
      incoming.on('data', (piece: Buffer) => pieces.push(piece));
      incoming.once('error', reject);
      incoming.once('end', () =>
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          body: Buffer.concat(pieces).toString(),
        }),
      );
    });
    outgoing.end(options.body);
  });
}

function unbracketed(hostname: string): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
}
