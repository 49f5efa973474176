export { consulRegistry } from './plugin.js';
export { consulSchema, type ConsulOptions } from './options.js';
export { ConsulError, type ConsulErrorCode } from './client/consul-error.js';
export type { ConsulRegistry } from './create-consul-registry.js';
export { consulSource } from './configuring/plugin.js';
export { consulConfigSchema, type ConsulConfigSettings } from './configuring/settings.js';
