import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { MeshError, silentLogger } from '@mesher/core';
import type { Logger, Timers } from '@mesher/core';
import { AdminRouter } from './admin-router.js';
import { ADMIN_HOST, ADMIN_LIMITS, ADMIN_PORT, SLOW_REQUEST_CHECK_MS } from './defaults.js';
import type { AdminLimits } from './defaults.js';
import { isLoopback } from './loopback.js';
import { errorReply } from './reply.js';
import type { AdminReply } from './reply.js';
import { readRequestBody } from './request-body.js';
import { RequestGuard } from './request-guard.js';
import type { AdminSources } from './sources.js';

export interface AdminServerOptions {
  /** Address to listen at; default 127.0.0.1. Any other than a loopback address needs {@link allowRemote}. */
  readonly host?: string;
  /** Default 30102, as in the original mesher; 0 lets the system choose. */
  readonly port?: number;
  /** Allows an address that other machines reach (`admin.allowRemote`); default false. */
  readonly allowRemote?: boolean;
  /** Names and addresses that may stand in the Host field beside loopback and the own address (`admin.allowedHosts`). */
  readonly allowedHosts?: readonly string[];
  /** Those left out are as in {@link ADMIN_LIMITS}. */
  readonly limits?: Partial<AdminLimits>;
}

/** Where the server listens. */
export interface AdminAddress {
  readonly host: string;
  readonly port: number;
  /** `http://127.0.0.1:30102` */
  readonly url: string;
}

/**
 * The admin API on its own port, with `node:http`: no call of the data path comes through here. There is no login; what protects it is that
 * it listens at loopback only, refuses web pages of other sites, and shows no secrets.
 */
export class AdminServer {
  readonly #server: Server;
  readonly #router: AdminRouter;
  readonly #guard: RequestGuard;
  readonly #timers: Timers;
  readonly #logger: Logger;
  readonly #host: string;
  readonly #port: number;
  readonly #limits: AdminLimits;
  readonly #connections = new Set<Socket>();
  #closing: Promise<void> | undefined;

  /**
   * @throws MeshError `MESH_ERR_ADMIN_REMOTE` when the address is not a loopback one and `allowRemote` is not set
   */
  constructor(
    sources: AdminSources,
    timers: Timers,
    options: AdminServerOptions = {},
    logger: Logger = silentLogger(),
  ) {
    this.#host = options.host ?? ADMIN_HOST;
    this.#port = options.port ?? ADMIN_PORT;
    if (!isLoopback(this.#host) && options.allowRemote !== true) {
      throw new MeshError(
        'MESH_ERR_ADMIN_REMOTE',
        `the admin port would listen at ${this.#host}, where other machines reach it, and it has no login: ` +
          'listen at 127.0.0.1, or set admin.allowRemote: true if the network keeps strangers out',
      );
    }
    this.#timers = timers;
    this.#logger = logger;
    this.#limits = { ...ADMIN_LIMITS, ...options.limits };
    this.#router = new AdminRouter(sources, logger);
    // The own address is known of each connection; a wildcard is nobody's name.
    const ownName = WILDCARDS.has(this.#host) ? [] : [this.#host];
    this.#guard = new RequestGuard([...ownName, ...(options.allowedHosts ?? [])]);
    this.#server = createAdminHttpServer(this.#limits);
    this.#server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      this.#answer(request, response).catch((error: unknown) => {
        this.#logger.error({ route: request.url, error }, 'an admin answer could not be sent');
        response.destroy();
      });
    });
    this.#server.on('connection', (socket) => this.#admit(socket));
  }

  /**
   * Begins to listen.
   * @throws MeshError `MESH_ERR_ADMIN_LISTEN` when the address cannot be used; `cause` is the error of the system (`EADDRINUSE`)
   */
  listen(): Promise<AdminAddress> {
    return new Promise((resolve, reject) => {
      const fail = (cause: Error): void => {
        const where = `${this.#host}:${this.#port}`;
        reject(
          new MeshError('MESH_ERR_ADMIN_LISTEN', `the admin port cannot listen at ${where}: ${cause.message}`, {
            cause,
          }),
        );
      };
      this.#server.once('error', fail);
      this.#server.listen({ host: this.#host, port: this.#port }, () => {
        this.#server.off('error', fail);
        // From now on only accepting can fail (too many open files); that must not end the process.
        this.#server.on('error', (error) =>
          this.#logger.warn({ error }, 'the admin port could not accept a connection'),
        );
        const address = this.#server.address();
        const port = typeof address === 'object' && address !== null ? address.port : this.#port;
        const host = this.#host.includes(':') ? `[${this.#host}]` : this.#host;
        resolve({ host: this.#host, port, url: `http://${host}:${port}` });
      });
    });
  }

  /** Stops listening and closes idle connections at once, busy ones when they are answered or the bound is over. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      const bound = this.#timers.after(this.#limits.closeTimeoutMs, () => this.#server.closeAllConnections());
      this.#server.close(() => {
        bound.cancel();
        resolve();
      });
      this.#server.closeIdleConnections();
    });
    return this.#closing;
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

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const refusal = this.#guard.check({
      method: request.method ?? '',
      target: request.url ?? '',
      host: request.headers.host,
      origin: request.headers.origin,
      secFetchSite: headerText(request, 'sec-fetch-site'),
      forwarded: FORWARDED_FIELDS.some((name) => request.headers[name] !== undefined),
      localAddress: request.socket.localAddress ?? '',
    });
    if (refusal !== undefined) return this.#send(request, response, refusal);
    const body = await readRequestBody(request, this.#limits.maxBodyBytes);
    if (body === 'gone') return;
    if (body === 'too-large') {
      const most = `the body has more than ${this.#limits.maxBodyBytes} bytes`;
      return this.#send(
        request,
        response,
        errorReply(413, 'TOO_LARGE', most, 'Send less; most routes read no body at all.'),
      );
    }
    this.#send(
      request,
      response,
      await this.#router.reply(request.method ?? '', request.url ?? '', request.headers.accept, body.text),
    );
  }

  #send(request: IncomingMessage, response: ServerResponse, reply: AdminReply): void {
    const bodyIsUnread = !request.complete;
    response.writeHead(reply.status, {
      'content-type': reply.contentType,
      'content-length': Buffer.byteLength(reply.body),
      // Every answer is about this moment, and some are about the inside of the process.
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      ...reply.headers,
      ...(bodyIsUnread || this.#closing !== undefined ? { connection: 'close' } : {}),
    });
    response.end(request.method === 'HEAD' ? undefined : reply.body);
  }
}

/** Fields that an inbound sidecar adds: without declared service ports a caller can name any local port, this one too. */
const FORWARDED_FIELDS = ['x-mesher-hop', 'x-forwarded-host', 'x-forwarded-port'] as const;

/** Addresses that mean "all of this machine". */
const WILDCARDS: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

function createAdminHttpServer(limits: AdminLimits): Server {
  const server = createServer({
    maxHeaderSize: limits.maxHeadBytes,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    connectionsCheckingInterval: Math.min(SLOW_REQUEST_CHECK_MS, limits.headersTimeoutMs),
  });
  server.timeout = limits.socketIdleMs;
  server.maxHeadersCount = limits.maxHeaderFields;
  return server;
}

function headerText(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}
