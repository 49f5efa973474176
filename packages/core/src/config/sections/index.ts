import { handlerSchema } from './handlers.js';
import { localHealthCheckSchema } from './health.js';
import { MARKED_SECTIONS } from './marked.js';
import { adminSchema, mesherSchema, pluginSchema, pluginsSchema, pprofSchema } from './mesher.js';
import { PLATFORM_SECTIONS } from './platform.js';
import { protocolsSchema } from './protocols.js';
import { registrySchema } from './registry.js';
import { RESILIENCE_SECTIONS } from './resilience.js';
import { ROUTING_SECTIONS } from './routing.js';
import { serviceSchema } from './service.js';

/** The sections that every configuration has, by the dotted key they stand at. Packages add theirs when they load one. */
export const CORE_SECTIONS = {
  'servicecomb.service': serviceSchema,
  'servicecomb.protocols': protocolsSchema,
  'servicecomb.registry': registrySchema,
  'servicecomb.handler': handlerSchema,
  admin: adminSchema,
  plugins: pluginsSchema,
  plugin: pluginSchema,
  pprof: pprofSchema,
  mesher: mesherSchema,
  localHealthCheck: localHealthCheckSchema,
  ...RESILIENCE_SECTIONS,
  ...ROUTING_SECTIONS,
  ...MARKED_SECTIONS,
  ...PLATFORM_SECTIONS,
};
