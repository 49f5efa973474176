import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { pairsOf, type FramedMessage, type Reading } from './framed-message.js';
import { MemoryConnection } from './memory-connection.js';

/** Larger than any head that the tests make, so that size is never why the two parsers differ. */
const MAX_HEADER_SIZE = 1 << 20;

interface OpenReading {
  messages: { message: FramedMessage; chunks: Buffer[]; request: IncomingMessage }[];
  stopped: string | undefined;
}

/** Reads requests from bytes with the parser of node:http, as strict as it comes. */
export class NodeRequests {
  readonly #server: Server;
  readonly #readings = new WeakMap<object, OpenReading>();

  constructor() {
    this.#server = createServer(
      {
        insecureHTTPParser: false,
        // Ours decides about Host before it opens an exchange; here only the framing counts.
        requireHostHeader: false,
        maxHeaderSize: MAX_HEADER_SIZE,
        keepAliveTimeout: 0,
        requestTimeout: 0,
        headersTimeout: 0,
      },
      (request, response) => this.#onRequest(request, response),
    );
    this.#server.maxHeadersCount = 0;
    this.#server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) =>
      this.#onRequest(request, response),
    );
    this.#server.on('connect', (request: IncomingMessage) => {
      this.#record(request);
      const reading = this.#readings.get(request.socket);
      if (reading !== undefined) reading.stopped = 'close';
    });
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
      const reading = this.#readings.get(socket);
      if (reading !== undefined) reading.stopped ??= error.code ?? error.message;
      socket.destroy();
    });
  }

  async read(bytes: Buffer): Promise<Reading> {
    const connection = new MemoryConnection();
    const reading: OpenReading = { messages: [], stopped: undefined };
    this.#readings.set(connection, reading);
    connection.on('error', () => undefined);
    this.#server.emit('connection', connection);
    connection.push(bytes);
    // Streams and parser work in ticks of the process: all are over after a turn of the event loop.
    for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
    const messages = reading.messages.map(({ message, chunks, request }) => ({
      ...message,
      body: Buffer.concat(chunks).toString('latin1'),
      trailers: pairsOf(request.rawTrailers),
      complete: request.complete,
    }));
    connection.destroy();
    return { messages, stopped: reading.stopped };
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    const chunks = this.#record(request);
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => response.end());
    request.on('error', () => undefined);
  }

  /** @returns the list to which the pieces of the body are added */
  #record(request: IncomingMessage): Buffer[] {
    const chunks: Buffer[] = [];
    const message: FramedMessage = {
      start: `${request.method} ${request.url}`,
      minorVersion: request.httpVersionMinor,
      fields: pairsOf(request.rawHeaders),
      body: '',
      trailers: [],
      complete: false,
    };
    this.#readings.get(request.socket)?.messages.push({ message, chunks, request });
    return chunks;
  }
}
