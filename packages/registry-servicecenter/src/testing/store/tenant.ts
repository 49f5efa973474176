import { randomUUID } from 'node:crypto';
import type { Ports } from '@mesher/core';
import { InstanceTable, type InstanceChange } from './instance-table.js';
import type { GivenInstance, GivenService } from './read-records.js';
import type { InstanceRecord, ServiceExtras, ServiceKey, ServiceRecord } from './records.js';
import { checkQuota, DEFAULT_QUOTAS, type Quotas } from './quotas.js';
import { RegistryError } from './registry-error.js';
import { ServiceTable, nameKey } from './service-table.js';

/** What somebody wants to find. */
export interface FindQuery {
  /** The service that asks; its environment wins, and from now on it is told of changes. */
  readonly consumerId?: string;
  readonly appId: string;
  readonly serviceName: string;
  readonly alias?: string;
  readonly environment?: string;
  /** Only service versions that have all of these tags. */
  readonly tags?: readonly string[];
}

export interface Found {
  readonly instances: readonly InstanceRecord[];
  /** Opaque; another one after each change. */
  readonly revision: string;
}

/** An event as the watch sends it. */
export interface TenantEvent extends InstanceChange {
  readonly service: ServiceRecord;
  /** Services that have asked for this one. */
  readonly consumers: readonly string[];
}

/** Everything that one tenant (`domain/project`) has in the registry. */
export interface TenantState {
  readonly services: readonly { readonly record: ServiceRecord; readonly extras: ServiceExtras }[];
  readonly instances: readonly InstanceRecord[];
  /** Names of providers by the id of the consumer. */
  readonly dependencies: Readonly<Record<string, readonly string[]>>;
}

/** What service-center has as settings. */
export interface TenantRules {
  /** Default: those of service-center. */
  readonly quotas?: Quotas;
  /** Goes on listing instances for a while when most leases run out together. Default: false, so that tests see leases end. */
  readonly selfPreservation?: boolean;
}

export interface TenantListener {
  event(tenant: Tenant, event: TenantEvent): void;
  /** Anything that is worth storing has changed. */
  changed(): void;
}

/** The registry of one tenant: services, instances, who depends on whom, and revisions of what can be found. */
export class Tenant {
  readonly services: ServiceTable;
  readonly instances: InstanceTable;
  readonly #providers = new Map<string, Set<string>>();
  readonly #revisions = new Map<string, number>();
  /** A registry that forgot and counts again must not meet revisions of its former life. */
  readonly #life = randomUUID().slice(0, 8);
  #revision = 0;

