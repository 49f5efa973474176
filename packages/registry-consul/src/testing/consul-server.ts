import type { Server } from 'node:http';
import { systemPorts, type Ports } from '@mesher/core';
import { Acl, type AclOptions } from './acl.js';
import { AGENT_API } from './api/agent-api.js';
import { CATALOG_API } from './api/catalog-api.js';
import { CHECKS_API } from './api/checks-api.js';
import { KV_API } from './api/kv-api.js';
import { AgentError, bad } from './http/agent-error.js';
import { answerBlocking } from './http/blocking.js';
import type { Json, Routes } from './http/call.js';
import { createListener, listen, type Answer, type Asked } from './http/listener.js';
import { RouteTable } from './http/route-table.js';
import { Steering, type Failure } from './steering.js';
import { AgentStore, DATACENTER } from './store/agent-store.js';
import { readDefinition } from './store/read-definition.js';
import type { Status } from './store/records.js';

/** Parts of the API that need a leader of the cluster. */
const NEEDS_LEADER = /^\/v1\/(?:catalog|health|kv)\//;
/** Paths whose answer is the same for everybody. */
const STATUS_API: Routes = {
  'GET /v1/status/peers': () => ({ body: ['127.0.0.1:8300'] }),
};

export interface ConsulServerOptions {
  /** 0 for a free one; that of an agent that was closed starts it again. */
  readonly port?: number;
  /** Time of leases, checks and waits; the real one by default. */
  readonly ports?: Ports;
  /** Tokens; left out, everybody is let in. */
  readonly acl?: AclOptions;
}

/**
 * A Consul agent, and the whole of its cluster, in this process: its HTTP API over a real socket, with the state in memory.
 * The same suite holds it and the real agent to what they have in common.
 */
export class ConsulServer {
  readonly store: AgentStore;
  readonly steering = new Steering();
  readonly #acl: Acl;
  readonly #ports: Ports;
  readonly #routes = new RouteTable(AGENT_API, CHECKS_API, CATALOG_API, KV_API, STATUS_API, {
    'GET /v1/status/leader': () => ({
      body: JSON.stringify(this.steering.hasLeader ? '127.0.0.1:8300' : ''),
      headers: { 'content-type': 'application/json' },
    }),
  });
  readonly #server: Server;
  #port = 0;

  private constructor({ ports = systemPorts(), acl }: ConsulServerOptions) {
    this.#ports = ports;
    this.#acl = new Acl(acl);
    this.store = new AgentStore(ports);
    this.#server = createListener((asked, gone) => this.#answer(asked, gone));
  }

  /** @throws the error of the socket when the port cannot be had */
  static async start(options: ConsulServerOptions = {}): Promise<ConsulServer> {
    const server = new ConsulServer(options);
    server.#port = await listen(server.#server, options.port ?? 0);
    return server;
  }

  get port(): number {
    return this.#port;
  }

  /** `http://127.0.0.1:port` */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Requests that came, oldest first. */
  get asked(): readonly Asked[] {
    return this.steering.asked;
  }

  get failure(): Failure | undefined {
    return this.steering.failure;
  }

  /** Answered instead of what is right, until it is taken away. */
  set failure(failure: Failure | undefined) {
    this.steering.failure = failure;
  }

  /**
   * Puts an instance in, past the API.
   * @param definition the body of a registration: `Name`, `ID`, `Address`, `Port`, `Tags`, `Meta`, `Check`, ...; without a check it passes
   * @returns its id
   */
  seed(definition: Json): string {
    const read = readDefinition(definition);
    this.store.register(read);
    return read.service.ID;
  }

  /** Says how a check is, past the API: `service:<id>` is the only check of an instance. */
  setCheck(id: string, status: Status, output = ''): void {
    this.store.setCheck(id, status, output);
  }

  /** Sets a key, past the API. */
  setKey(key: string, value: string): void {
    this.store.kv.put(key, Buffer.from(value));
  }

  /** Resolves once `times` requests that fit have come since the start. */
  async untilAsked(fits: (asked: Asked) => boolean, times = 1): Promise<void> {
    await this.steering.until(() => this.asked.filter(fits).length >= times);
  }

  /** Resolves once exactly so many blocking queries are held. */
  async untilHeld(count: number): Promise<void> {
    await this.steering.until(() => this.steering.held === count);
  }

  /** Loses its state while connections stay. @param index the index that it goes on with; the present one when left out */
  forget(index?: number): void {
    this.store.forget(index);
  }

  /** Ends every connection without a word. */
  dropConnections(): void {
    this.#server.closeAllConnections();
  }

  async close(): Promise<void> {
    this.store.close();
    this.steering.holdsAnswers = false;
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(asked: Asked, gone: AbortSignal): Promise<Answer> {
    this.steering.record(asked);
    await this.steering.mayAnswer();
    const { failure, hasLeader } = this.steering;
    if (failure !== undefined && (failure.fits?.(asked) ?? true)) return failure;
    const match = this.#routes.find(asked.method, asked.path);
    if (match === undefined) throw new AgentError(404, 'Invalid URL path: not a recognized HTTP API endpoint');
    if (match === 'path') throw new AgentError(405, `method ${asked.method} not allowed`);
    if (!hasLeader && NEEDS_LEADER.test(asked.path)) throw new AgentError(500, 'No cluster leader');
    refuseWrongPlace(asked);
    const rights = this.#acl.rightsOf(tokenOf(asked));
    const { store } = this;
    const isAnonymous = rights.isAnonymous;
    return await match.handler({
      ...asked,
      store,
      rights,
      params: match.params,
      blocking: (read) => answerBlocking({ ...asked, isAnonymous, gone }, store, this.steering, this.#ports, read),
    });
  }
}

/** What Consul without a license does not have, and other datacenters. */
function refuseWrongPlace({ query }: Asked): void {
  if (query.has('ns')) bad('Invalid query parameter: "ns" - Namespaces are a Consul Enterprise feature');
  if (query.has('partition')) bad('Invalid query parameter: "partition" - Partitions are a Consul Enterprise feature');
  const dc = query.get('dc') || DATACENTER;
  if (dc !== DATACENTER) throw new AgentError(500, 'No path to datacenter');
}

function tokenOf({ headers, query }: Asked): string {
  const header = headers['x-consul-token'];
  if (typeof header === 'string' && header !== '') return header;
  const bearer = /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1];
  return query.get('token') || (bearer ?? '');
}
