import { readInstance, readService } from './store/read-records.js';
import type { Tenant } from './store/tenant.js';

/** A service version with instances, in the words of the API; what is left out has its default there. */
export interface Seed {
  /** `domain/project`; that of everybody by default. */
  readonly tenant?: string;
  readonly appId?: string;
  readonly serviceName: string;
  readonly version?: string;
  readonly environment?: string;
  readonly alias?: string;
  readonly properties?: Readonly<Record<string, string>>;
  readonly tags?: Readonly<Record<string, string>>;
  readonly instances?: readonly SeedInstance[];
}

export interface SeedInstance {
  readonly instanceId?: string;
  /** Such as `rest://127.0.0.1:8080?sslEnabled=false`. */
  readonly endpoints?: readonly string[];
  readonly hostName?: string;
  readonly status?: string;
  readonly properties?: Readonly<Record<string, string>>;
  readonly healthCheck?: { readonly mode: string; readonly interval: number; readonly times: number };
  readonly dataCenterInfo?: { readonly name: string; readonly region: string; readonly availableZone: string };
}

export interface Seeded {
  readonly serviceId: string;
  readonly instanceIds: readonly string[];
}

/** Registers as the API would. @throws RegistryError */
export function seedService(tenant: Tenant, { tenant: _, tags, instances = [], ...service }: Seed): Seeded {
  const serviceId = tenant.registerService(readService(service));
  if (tags !== undefined) tenant.services.setTags(serviceId, tags);
  const instanceIds = instances.map((instance) =>
    tenant.registerInstance(serviceId, readInstance({ hostName: 'seeded', ...instance })),
  );
  return { serviceId, instanceIds };
}
