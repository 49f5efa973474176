import type { InstanceStatus, LiveTls, Ports, RegistryClient } from '@mesher/core';
import { baseOf, socketBase } from './addresses.js';
import { AddressPool } from './address-pool.js';
import { Calls, type Call, type Read } from './calls.js';
import { idIn, listIn, membersIn, readFound, type FindItem, type FindResult } from './answers.js';
import { SC_CODE } from './error-codes.js';
import { Requests } from './requests.js';
import { errorCodeOf, ServiceCenterError } from './service-center-error.js';
import type { Socket, SocketEvents } from './sockets.js';
import { TokenSource } from './token-source.js';
import { membersOf, textOf, textsOf, type WireInstance, type WireService } from './wire-model.js';

export interface ServiceCenterSettings {
  /** At least one, as users write them. */
  readonly addresses: readonly string[];
  readonly project: string;
  /** Tenant. */
  readonly domain: string;
  /** Bound of one request to one address. */
  readonly timeoutMs: number;
  readonly maxResponseBytes: number;
  readonly quarantineMs: number;
  readonly socketSilenceMs: number;
  readonly account: RegistryClient['credentials']['account'];
  readonly tls: Pick<LiveTls, 'current' | 'onChange'>;
}

export interface InstanceKey {
  readonly serviceId: string;
  readonly instanceId: string;
}

/** All versions: the rule of 1.x, which newer servers do not look at. */
const ALL_VERSIONS = '0+';

/** Service-center's REST API v4 and its WebSockets, as far as Mesher uses them (https://service-center.readthedocs.io). */
export class ServiceCenter {
  readonly pool: AddressPool;
  readonly #calls: Calls;
  readonly #requests: Requests;
  readonly #tokens: TokenSource | undefined;
  readonly #registry: string;
  readonly #govern: string;
  readonly #end = new AbortController();

  /** @throws ServiceCenterError SC_SETTING for an address that is none */
  constructor(
    private readonly settings: ServiceCenterSettings,
    private readonly ports: Ports,
  ) {
    const { account, domain, timeoutMs, project } = settings;
    this.#registry = `/v4/${encodeURIComponent(project)}/registry`;
    this.#govern = `/v4/${encodeURIComponent(project)}/govern`;
    this.#requests = new Requests(settings.tls, settings.maxResponseBytes, ports.timers);
    this.pool = new AddressPool(settings.addresses.map(baseOf), ports, settings.quarantineMs, (base) =>
      this.#isWell(base),
    );
    const { name, password } = account;
    this.#tokens =
      name === undefined || password === undefined
        ? undefined
        : new TokenSource((signal) => this.#login({ name, password }, signal), ports);
    this.#calls = new Calls(this.pool, this.#requests, { timeoutMs, domain }, this.#tokens);
  }

  /** @returns undefined when the service, or this version of it, is not registered */
  async findServiceId(service: WireService, signal: AbortSignal): Promise<string | undefined> {
    const { appId, serviceName, version, environment = '' } = service;
    const query = new URLSearchParams({ type: 'microservice', appId, serviceName, version, env: environment });
    try {
      return await this.#ask('GET', `/existence?${query.toString()}`, readServiceId, signal);
    } catch (error) {
      const code = errorCodeOf(error);
      if (code === SC_CODE.serviceNotExist || code === SC_CODE.versionNotExist) return undefined;
      throw error;
    }
  }

  /** Idempotent: a service that is registered keeps its id, and its content. */
  async registerService(service: WireService, signal: AbortSignal): Promise<string> {
    return await this.#ask('POST', '/microservices', readServiceId, signal, { service });
  }

  /** @throws ServiceCenterError 400012 when it is not known */
  async serviceProperties(serviceId: string, signal: AbortSignal): Promise<Record<string, string>> {
    const read = (body: unknown): Record<string, string> =>
      textsOf(membersIn(membersIn(body)['service'])['properties']);
    return await this.#ask('GET', `/microservices/${encodeURIComponent(serviceId)}`, read, signal);
  }

  /** Replaces all of them. */
  async setServiceProperties(
    serviceId: string,
    properties: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<void> {
    await this.#ask('PUT', `/microservices/${encodeURIComponent(serviceId)}/properties`, ignore, signal, {
      properties,
    });
  }

  /** Tags of a service version. @throws ServiceCenterError 400012 when it is not known */
  async tags(serviceId: string, signal: AbortSignal): Promise<Record<string, string>> {
    const read = (body: unknown): Record<string, string> => textsOf(membersIn(body)['tags']);
    return await this.#ask('GET', `/microservices/${encodeURIComponent(serviceId)}/tags`, read, signal);
  }

