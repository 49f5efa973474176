import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, Server as SecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { RegistryError } from '../store/registry-error.js';
import type { Answer } from './call.js';

/** Largest body that service-center reads. */
const MAX_BODY_BYTES = 2 * 1024 * 1024;

/** For targets of requests, which are paths mostly. */
const BASE = 'http://registry';

/** Certificate and key, as PEM; with `ca`, clients have to show a certificate of it. */
export interface ListenerTls {
  readonly cert: string;
  readonly key: string;
  readonly ca?: string;
  readonly requestCert?: boolean;
}

/** A request with its whole body. */
export interface Asked {
  /** Address of who asks. */
  readonly peer: string;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

/** What is sent as it is, whatever the API would say. */
export interface RawAnswer {
  readonly status: number;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * An HTTP server over one function, with TLS or without.
 * @param answer may throw a RegistryError
 */
export function createListener(
  answer: (asked: Asked, response: ServerResponse) => Promise<Answer | RawAnswer>,
  tls?: ListenerTls,
): Server {
  const listener = (request: IncomingMessage, response: ServerResponse): void => void serve(request, response, answer);
  return tls === undefined ? createServer(listener) : createSecureServer(tls, listener);
}

/** @throws Error for a server without TLS */
export function renewTls(server: Server, tls: ListenerTls): void {
  if (!(server instanceof SecureServer)) throw new Error('this server was started without TLS');
  server.setSecureContext(tls);
}

export async function listen(server: Server, port: number, host: string): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return (server.address() as AddressInfo).port;
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  answer: (asked: Asked, response: ServerResponse) => Promise<Answer | RawAnswer>,
): Promise<void> {
  try {
    const text = await readBody(request);
    send(response, await answer({ ...headOf(request), text }, response));
  } catch (error) {
    if (response.destroyed || response.headersSent) return;
    const refusal = error instanceof RegistryError ? error : new RegistryError(500003, String(error));
    send(response, { status: refusal.status, body: refusal.toJSON() });
  }
}

/** What is known of a request before its body. @throws RegistryError 400001 for a target that is none, such as `//` */
export function headOf({ url = '/', method = 'GET', headers, socket }: IncomingMessage): Omit<Asked, 'text'> {
  if (!URL.canParse(url, BASE)) throw new RegistryError(400001, 'the target of the request is none');
  const { pathname, searchParams } = new URL(url, BASE);
  return { method, path: pathname, query: searchParams, headers, peer: socket.remoteAddress ?? '' };
}

function send(response: ServerResponse, { status = 200, body, headers }: Answer | RawAnswer): void {
  const isText = body === undefined || typeof body === 'string';
  // Before the head is sent: an answer that cannot be written, because it is too long for a text, is a failure like any other.
  const text = isText ? (body ?? '') : JSON.stringify(body);
  const type = `${isText ? 'text/plain' : 'application/json'}; charset=UTF-8`;
  response.writeHead(status, { 'content-type': type, ...headers }).end(text);
}

/** @throws RegistryError 400001 for one that is too large */
async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) throw new RegistryError(400001, 'http: request body too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
