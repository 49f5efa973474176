import type { IncomingMessage, Server } from 'node:http';
import { systemPorts, type Ports } from '@mesher/core';
import { BASE_API, loginApi } from './api/base-api.js';
import { DEPENDENCIES_API } from './api/dependencies-api.js';
import { FIND_API } from './api/find-api.js';
import { GOVERN_API } from './api/govern-api.js';
import { INSTANCES_API } from './api/instances-api.js';
import { SCHEMAS_API } from './api/schemas-api.js';
import { SERVICES_API } from './api/services-api.js';
import type { Answer } from './http/call.js';
import {
  createListener,
  headOf,
  listen,
  renewTls,
  type Asked,
  type ListenerTls,
  type RawAnswer,
} from './http/listener.js';
import { RouteTable } from './http/route-table.js';
import { Heartbeats } from './push/heartbeats.js';
import { Upgrades, socketTarget, type UpgradeDecision } from './push/upgrades.js';
import { Watchers } from './push/watchers.js';
import { Accounts, type AccountsOptions, type Verb } from './rbac/accounts.js';
import { seedService, type Seed, type Seeded } from './seed.js';
import { Steering } from './steering.js';
import { DEFAULT_QUOTAS, type Quotas } from './store/quotas.js';
import { RegistryError } from './store/registry-error.js';
import { RegistryStore, type RegistryState } from './store/registry-store.js';
import type { Tenant } from './store/tenant.js';

/** Time between two pings of service-center. */
const PING_INTERVAL_MS = 30_000;

const OLD_API = '/registry/v3/';

export interface ServiceCenterOptions {
  /** 0 for a free one. */
  readonly port?: number;
  /** Default: 127.0.0.1. */
  readonly host?: string;
  /** Time of leases, pings and tokens; the real one by default. */
  readonly ports?: Ports;
  /** Accounts; left out, everybody is let in. */
  readonly rbac?: AccountsOptions;
  /** Between two pings of a websocket; a client that is silent for four of them is dropped. Default: 30 s. */
  readonly pingIntervalMs?: number;
  /** False makes a server from before version 2, where a heartbeat by websocket is no path. */
  readonly websocketHeartbeat?: boolean;
  /** Refuse what a web page sends: a browser takes it to loopback from anywhere, and says so with `Origin`. */
  readonly refusesWebPages?: boolean;
  /** False keeps no list of what was asked. */
  readonly remembers?: boolean;
  /** Less than service-center allows by default. */
  readonly quotas?: Partial<Quotas>;
  /**
   * Self-preservation, which service-center always has: when more than 5 instances are there and the leases of 80 % of them run out
   * together, they are listed for another lease, at most ten minutes. Default: false, so that tests see leases end.
   */
  readonly selfPreservation?: boolean;
  /** Makes it listen with TLS. */
  readonly tls?: ListenerTls;
  /** What is there from the start. */
  readonly state?: RegistryState;
}

/**
 * A service-center in this process: REST v4 and websockets over real sockets, with the state in memory.
 * The same suite holds it and the real server to what they have in common.
 */
export class ServiceCenterServer {
  readonly registry: RegistryStore;
  readonly accounts: Accounts | undefined;
  readonly watchers: Watchers;
  readonly heartbeats: Heartbeats;
  readonly steering = new Steering();
  readonly #routes: RouteTable;
  readonly #server: Server;
  readonly #upgrades: Upgrades;
  #port = 0;

