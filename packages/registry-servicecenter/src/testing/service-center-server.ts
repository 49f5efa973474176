import type { Server } from 'node:http';
import { systemPorts, type Ports } from '@mesher/core';
import { FIND_API } from './api/find-api.js';
import { INSTANCES_API } from './api/instances-api.js';
import { SERVICES_API } from './api/services-api.js';
import type { Answer } from './http/call.js';
import { createListener, listen, type Asked, type RawAnswer } from './http/listener.js';
import { RouteTable } from './http/route-table.js';
import { DEFAULT_TENANT, RegistryStore } from './store/registry-store.js';

export interface ServiceCenterOptions {
  /** 0 for a free one. */
  readonly port?: number;
  /** Default: 127.0.0.1. */
  readonly host?: string;
  /** Time of the leases; the real one by default. */
  readonly ports?: Ports;
}

/**
 * A service-center in this process: REST v4 and websockets over real sockets, with the state in memory.
 * The same suite holds it and the real server to what they have in common.
 */
export class ServiceCenterServer {
  readonly registry: RegistryStore;
  /** Requests that came, oldest first. */
  readonly asked: Asked[] = [];
  /** Answered instead of what is right, until it is taken away. */
  failure: RawAnswer | undefined;
  readonly #routes = new RouteTable(SERVICES_API, INSTANCES_API, FIND_API);
  readonly #server: Server;
  #port = 0;

  private constructor(private readonly options: ServiceCenterOptions) {
    this.registry = new RegistryStore(options.ports ?? systemPorts());
    this.#server = createListener((asked) => this.#answer(asked));
  }

  static async start(options: ServiceCenterOptions = {}): Promise<ServiceCenterServer> {
    const server = new ServiceCenterServer(options);
    server.#port = await listen(server.#server, options.port ?? 0, options.host ?? '127.0.0.1');
    return server;
  }

  get port(): number {
    return this.#port;
  }

  /** `http://127.0.0.1:port` */
  get url(): string {
    return `http://${this.options.host ?? '127.0.0.1'}:${this.#port}`;
  }

  async close(): Promise<void> {
    this.registry.forget();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(asked: Asked): Promise<Answer | RawAnswer> {
    this.asked.push(asked);
    if (this.failure !== undefined) return Promise.resolve(this.failure);
    const match = this.#routes.find(asked.method, asked.path);
    if (match === undefined) return Promise.resolve({ status: 404, body: '404 page not found\n' });
    if (match === 'path') return Promise.resolve({ status: 405, body: 'Method Not Allowed\n' });
    const domain = asked.headers['x-domain-name'];
    const tenant = `${typeof domain === 'string' && domain !== '' ? domain : 'default'}/${match.params['project'] ?? 'default'}`;
    return Promise.resolve().then(() =>
      match.handler({
        ...asked,
        params: match.params,
        registry: this.registry,
        tenant: this.registry.tenant(tenant || DEFAULT_TENANT),
      }),
    );
  }
}