  /** Replaces all of them; at most 100. */
  async setTags(serviceId: string, tags: Readonly<Record<string, string>>, signal: AbortSignal): Promise<void> {
    await this.#ask('POST', `/microservices/${encodeURIComponent(serviceId)}/tags`, ignore, signal, { tags });
  }

  /** All services of the tenant, each in each version. */
  async services(signal: AbortSignal): Promise<readonly unknown[]> {
    return await this.#ask('GET', '/microservices', (body) => listIn(body, 'services'), signal);
  }

  /** Text of a contract; undefined when there is none. */
  async schema(serviceId: string, schemaId: string, signal: AbortSignal): Promise<string | undefined> {
    try {
      const read = (body: unknown): string | undefined => textOf(membersIn(body)['schema']);
      return await this.#ask('GET', schemaPath(serviceId, schemaId), read, signal);
    } catch (error) {
      if (errorCodeOf(error) === SC_CODE.schemaNotExist) return undefined;
      throw error;
    }
  }

  /** @param summary SHA-256 of the text, hexadecimal */
  async putSchema(
    serviceId: string,
    schemaId: string,
    content: { readonly schema: string; readonly summary: string },
    signal: AbortSignal,
  ): Promise<void> {
    await this.#ask('PUT', schemaPath(serviceId, schemaId), ignore, signal, content);
  }

  /** With an id that is alive already it changes nothing. @throws ServiceCenterError 400012 when the service is not known */
  async registerInstance(serviceId: string, instance: WireInstance, signal: AbortSignal): Promise<string> {
    const path = `/microservices/${encodeURIComponent(serviceId)}/instances`;
    return await this.#ask('POST', path, (body) => idIn(body, 'instanceId'), signal, { instance });
  }

  /** Idempotent: an instance that is gone is gone. */
  async unregisterInstance(key: InstanceKey, signal: AbortSignal): Promise<void> {
    try {
      await this.#ask('DELETE', instancePath(key), ignore, signal);
    } catch (error) {
      const code = errorCodeOf(error);
      if (code !== SC_CODE.instanceNotExist && code !== SC_CODE.serviceNotExist) throw error;
    }
  }

  /** @throws ServiceCenterError 400017 when the instance, or its service, is not known any more */
  async heartbeat(key: InstanceKey, signal: AbortSignal): Promise<void> {
    await this.#ask('PUT', `${instancePath(key)}/heartbeat`, ignore, signal);
  }

  /** @returns those that service-center does not know any more, by instanceId */
  async heartbeats(keys: readonly InstanceKey[], signal: AbortSignal): Promise<ReadonlySet<string>> {
    return await this.#ask('PUT', '/heartbeats', readLost, signal, { instances: keys });
  }

  /** @throws ServiceCenterError 400017 when the instance is not known any more */
  async setStatus(key: InstanceKey, status: InstanceStatus, signal: AbortSignal): Promise<void> {
    await this.#ask('PUT', `${instancePath(key)}/status?value=${status}`, ignore, signal);
  }

  /**
   * Asks for many services at once; the results stand in the order of the items.
   * @param consumerId the service that asks; makes service-center tell it of changes
   */
  async find(
    items: readonly FindItem[],
    consumerId: string | undefined,
    signal: AbortSignal,
  ): Promise<readonly FindResult[]> {
    const services = items.map(({ appId, serviceName, environment, revision }) => ({
      service: { appId, serviceName, version: ALL_VERSIONS, environment },
      ...(revision === undefined ? {} : { rev: revision }),
    }));
    const read = (body: unknown): readonly FindResult[] =>
      readFound(membersIn(membersIn(body)['services']), items.length);
    return await this.#ask('POST', '/instances/action?type=query', read, signal, { services }, consumerId);
  }

  /** Everything: services, each with its instances. For the index of addresses; needs no consumer, and notes no dependency. */
  async everything(signal: AbortSignal): Promise<readonly unknown[]> {
    const path = `${this.#govern}/microservices?options=instances`;
    return await this.#calls.call({ method: 'GET', path }, (body) => listIn(body, 'allServicesDetail'), signal);
  }

