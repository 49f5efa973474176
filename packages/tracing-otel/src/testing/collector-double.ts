import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readJaegerBatch } from './read-jaeger.js';
import { readOtlp } from './read-otlp.js';
import { readZipkin } from './read-zipkin.js';

/** A span as a collector got it, whichever way. */
export interface CollectedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for the first span of a trace. */
  readonly parentSpanId: string;
  /** `server` or `client`. */
  readonly kind: string;
  readonly name: string;
  readonly service: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly events: readonly string[];
  readonly isError: boolean;
  /** Microseconds since 1970. */
  readonly startUs: number;
  readonly durationUs: number;
}

/** What a collector does with a batch: a status, or nothing at all. */
export type CollectorMood = number | 'silent';

/** A collector in this process, for OTLP over HTTP with JSON (`/v1/traces`), Zipkin (`/api/v2/spans`) and Jaeger (`/api/traces`). */
export class CollectorDouble {
  readonly spans: CollectedSpan[] = [];
  /** Requests, whatever became of them. */
  requests = 0;
  /** Of the last request. */
  authorization: string | undefined;
  mood: CollectorMood = 202;
  #tell: (() => void)[] = [];

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  static async start(port = 0): Promise<CollectorDouble> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
    const double = new CollectorDouble(server, (server.address() as AddressInfo).port);
    server.on('request', (request, response) => void double.#serve(request, response));
    return double;
  }

  get otlpUri(): string {
    return `http://127.0.0.1:${this.port}/v1/traces`;
  }

  get zipkinUri(): string {
    return `http://127.0.0.1:${this.port}/api/v2/spans`;
  }

  get jaegerUri(): string {
    return `http://127.0.0.1:${this.port}/api/traces`;
  }

  /** Resolves with all spans as soon as there are so many. */
  async atLeast(count: number): Promise<readonly CollectedSpan[]> {
    while (this.spans.length < count) await this.nextRequest();
    return this.spans;
  }

  /** Resolves with the next request. */
  nextRequest(): Promise<void> {
    return new Promise((resolve) => this.#tell.push(resolve));
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    this.requests++;
    this.authorization = request.headers.authorization;
    const isTaken = this.mood !== 'silent' && this.mood < 300;
    if (isTaken) this.spans.push(...readBody(request.url, Buffer.concat(pieces)));
    if (this.mood !== 'silent') response.writeHead(this.mood, { 'content-type': 'application/json' }).end('{}');
    for (const tell of this.#tell.splice(0)) tell();
  }
}

function readBody(path: string | undefined, body: Buffer): CollectedSpan[] {
  if (path === '/api/traces') return readJaegerBatch(body);
  const parsed: unknown = JSON.parse(body.toString());
  return path === '/api/v2/spans' ? readZipkin(parsed) : readOtlp(parsed);
}
