/** The names of all settings, light enough to be loaded for `--help`. */
export { ALL_SETTINGS, UNSUPPORTED, ownVariable } from './setting-table.js';
export type { Setting, SettingName } from './setting-table.js';
export { flagName } from './raw-settings.js';
