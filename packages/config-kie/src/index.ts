export { kieSource } from './plugin.js';
export { kieSchema, type KieSettings } from './settings.js';
