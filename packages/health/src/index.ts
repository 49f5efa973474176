export { grpcChecker, restChecker, tcpChecker } from './plugins.js';
export { healthSchema, type HealthOptions } from './options.js';
export { LocalHealth } from './checking/local-health.js';
export type { CheckerSource, LocalHealthParts, LocalHealthView } from './checking/local-health.js';
export type { CheckView } from './checking/health-check.js';
export type { HealthState } from './checking/thresholds.js';
export { StatusPublisher } from './publishing/status-publisher.js';
export type { PublishOptions } from './publishing/status-publisher.js';
