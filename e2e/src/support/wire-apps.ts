import { createServer as createH2cServer, type Http2Server, type ServerHttp2Session } from 'node:http2';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Servers of other protocols than HTTP/1, in the process of the test: what they do with a connection is all that matters. */
export class TcpApp {
  readonly #sockets = new Set<Socket>();

  private constructor(private readonly server: Server) {
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      socket.on('error', () => socket.destroy());
    });
  }

  /** Says one thing and ends, whatever it hears. */
  static async start(says: string): Promise<TcpApp> {
    return await TcpApp.serving((socket) => socket.once('data', () => socket.end(says)));
  }

  static async serving(serve: (socket: Socket) => unknown): Promise<TcpApp> {
    const server = createServer({ allowHalfOpen: true }, (socket) => void serve(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new TcpApp(server);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get openConnections(): number {
    return this.#sockets.size;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** An HTTP/2 server without TLS. */
export class H2cApp {
  readonly #sessions = new Set<ServerHttp2Session>();

  private constructor(private readonly server: Http2Server) {
    server.on('session', (session) => {
      this.#sessions.add(session);
      session.once('close', () => this.#sessions.delete(session));
    });
  }

  /** Answers once it has read the whole request: what a client still does wrong in it is not overtaken by the answer. */
  static async start(says: string): Promise<H2cApp> {
    const server = createH2cServer((request, response) => request.once('end', () => response.end(says)).resume());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new H2cApp(server);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    // Sidecars keep their connections for the next call.
    for (const session of this.#sessions) session.destroy();
    await closed;
  }
}

/** Sends bytes over a new connection, ends its side, and gives back all that came before the other side ended. */
export function converse(address: string, bytes: string): Promise<string> {
  const [host, port] = address.split(':');
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port), allowHalfOpen: true });
    let text = '';
    socket.setEncoding('utf8').on('data', (piece: string) => (text += piece));
    socket.once('error', reject);
    socket.once('end', () => {
      socket.destroy();
      resolve(text);
    });
    socket.end(bytes);
  });
}
