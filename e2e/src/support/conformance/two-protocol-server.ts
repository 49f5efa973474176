import { createServer as createHttp1Server, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import {
  createServer as createHttp2Server,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import { createServer as createTcpServer, type Server as TcpServer, type Socket } from 'node:net';

/** How connections of HTTP/2 begin; no request of HTTP/1 does (RFC 9113, 3.4). */
const PREFACE = 'PRI * HTTP/2.0';

export interface TwoProtocolHandlers {
  http1(request: IncomingMessage, response: ServerResponse): void;
  http2(stream: ServerHttp2Stream, head: IncomingHttpHeaders): void;
}

/** A server of HTTP/1 and HTTP/2 at one port, as applications are that a sidecar knows under `rest` and under `grpc`. */
export class TwoProtocolServer {
  readonly #http1: Server;
  readonly #http2: Http2Server;
  readonly #tcp: TcpServer;
  readonly #sockets = new Set<Socket>();

  constructor(handlers: TwoProtocolHandlers) {
    this.#http1 = createHttp1Server((request, response) => handlers.http1(request, response));
    // Longer than any case: who closes first must not be a matter of luck.
    this.#http1.keepAliveTimeout = 60_000;
    this.#http2 = createHttp2Server();
    this.#http2.on('stream', (stream, head) => handlers.http2(stream, head));
    this.#tcp = createTcpServer((socket) => this.#accept(socket));
  }

  listen(port: number, host: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#tcp.once('error', reject);
      this.#tcp.listen(port, host, resolve);
    });
  }

  /** Breaks all connections and takes no more. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#tcp.close(resolve));
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.once('readable', () => {
      const first = socket.read() as Buffer | null;
      if (first === null) return;
      socket.unshift(first);
      const isHttp2 = first.toString('latin1', 0, PREFACE.length) === PREFACE;
      (isHttp2 ? this.#http2 : this.#http1).emit('connection', socket);
    });
  }
}
