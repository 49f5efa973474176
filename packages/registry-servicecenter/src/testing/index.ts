export { ServiceCenterServer } from './service-center-server.js';
export type { ServiceCenterOptions } from './service-center-server.js';
export type { Asked, RawAnswer } from './http/listener.js';
export type { AccountsOptions } from './rbac/accounts.js';
export type { Seed, SeedInstance, Seeded } from './seed.js';
export { RegistryError } from './store/registry-error.js';
export { SERVICE_CENTER_BEHAVIOURS } from './behaviours/all-behaviours.js';
export { ROOT_PASSWORD } from './behaviours/behaviour.js';
export type { Needs, ServiceCenterBehaviour, Target } from './behaviours/behaviour.js';
