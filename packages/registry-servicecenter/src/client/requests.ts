import axios, { AxiosError, type AxiosInstance, type AxiosResponse } from 'axios';
import { Agent as HttpAgent, ClientRequest } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { connectionTrouble, type LiveTls, type RegistryTls, type Timers, type TlsKeyNames } from '@mesher/core';
import { ServiceCenterError } from './service-center-error.js';

export interface Request {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly timeoutMs: number;
}

export interface Answer {
  readonly status: number;
  /** The body as it came, decoded if it was compressed; empty when there is none. */
  readonly bytes: Uint8Array;
  readonly header: (name: string) => string | undefined;
}

/** Idle connections per address: a client that keeps its rhythm needs one or two. */
const MAX_IDLE = 4;

const TLS_KEYS: TlsKeyNames = {
  caFile: 'ssl.registry.Consumer.caFile',
  serverName: 'ssl.registry.Consumer.serverName',
  certFile: 'ssl.registry.Consumer.certFile',
};

const NO_BYTES = new Uint8Array(0);

/** Sends requests, one at a time per call, with bounds of time and size; knows nothing of service-center. */
export class Requests {
  readonly #http: AxiosInstance;
  readonly #plain = new HttpAgent({ keepAlive: true, maxFreeSockets: MAX_IDLE });
  #secure: HttpsAgent;
  #isClosed = false;

  constructor(
    tls: Pick<LiveTls, 'current' | 'onChange'>,
    maxResponseBytes: number,
    private readonly timers: Timers,
  ) {
    this.#secure = secureAgent(tls.current);
    tls.onChange(() => {
      retire(this.#secure);
      this.#secure = secureAgent(tls.current);
    });
    this.#http = axios.create({
      httpAgent: this.#plain,
      // A proxy or a redirect would hand the token, and the say over all calls, to somebody whom nobody configured.
      proxy: false,
      maxRedirects: 0,
      maxContentLength: maxResponseBytes,
      // Text of several megabytes is decoded in slices, where it is parsed.
      responseType: 'arraybuffer',
      transformResponse: (body: Buffer) => body,
      validateStatus: () => true,
    });
  }

  /**
   * @throws ServiceCenterError SC_UNREACHABLE when there is no whole answer in time, SC_CLOSED; the reason of `signal` when it aborts
   */
  async send(request: Request, signal: AbortSignal): Promise<Answer> {
    signal.throwIfAborted();
    // An agent that is destroyed still makes connections, and one to a server that hangs would keep the process from its end.
    if (this.#isClosed) throw new ServiceCenterError('SC_CLOSED', 'the service-center registry is closed');
    const own = new AbortController();
    const abort = (): void => own.abort();
    signal.addEventListener('abort', abort, { once: true });
    const timer = this.timers.after(request.timeoutMs, abort);
    try {
      const response = await this.#sendOnce(request, own.signal).catch((error: unknown) => {
        if (own.signal.aborted || this.#isClosed || !isStale(error)) throw error;
        return this.#sendOnce(request, own.signal);
      });
      return {
        status: response.status,
        bytes: response.data instanceof Uint8Array ? response.data : NO_BYTES,
        header: (name) => {
          const value: unknown = response.headers[name.toLowerCase()];
          return typeof value === 'string' ? value : undefined;
        },
      };
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      const reason = own.signal.aborted ? `no answer within ${request.timeoutMs} ms` : reasonOf(error);
      throw new ServiceCenterError('SC_UNREACHABLE', `${originOf(request.url)} cannot be asked: ${reason}`);
    } finally {
      timer.cancel();
      signal.removeEventListener('abort', abort);
    }
  }

  #sendOnce(request: Request, signal: AbortSignal): Promise<AxiosResponse<unknown>> {
    return this.#http.request<unknown>({
      method: request.method,
      url: request.url,
      headers: { accept: 'application/json', ...request.headers },
      ...(request.body === undefined ? {} : { data: request.body }),
      httpsAgent: this.#secure,
      signal,
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#plain.destroy();
    this.#secure.destroy();
  }
}

function secureAgent(tls: RegistryTls): HttpsAgent {
  return new HttpsAgent({ keepAlive: true, maxFreeSockets: MAX_IDLE, ...tls });
}

/** Requests under way end in peace; no connection is used a second time. */
function retire(agent: HttpsAgent): void {
  agent.maxFreeSockets = 0;
  for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
}

/**
 * A kept connection that the server closed just when it was used again: that says nothing of the server, and requests to service-center
 * may be repeated.
 */
function isStale(error: unknown): boolean {
  if (!(error instanceof AxiosError) || (error.code !== 'ECONNRESET' && error.code !== 'EPIPE')) return false;
  return error.request instanceof ClientRequest && error.request.reusedSocket;
}

function originOf(url: string): string {
  return new URL(url).origin;
}

function reasonOf(error: unknown): string {
  if (error instanceof AxiosError && error.message.startsWith('maxContentLength')) {
    return 'its answer is larger than servicecomb.registry.servicecenter.maxResponseBytes';
  }
  return connectionTrouble(error, TLS_KEYS);
}
