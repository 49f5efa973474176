import type { IncomingMessage, ServerResponse } from 'node:http';
import { MeshError, silentLogger } from '@mesher/core';
import type { Logger, Timers } from '@mesher/core';
import { AdminRouter } from './admin-router.js';
import { BoundedServer, type AdminAddress } from './bounded-server.js';
import { ADMIN_HOST, ADMIN_LIMITS, ADMIN_PORT } from './defaults.js';
import type { AdminLimits } from './defaults.js';
import { guardedRequest } from './guarded-request.js';
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

/**
 * The admin API on its own port, with `node:http`: no call of the data path comes through here. There is no login; what protects it is that
 * it listens at loopback only, refuses web pages of other sites, and shows no secrets.
 */
export class AdminServer {
  readonly #server: BoundedServer;
  readonly #router: AdminRouter;
  readonly #guard: RequestGuard;
  readonly #limits: AdminLimits;

  /**
   * @throws MeshError `MESH_ERR_ADMIN_REMOTE` when the address is not a loopback one and `allowRemote` is not set
   */
  constructor(
    sources: AdminSources,
    timers: Timers,
    options: AdminServerOptions = {},
    logger: Logger = silentLogger(),
  ) {
    const { host = ADMIN_HOST, port = ADMIN_PORT } = options;
    if (!isLoopback(host) && options.allowRemote !== true) {
      throw new MeshError(
        'MESH_ERR_ADMIN_REMOTE',
        `the admin port would listen at ${host}, where other machines reach it, and it has no login: ` +
          'listen at 127.0.0.1, or set admin.allowRemote: true if the network keeps strangers out',
      );
    }
    this.#limits = { ...ADMIN_LIMITS, ...options.limits };
    this.#router = new AdminRouter(sources, logger);
    // The own address is known of each connection; a wildcard is nobody's name.
    const ownName = WILDCARDS.has(host) ? [] : [host];
    this.#guard = new RequestGuard([...ownName, ...(options.allowedHosts ?? [])]);
    this.#server = new BoundedServer(
      (request, response) => this.#answer(request, response),
      { name: 'the admin port', host, port, limits: this.#limits },
      timers,
      logger,
    );
  }

  /**
   * Begins to listen.
   * @throws MeshError `MESH_ERR_ADMIN_LISTEN` when the address cannot be used; `cause` is the error of the system (`EADDRINUSE`)
   */
  listen(): Promise<AdminAddress> {
    return this.#server.listen();
  }

  /** Stops listening and closes idle connections at once, busy ones when they are answered or the bound is over. Idempotent. */
  close(): Promise<void> {
    return this.#server.close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const refusal = this.#guard.check(guardedRequest(request));
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
      ...(bodyIsUnread || this.#server.isClosing ? { connection: 'close' } : {}),
    });
    response.end(request.method === 'HEAD' ? undefined : reply.body);
  }
}

/** Addresses that mean "all of this machine". */
const WILDCARDS: ReadonlySet<string> = new Set(['0.0.0.0', '::']);