  /** @param name `domain/project` */
  constructor(
    readonly name: string,
    private readonly ports: Ports,
    private readonly listener: TenantListener,
    private readonly rules: TenantRules = {},
  ) {
    const { quotas = DEFAULT_QUOTAS, selfPreservation } = rules;
    this.services = new ServiceTable(quotas);
    this.instances = new InstanceTable(ports, (change) => this.#instanceChanged(change), selfPreservation);
  }

  registerService(given: GivenService): string {
    const { serviceId, created } = this.services.register(given, this.now());
    if (created) this.touch(serviceId);
    return serviceId;
  }

  /** @throws RegistryError 400012, 400100 */
  registerInstance(serviceId: string, given: GivenInstance): string {
    const service = this.services.find(serviceId);
    if (service === undefined) throw new RegistryError(400012, "Invalid 'serviceID' in request body.");
    const isNew = given.instanceId === undefined || this.instances.find(serviceId, given.instanceId) === undefined;
    if (isNew) checkQuota(this.rules.quotas ?? DEFAULT_QUOTAS, 'instances', this.instances.count() + 1);
    return this.instances.register(serviceId, service.version, given);
  }

  /** @throws RegistryError 400012; 400023 and 400013 unless `force` */
  removeService(serviceId: string, force: boolean): void {
    const service = this.services.get(serviceId);
    const instances = this.instances.list(serviceId);
    if (!force && this.consumersOf(service).some((id) => id !== serviceId)) {
      throw new RegistryError(400023, 'Can not delete this service, other service rely it.');
    }
    if (!force && instances.length > 0) {
      throw new RegistryError(400013, 'Can not delete the service deployed instance(s).');
    }
    for (const { instanceId } of instances) this.instances.remove(serviceId, instanceId);
    this.touch(serviceId);
    this.services.remove(serviceId);
    this.#providers.delete(serviceId);
  }

  /** @throws RegistryError 400012 when the consumer is unknown, or nothing has the name */
  find(query: FindQuery): Found {
    const consumer = query.consumerId === undefined ? undefined : this.services.find(query.consumerId);
    if (query.consumerId !== undefined && consumer === undefined) {
      throw new RegistryError(400012, `Consumer[${query.consumerId}] does not exist.`);
    }
    const key = { ...query, environment: consumer === undefined ? query.environment : consumer.environment };
    const versions = this.services.versionsOf(key);
    const [first] = versions;
    if (first === undefined) {
      throw new RegistryError(
        400012,
        `Consumer[${query.consumerId ?? ''}] find provider[${nameKey(key)}] failed, provider does not exist`,
      );
    }
    const { tags = [] } = query;
    const shown = versions.filter(
      (service) =>
        mayFind(consumer, service) && tags.every((tag) => tag in this.services.extras(service.serviceId).tags),
    );
    if (consumer !== undefined && shown.length > 0) this.addDependency(consumer.serviceId, nameKey(first));
    return {
      instances: shown.flatMap(({ serviceId }) => this.instances.list(serviceId)),
      revision: this.revisionOf(first),
    };
  }

  /** Of all versions of the service. */
  revisionOf(service: ServiceRecord): string {
    return `${this.#life}.${this.#revisions.get(nameKey(service)) ?? 0}`;
  }

  /** @param provider as {@link nameKey} makes it */
  addDependency(consumerId: string, provider: string): void {
    const providers = this.#providers.get(consumerId) ?? new Set();
    if (providers.has(provider)) return;
    this.#providers.set(consumerId, providers.add(provider));
    this.listener.changed();
  }

  setDependencies(consumerId: string, providers: Iterable<string>): void {
    this.#providers.set(consumerId, new Set(providers));
    this.listener.changed();
  }

  /** Ids of the services that have asked for any version of this one. */
  consumersOf(service: ServiceRecord): readonly string[] {
    const key = nameKey(service);
    return [...this.#providers].flatMap(([id, providers]) => (providers.has(key) ? [id] : []));
  }

  providersOf(consumerId: string): readonly ServiceRecord[] {
    const providers = this.#providers.get(consumerId);
    return providers === undefined ? [] : this.services.list().filter((service) => providers.has(nameKey(service)));
  }

  /** Makes another revision of everything that finds this service. */
  touch(serviceId: string): void {
    this.#revisions.set(nameKey(this.services.get(serviceId)), ++this.#revision);
    this.listener.changed();
  }

  /** Seconds since 1970, as text. */
  now(): string {
    return String(Math.floor(this.ports.clock.wallTime() / 1_000));
  }

  dump(): TenantState {
    const services = this.services.list();
    return {
      services: services.map((record) => ({ record, extras: this.services.extras(record.serviceId) })),
      instances: services.flatMap(({ serviceId }) => this.instances.list(serviceId)),
      dependencies: Object.fromEntries(Array.from(this.#providers, ([id, providers]) => [id, [...providers]])),
    };
  }

  /** Puts a state into an empty tenant; every instance has a whole lease from now on. */
  restore(state: TenantState): void {
    for (const { record, extras } of state.services) this.services.put(record, extras);
    for (const instance of state.instances) this.instances.put(instance);
    for (const [id, providers] of Object.entries(state.dependencies)) this.#providers.set(id, new Set(providers));
  }

  stop(): void {
    this.instances.stop();
  }

  #instanceChanged(change: InstanceChange): void {
    const service = this.services.get(change.instance.serviceId);
    this.touch(service.serviceId);
    this.listener.event(this, { ...change, service, consumers: this.consumersOf(service) });
  }
}

/** Services of other applications are found only when they allow it; those of other environments never. */
function mayFind(
  consumer: ServiceRecord | undefined,
  provider: Pick<ServiceRecord, 'appId' | 'environment' | 'properties'>,
): boolean {
  if (consumer === undefined) return true;
  if ((consumer.environment ?? '') !== (provider.environment ?? '')) return false;
  return consumer.appId === provider.appId || provider.properties?.['allowCrossApp']?.toLowerCase() === 'true';
}

/** The key of a service as the watch sends it. */
export function eventKey(tenant: string, service: ServiceRecord): ServiceKey & { readonly tenant: string } {
  const { environment, appId, serviceName, alias, version } = service;
  return {
    tenant,
    ...(environment ? { environment } : {}),
    appId,
    serviceName,
    ...(alias ? { alias } : {}),
    version,
  };
}
