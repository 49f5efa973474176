import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { AgentError } from './agent-error.js';

/** A request with its whole body. */
export interface Asked {
  readonly method: string;
  /** Without the query, as it came. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** What is sent; a text as it is, anything else as JSON. */
export interface Answer {
  readonly status?: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Answers one request; `gone` aborts when its connection is closed before. */
export type Answerer = (asked: Asked, gone: AbortSignal) => Promise<Answer>;

/** An HTTP server over one function, which may throw an AgentError. */
export function createListener(answer: Answerer): Server {
  return createServer((request, response) => void serve(request, response, answer));
}

/** @returns the port. @throws the error of the socket when the port cannot be had */
export async function listen(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
  return (server.address() as AddressInfo).port;
}

async function serve(request: IncomingMessage, response: ServerResponse, answer: Answerer): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  try {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://consul');
    const text = await readBody(request);
    const asked = {
      method: request.method ?? 'GET',
      path: pathname,
      query: searchParams,
      headers: request.headers,
      text,
    };
    send(response, await answer(asked, gone.signal));
  } catch (error) {
    const { status, message } = error instanceof AgentError ? error : new AgentError(500, String(error));
    send(response, { status, body: message });
  }
}

function send(response: ServerResponse, { status = 200, body, headers }: Answer): void {
  if (response.destroyed) return;
  if (body === undefined) response.writeHead(status, headers).end();
  else if (typeof body === 'string') {
    response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...headers }).end(body);
  } else response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
