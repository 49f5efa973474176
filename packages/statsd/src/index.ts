export { FAMILY_GROUPS, statsdSchema } from './statsd-schema.js';
export type { FamilyGroup, StatsdOptions } from './statsd-schema.js';
export { StatsdSender } from './statsd-sender.js';
export type { StatsdParts } from './statsd-sender.js';
export type { AddressLookup } from './statsd-link.js';
