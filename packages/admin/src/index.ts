export { renderAdminReference } from './admin-reference.js';
export { AdminServer } from './admin-server.js';
export type { AdminServerOptions } from './admin-server.js';
export { BoundedServer } from './bounded-server.js';
export type { AdminAddress, BoundedServerOptions, RequestAnswerer } from './bounded-server.js';
export { guardedRequest } from './guarded-request.js';
export { RequestGuard } from './request-guard.js';
export type { GuardedRequest } from './request-guard.js';
export { ADMIN_HOST, ADMIN_LIMITS, ADMIN_PORT } from './defaults.js';
export type { AdminLimits } from './defaults.js';
export { isLoopback } from './loopback.js';
export { ADMIN_ROUTES } from './routes.js';
export type { AdminRequest, AdminRoute } from './routes.js';
export type { AdminReply } from './reply.js';
export type {
  DestinationView,
  RecentConnectionView,
  TransparentSources,
  TransparentView,
} from './transparent-sources.js';
export type {
  AdminSources,
  EndpointView,
  HealthInfo,
  InstanceView,
  JsonValue,
  KnowledgeView,
  Readiness,
  RegistryView,
  ServiceView,
  PoolView,
  PoolsView,
  ServicesView,
  VersionInfo,
} from './sources.js';
