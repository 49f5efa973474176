export { serviceCenterRegistry } from './plugin.js';
export { serviceCenterSchema, type ServiceCenterOptions } from './options.js';
export { ServiceCenterError, type ServiceCenterErrorCode } from './client/service-center-error.js';
