export { ProfileApi } from './profile-api.js';
export type { ProfilingOptions, ProfilingParts } from './profile-api.js';
