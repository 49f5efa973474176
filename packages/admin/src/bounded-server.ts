import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { MeshError, type Logger, type Timers } from '@mesher/core';
import { ADMIN_LIMITS, SLOW_REQUEST_CHECK_MS, type AdminLimits } from './defaults.js';

export interface BoundedServerOptions {
  /** What the port is for, as messages say it: `the admin port`. */
  readonly name: string;
  /** Address to listen at, without brackets. */
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Those left out are as in {@link ADMIN_LIMITS}. */
  readonly limits?: Partial<AdminLimits>;
}

/** Where a server listens. */
export interface AdminAddress {
  readonly host: string;
  readonly port: number;
  /** `http://127.0.0.1:30102` */
  readonly url: string;
}

/** Answers a request; what it throws ends the connection. */
export type RequestAnswerer = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** An HTTP server beside the data path, with `node:http`: bounded in connections, sizes and times, so that nobody can fill it up. */
export class BoundedServer {
  readonly #server: Server;
  readonly #connections = new Set<Socket>();
  readonly #limits: AdminLimits;
  #listening: Promise<AdminAddress> | undefined;
  #closing: Promise<void> | undefined;

  constructor(
    private readonly answer: RequestAnswerer,
    private readonly options: BoundedServerOptions,
    private readonly timers: Timers,
    private readonly logger: Logger,
  ) {
    this.#limits = { ...ADMIN_LIMITS, ...options.limits };
    this.#server = createBoundedServer(this.#limits, (request, response) => {
      this.answer(request, response).catch((error: unknown) => {
        this.logger.error({ route: request.url, error }, `an answer of ${options.name} could not be sent`);
        response.destroy();
      });
    });
    this.#server.on('connection', (socket) => this.#admit(socket));
  }

  /** True from the moment when it begins to close: answers should say `connection: close`. */
  get isClosing(): boolean {
    return this.#closing !== undefined;
  }

  /**
   * Begins to listen.
   * @throws MeshError `MESH_ERR_ADMIN_LISTEN` when the address cannot be used; `cause` is the error of the system (`EADDRINUSE`)
   */
  listen(): Promise<AdminAddress> {
    this.#listening ??= this.#listen();
    return this.#listening;
  }

  /** Stops listening and closes idle connections at once, busy ones when they are answered or the bound is over. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #listen(): Promise<AdminAddress> {
    const { host, name, port: wanted } = this.options;
    return new Promise((resolve, reject) => {
      const fail = (cause: Error): void => {
        const text = `${name} cannot listen at ${host}:${wanted}: ${cause.message}`;
        reject(new MeshError('MESH_ERR_ADMIN_LISTEN', text, { cause }));
      };
      this.#server.once('error', fail);
      this.#server.listen({ host, port: wanted }, () => {
        this.#server.off('error', fail);
        // From now on only accepting can fail (too many open files); that must not end the process.
        this.#server.on('error', (error) => this.logger.warn({ error }, `${name} could not accept a connection`));
        const address = this.#server.address();
        const port = typeof address === 'object' && address !== null ? address.port : wanted;
        resolve({ host, port, url: `http://${host.includes(':') ? `[${host}]` : host}:${port}` });
      });
    });
  }

  async #close(): Promise<void> {
    // The address is looked up first: a server that is closed before that listens afterwards.
    if (!this.#server.listening) await this.#listening?.catch(() => undefined);
    await new Promise<void>((resolve) => {
      const bound = this.timers.after(this.#limits.closeTimeoutMs, () => this.#server.closeAllConnections());
      this.#server.close(() => {
        bound.cancel();
        resolve();
      });
      this.#server.closeIdleConnections();
    });
  }

  /**
   * Bounds the connections. Idle ones make room first: clients that keep connections must not shut out a liveness probe, which
   * would have the process restarted.
   */
  #admit(socket: Socket): void {
    this.#connections.add(socket);
    socket.once('close', () => this.#connections.delete(socket));
    if (this.#connections.size <= this.#limits.maxConnections) return;
    this.#server.closeIdleConnections();
    const open = [...this.#connections].filter((connection) => !connection.destroyed);
    if (open.length > this.#limits.maxConnections) socket.destroy();
  }
}

function createBoundedServer(limits: AdminLimits, answer: RequestListener): Server {
  const server = createServer(
    {
      maxHeaderSize: limits.maxHeadBytes,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      connectionsCheckingInterval: Math.min(SLOW_REQUEST_CHECK_MS, limits.headersTimeoutMs),
    },
    answer,
  );
  server.timeout = limits.socketIdleMs;
  server.maxHeadersCount = limits.maxHeaderFields;
  return server;
}
