import type { Ports } from '@mesher/core';
import { Tenant, type TenantEvent, type TenantListener, type TenantState } from './tenant.js';

/** The tenant of the registry itself, and of everybody who names none. */
export const DEFAULT_TENANT = 'default/default';

/** What a registry keeps over a restart. */
export interface RegistryState {
  readonly tenants: Readonly<Record<string, TenantState>>;
}

/** All tenants of a registry. */
export class RegistryStore {
  readonly #tenants = new Map<string, Tenant>();
  readonly #onEvent = new Set<(tenant: Tenant, event: TenantEvent) => void>();
  readonly #onChange = new Set<() => void>();

  constructor(private readonly ports: Ports) {}

  /** @param name `domain/project`; a tenant comes into being when it is first named */
  tenant(name = DEFAULT_TENANT): Tenant {
    let tenant = this.#tenants.get(name);
    if (tenant === undefined) {
      const listener: TenantListener = {
        event: (of, event) => this.#onEvent.forEach((listen) => listen(of, event)),
        changed: () => this.#onChange.forEach((listen) => listen()),
      };
      tenant = new Tenant(name, this.ports, listener);
      this.#tenants.set(name, tenant);
    }
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
