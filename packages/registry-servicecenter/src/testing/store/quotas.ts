import { RegistryError } from './registry-error.js';

/** How much a tenant may hold; the defaults are those of service-center (`quota.cap`). */
export interface Quotas {
  /** Service versions. */
  readonly services: number;
  readonly instances: number;
  /** Contracts of one service version. */
  readonly schemas: number;
}

export const DEFAULT_QUOTAS: Quotas = { services: 50_000, instances: 150_000, schemas: 100 };

/** As service-center names them. */
const NAMES = { services: 'SERVICE', instances: 'INSTANCE', schemas: 'SCHEMA' } as const;

/** @throws RegistryError 400100 when there would be more than allowed */
export function checkQuota(quotas: Quotas, what: keyof Quotas, next: number): void {
  if (next <= quotas[what]) return;
  const now = `max num is ${quotas[what]}, curNum is ${next - 1}, apply num is 1`;
  throw new RegistryError(400100, `no quota to create ${NAMES[what]}, ${now}`);
}
