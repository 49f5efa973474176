export { serviceCenterRegistry } from './plugin.js';
export { serviceCenterSchema, type ServiceCenterOptions } from './options.js';
export { ServiceCenterError, type ServiceCenterErrorCode } from './client/service-center-error.js';
export type { ServiceCenterRegistry } from './create-service-center-registry.js';
export type { ContractHolder, ContractIndex } from './finding/contract-index.js';
