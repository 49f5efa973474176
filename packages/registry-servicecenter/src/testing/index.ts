export { ServiceCenterServer } from './service-center-server.js';
export type { ServiceCenterOptions } from './service-center-server.js';