  /** The instances of service-center itself. Fails when it is in trouble. */
  async nodes(signal: AbortSignal): Promise<readonly unknown[]> {
    return await this.#calls.call(
      { method: 'GET', path: '/v4/default/registry/health', anonymous: true },
      (body) => listIn(body, 'instances'),
      signal,
    );
  }

  /**
   * Resolves when service-center answers, well or with an error of its own: a gateway before it may let nobody see its health.
   * @throws ServiceCenterError when it cannot be asked, or is in trouble
   */
  async mustAnswer(signal: AbortSignal): Promise<void> {
    try {
      await this.nodes(signal);
    } catch (error) {
      if (!isOwnRefusal(error)) throw error;
    }
  }

  /** Opens the socket over which changes of the services that `serviceId` asked for are told. @throws like a call */
  async watch(serviceId: string, events: SocketEvents, signal: AbortSignal): Promise<Socket> {
    return await this.#open(`/microservices/${encodeURIComponent(serviceId)}/watcher`, events, signal);
  }

  /** Opens the socket that keeps an instance alive. @throws like a call */
  async heartbeatSocket(key: InstanceKey, events: SocketEvents, signal: AbortSignal): Promise<Socket> {
    return await this.#open(`${instancePath(key)}/heartbeat`, events, signal);
  }

  close(): void {
    this.#end.abort();
    this.pool.close();
    this.#tokens?.close();
    this.#requests.close();
  }

  async #open(path: string, events: SocketEvents, signal: AbortSignal): Promise<Socket> {
    const token = await this.#tokens?.get(signal);
    const base = this.pool.order()[0] ?? '';
    // ws takes memory, and most sidecars neither watch nor send heartbeats over a WebSocket.
    const { Socket } = await import('./sockets.js');
    signal.throwIfAborted();
    return new Socket(
      {
        url: `${socketBase(base)}${this.#registry}${path}`,
        headers: this.#calls.headers(token),
        tls: this.settings.tls.current,
        handshakeTimeoutMs: this.settings.timeoutMs,
        silenceMs: this.settings.socketSilenceMs,
      },
      {
        ...events,
        onEnd: (end) => {
          if (!end.opened && end.status === undefined) this.pool.failed(base);
          if (end.status === 401 && token !== undefined) this.#tokens?.reject(token);
          events.onEnd(end);
        },
      },
      this.ports.timers,
    );
  }

  #ask<T>(
    method: Call['method'],
    path: string,
    read: Read<T>,
    signal: AbortSignal,
    body?: unknown,
    consumerId?: string,
  ): Promise<T> {
    return this.#calls.call({ method, path: `${this.#registry}${path}`, body, consumerId }, read, signal);
  }

  async #login(account: { readonly name: string; readonly password: string }, signal: AbortSignal): Promise<string> {
    return await this.#calls.call(
      { method: 'POST', path: '/v4/token', body: account, anonymous: true },
      (body) => idIn(body, 'token'),
      signal,
    );
  }

  /** Any sensible answer will do: a server with access control says 401 to strangers, but health is open to all. */
  async #isWell(base: string): Promise<boolean> {
    try {
      const health = { method: 'GET', path: '/v4/default/registry/health' } as const;
      await this.#calls.callAt(base, health, undefined, this.#end.signal);
      return true;
    } catch (error) {
      return errorCodeOf(error) !== undefined && (error as ServiceCenterError).code !== 'SC_UNREACHABLE';
    }
  }
}

/** Said with a code of service-center: what a proxy says has only its status. */
function isOwnRefusal(error: unknown): boolean {
  if (!(error instanceof ServiceCenterError) || error.errorCode === undefined) return false;
  return (error.code === 'SC_REFUSED' || error.code === 'SC_DENIED') && error.errorCode % 1_000 !== 0;
}

function instancePath({ serviceId, instanceId }: InstanceKey): string {
  return `/microservices/${encodeURIComponent(serviceId)}/instances/${encodeURIComponent(instanceId)}`;
}

function schemaPath(serviceId: string, schemaId: string): string {
  return `/microservices/${encodeURIComponent(serviceId)}/schemas/${encodeURIComponent(schemaId)}`;
}

/** What has no result has none. */
function ignore(): void {}

function readServiceId(body: unknown): string {
  return idIn(body, 'serviceId');
}

/** The instances of a batch of heartbeats that service-center does not know. */
function readLost(body: unknown): ReadonlySet<string> {
  const lost = new Set<string>();
  for (const item of listIn(body, 'instances')) {
    const { instanceId, errMessage } = membersOf(item);
    if (typeof instanceId === 'string' && textOf(errMessage) !== undefined) lost.add(instanceId);
  }
  return lost;
}
