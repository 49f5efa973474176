import { RegistryError } from './registry-error.js';

/** How much a tenant may hold; the defaults are those of service-center (`quota.cap`). */
export interface Quotas {
  /** Service versions. */
  readonly services: number;
  readonly instances: number;
  /** Contracts of one service version. */
  readonly schemas: number;
  /** Tags of one service version. */
  readonly tags: number;
}

export const DEFAULT_QUOTAS: Quotas = { services: 50_000, instances: 150_000, schemas: 100, tags: 100 };

/** @throws RegistryError 400100 when there would be more than allowed */
export function checkQuota(quotas: Quotas, what: keyof Quotas, next: number): void {
  if (next <= quotas[what]) return;
  throw new RegistryError(400100, `no quota to create ${what}, max num is ${quotas[what]}, wanted are ${next}`);
}
