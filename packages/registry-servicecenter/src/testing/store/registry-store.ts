import type { Ports, TimerHandle } from '@mesher/core';
import { Tenant, type TenantEvent, type TenantListener, type TenantRules, type TenantState } from './tenant.js';

/** The tenant of the registry itself, and of everybody who names none. */
export const DEFAULT_TENANT = 'default/default';

/** What a registry keeps over a restart. */
export interface RegistryState {
  readonly tenants: Readonly<Record<string, TenantState>>;
}

/** All tenants of a registry. */
export class RegistryStore {
  readonly #tenants = new Map<string, Tenant>();
  #heartbeat: TimerHandle | undefined;
  readonly #onEvent = new Set<(tenant: Tenant, event: TenantEvent) => void>();
  readonly #onChange = new Set<() => void>();

  /** The registry as a service of its own: found by everybody, and told with the health. */
  readonly self: Tenant;

  /** @param rules of all tenants but its own */
  constructor(
    private readonly ports: Ports,
    private readonly rules: TenantRules = {},
  ) {
    this.self = new Tenant(DEFAULT_TENANT, ports, { event: () => {}, changed: () => {} });
  }

  /** Makes the registry known under its address. @param endpoint such as `rest://127.0.0.1:30100/` */
  registerSelf(endpoint: string): void {
    const name = { appId: 'default', serviceName: 'SERVICECENTER', alias: 'SERVICECENTER' };
    const properties = { allowCrossApp: 'true' };
    const serviceId = this.self.registerService({
      ...name,
      version: '0.0.1',
      serviceId: undefined,
      properties,
      level: 'BACK',
      status: 'UP',
    });
    const healthCheck = { mode: 'push', interval: 30, times: 3 };
    const given = {
      instanceId: undefined,
      hostName: 'localhost',
      endpoints: [endpoint],
      status: 'UP',
      healthCheck,
    } as const;
    const instanceId = this.self.registerInstance(serviceId, given);
    this.#heartbeat = this.ports.timers.every(healthCheck.interval * 1_000, () =>
      this.self.instances.renew(serviceId, instanceId),
    );
  }

  /** Ends every timer. */
  close(): void {
    this.#heartbeat?.cancel();
    this.self.stop();
    this.forget();
  }

  /** @param name `domain/project`; a tenant comes into being when it is first named */
  tenant(name = DEFAULT_TENANT): Tenant {
    const tenant = this.visit(name);
    this.#tenants.set(name, tenant);
    return tenant;
  }

  /** The same for one request: a tenant in which nothing is registered is forgotten, or who makes names up would fill the memory. */
  visit(name: string): Tenant {
    const present = this.#tenants.get(name);
    if (present !== undefined) return present;
    const listener: TenantListener = {
      event: (of, event) => this.#onEvent.forEach((listen) => listen(of, event)),
      changed: () => {
        if (!this.#tenants.has(name)) this.#tenants.set(name, tenant);
        this.#onChange.forEach((listen) => listen());
      },
    };
    const tenant = new Tenant(name, this.ports, listener, this.rules);
    return tenant;
  }

  onEvent(listen: (tenant: Tenant, event: TenantEvent) => void): void {
    this.#onEvent.add(listen);
  }

  /** Called after everything that {@link dump} would show. */
  onChange(listen: () => void): void {
    this.#onChange.add(listen);
  }

  dump(): RegistryState {
    return { tenants: Object.fromEntries(Array.from(this.#tenants, ([name, tenant]) => [name, tenant.dump()])) };
  }

  restore(state: RegistryState): void {
    for (const [name, tenant] of Object.entries(state.tenants)) this.tenant(name).restore(tenant);
  }

  /** Loses everything, without telling anybody. */
  forget(): void {
    for (const tenant of this.#tenants.values()) tenant.stop();
    this.#tenants.clear();
  }
}
