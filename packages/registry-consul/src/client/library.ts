import type { EventEmitter } from 'node:events';
import type { Agent as HttpAgent, ClientRequest, IncomingHttpHeaders, RequestOptions } from 'node:http';
import Consul from 'consul';

/** What of npm `consul` is used. Its own types leave out what it takes (`ctx`, `buffer`), and claim that every answer is `any`. */
export interface ConsulLibrary {
  readonly agent: {
    readonly service: {
      list(options: object): Promise<unknown>;
      register(options: object): Promise<unknown>;
      deregister(options: object): Promise<unknown>;
      maintenance(options: object): Promise<unknown>;
    };
    readonly check: {
      pass(options: object): Promise<unknown>;
      warn(options: object): Promise<unknown>;
      fail(options: object): Promise<unknown>;
    };
  };
  readonly catalog: {
    readonly service: { list(options: object): Promise<unknown>; nodes(options: object): Promise<unknown> };
  };
  readonly health: { service(options: object): Promise<unknown> };
  readonly kv: { get(options: object): Promise<unknown> };
  readonly status: { leader(options: object): Promise<unknown> };
  /** Runs `extension` at a stage of every request: before it is put together, or before it is sent. */
  _ext(stage: 'onCreate' | 'onRequest', extension: Extension): void;
}

export type Extension = (request: LibraryRequest, next: (error?: Error) => void) => void;

/** A request inside the library. */
export interface LibraryRequest {
  readonly opts: {
    readonly ctx?: EventEmitter;
    query?: Record<string, unknown>;
    headers?: Record<string, string>;
    body?: unknown;
    /** Leaves the body of the answer as it is. */
    buffer?: boolean;
  };
  /** There from the stage `onRequest` on. */
  transport?: { request(options: RequestOptions): ClientRequest };
}

/** An answer of the library; with `buffer` its body is one, or undefined when it is empty. */
export interface LibraryAnswer {
  readonly statusCode?: number;
  readonly headers: IncomingHttpHeaders;
  readonly body?: unknown;
}

export interface LibrarySettings {
  /** `http://host:port/v1` */
  readonly baseUrl: string;
  readonly agent: HttpAgent;
  readonly socketPath?: string;
}

/** Makes a client of npm `consul`. */
export function openLibrary(settings: LibrarySettings): ConsulLibrary {
  return new Consul(settings) as unknown as ConsulLibrary;
}
