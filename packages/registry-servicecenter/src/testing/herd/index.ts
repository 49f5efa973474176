export { Herd } from './herd.js';
export type { Arrival, HerdSettings, Purpose } from './herd.js';
export { histogram, perSecond, spreadOf } from './spread.js';
export type { Spread } from './spread.js';