  private constructor(private readonly options: ServiceCenterOptions) {
    const { ports = systemPorts(), pingIntervalMs = PING_INTERVAL_MS, rbac, state } = options;
    const { quotas, selfPreservation } = options;
    this.registry = new RegistryStore(ports, {
      quotas: { ...DEFAULT_QUOTAS, ...quotas },
      ...(selfPreservation === undefined ? {} : { selfPreservation }),
    });
    if (state !== undefined) this.registry.restore(state);
    this.accounts = rbac && new Accounts(rbac, ports);
    const changed = (): void => this.steering.changed();
    this.watchers = new Watchers(ports, pingIntervalMs, changed);
    this.heartbeats = new Heartbeats(ports, pingIntervalMs, changed);
    this.registry.onEvent((tenant, event) => this.watchers.publish(tenant, event));
    this.#routes = new RouteTable(
      ...[BASE_API, SERVICES_API, INSTANCES_API, FIND_API, SCHEMAS_API, DEPENDENCIES_API, GOVERN_API],
      this.accounts === undefined ? {} : loginApi(this.accounts),
    );
    this.#server = createListener((asked) => this.#answer(asked), options.tls);
    this.#upgrades = new Upgrades(this.#server, (request) => this.#decide(request));
  }

  /** @throws the error of the socket when the port cannot be had */
  static async start(options: ServiceCenterOptions = {}): Promise<ServiceCenterServer> {
    const server = new ServiceCenterServer(options);
    const host = options.host ?? '127.0.0.1';
    server.#port = await listen(server.#server, options.port ?? 0, host);
    const flags = options.tls === undefined ? '' : '?sslEnabled=true';
    server.registry.registerSelf(`rest://${new URL(server.url).host}/${flags}`);
    return server;
  }

  get port(): number {
    return this.#port;
  }

  /** `http://127.0.0.1:port`; with TLS `https://...` */
  get url(): string {
    const host = this.options.host ?? '127.0.0.1';
    const scheme = this.options.tls === undefined ? 'http' : 'https';
    return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${this.#port}`;
  }

  /** Requests that came, oldest first. */
  get asked(): readonly Asked[] {
    return this.steering.asked;
  }

  get failure(): RawAnswer | undefined {
    return this.steering.failure;
  }

  /** Answered instead of what is right, until it is taken away. */
  set failure(failure: RawAnswer | undefined) {
    this.steering.failure = failure;
  }

  /** Puts a service with instances in, past the API. */
  seed(seed: Seed): Seeded {
    return seedService(this.registry.tenant(seed.tenant), seed);
  }

  /** Resolves once `times` requests that fit have come since the start. */
  async untilAsked(fits: (asked: Asked) => boolean, times = 1): Promise<void> {
    await this.steering.until(() => this.asked.filter(fits).length >= times);
  }

  /** Resolves once exactly so many watches are open. */
  async untilWatchers(count: number): Promise<void> {
    await this.steering.until(() => this.watchers.count === count);
  }

  /** Uses another certificate for connections to come. */
  renewTls(tls: ListenerTls): void {
    renewTls(this.#server, tls);
  }

  /** Connections of websockets, those included that are refused and not ended yet. */
  get sockets(): number {
    return this.#upgrades.count;
  }

  /** Ends every websocket without a word. */
  dropSockets(): void {
    this.#upgrades.dropAll();
  }

  async close(): Promise<void> {
    await this.stopListening();
    this.registry.close();
  }

  /** Ends every connection and takes no more; what is registered stays, until {@link close}. */
  async stopListening(): Promise<void> {
    this.steering.holdsAnswers = false;
    this.#upgrades.dropAll();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(given: Asked): Promise<Answer | RawAnswer> {
    this.#record(given);
    const asked = { ...given, path: todaysPath(given.path) };
    await this.steering.mayAnswer();
    if (this.failure !== undefined) return this.failure;
    const match = this.#routes.find(asked.method, asked.path);
    if (asked.method === 'GET' && socketTarget(asked.path) !== undefined) return { status: 400, body: 'Bad Request\n' };
    if (match === undefined) return { status: 404, body: '404 page not found\n' };
    if (match === 'path') return { status: 405, body: 'Method Not Allowed\n' };
    this.#authorize(asked);
    const { registry } = this;
    return match.handler({
      ...asked,
      params: match.params,
      registry,
      tenant: this.#tenant(asked, match.params['project']),
    });
  }

  /** @throws RegistryError */
  #decide(request: IncomingMessage): UpgradeDecision {
    const asked: Asked = { ...headOf(request), text: '' };
    this.#record(asked);
    if (this.steering.holdsAnswers) return 'hang';
    if (this.failure !== undefined) return { status: this.failure.status };
    const target = socketTarget(asked.path);
    const isHeartbeat = target?.instanceId !== undefined;
    if (target === undefined || (isHeartbeat && this.options.websocketHeartbeat === false)) return { status: 404 };
    this.#authorize(asked);
    const tenant = this.#tenant(asked, target.project);
    const { serviceId, instanceId } = target;
    if (instanceId === undefined) return { accept: (socket) => this.watchers.accept(socket, tenant, serviceId) };
    return { accept: (socket) => this.heartbeats.accept(socket, tenant, serviceId, instanceId) };
  }

  #record(asked: Asked): void {
    if (this.options.remembers !== false) this.steering.record(asked);
  }

  /** @throws RegistryError 401, 403 */
  #authorize({ method, path, headers }: Asked): void {
    if (this.options.refusesWebPages === true && headers.origin !== undefined) {
      throw new RegistryError(403001, 'requests of web pages are refused');
    }
    if (/^\/v4\/(?:token$|[^/]+\/registry\/(?:health|version)$)/.test(path)) return;
    this.accounts?.check(headers.authorization, verbOf(method, path));
  }

  #tenant({ headers }: Asked, project = 'default'): Tenant {
    const domain = headers['x-domain-name'];
    return this.registry.visit(`${typeof domain === 'string' && domain !== '' ? domain : 'default'}/${project}`);
  }
}

/** What a request does, in the words of roles: a question that is posted only asks. */
function verbOf(method: string, path: string): Verb {
  if (method === 'GET' || path.endsWith('/instances/action')) return 'get';
  if (method === 'DELETE') return 'delete';
  return method === 'POST' ? 'create' : 'update';
}

/** The API of service-center 0.x is there still: that of v4 for the project `default`, under other paths. */
function todaysPath(path: string): string {
  if (path === '/health' || path === '/version') return `/v4/default/registry${path}`;
  return path.startsWith(OLD_API) ? `/v4/default/registry/${path.slice(OLD_API.length)}` : path;
}
