import type { SteadySettings } from '@mesher/core';
import type { BackendNature } from './backend.js';
import type { Scenario } from './simulate.js';

/** A backend that works on two requests at a time, 20 ms each: 100 requests/s. */
const USUAL: BackendNature = {
  workers: 2,
  meanMs: () => 20,
  isFailing: () => false,
  appearsAt: 0,
  weight: 1,
};

const TEN = Array.from({ length: 10 }, () => USUAL);

/** Ten backends at 60 % of what the usual ones can do, asked by five sidecars. */
const BASE = { clients: 5, rate: 600, warmUpMs: 5000, watched: 0 } as const;

/** The cold backend comes a little after the start of what is counted. */
const COLD_AT = 15_000;
/** It needs so long to get warm. */
const COLD_FOR = 20_000;
/** Cold, a request takes so many times as long. */
const COLD_FACTOR = 5;

export const SLOW: Scenario = {
  ...BASE,
  id: 'slow',
  title: 'One of ten backends is slow',
  text: 'One of ten takes 80 ms where the others take 20 ms; none is overloaded by its tenth of the requests',
  durationMs: 65_000,
  backends: TEN.map((usual, index) => ({ ...usual, workers: 8, meanMs: () => (index === 0 ? 80 : 20) })),
};

export const FAILING: Scenario = {
  ...BASE,
  id: 'failing',
  title: 'One of ten backends fails at once',
  text: 'One of ten answers 503 within 1 ms, from second 10 to second 50',
  durationMs: 65_000,
  backends: TEN.map((usual, index) =>
    index === 0 ? { ...usual, isFailing: (now: number) => now >= 10_000 && now < 50_000 } : usual,
  ),
};

export const COLD: Scenario = {
  ...BASE,
  id: 'cold',
  title: 'A cold backend joins nine others',
  text: 'The tenth appears at second 15; its requests take five times as long at first, and as long as those of the others 20 s later',
  durationMs: 50_000,
  warmUpMs: 10_000,
  backends: TEN.map((usual, index) =>
    index === 0
      ? {
          ...usual,
          workers: 4,
          appearsAt: COLD_AT,
          meanMs: (now: number) => 20 * (1 + (COLD_FACTOR - 1) * Math.max(0, 1 - (now - COLD_AT) / COLD_FOR)),
        }
      : usual,
  ),
};

export const UNEQUAL: Scenario = {
  ...BASE,
  id: 'unequal',
  title: 'Backends of unequal size',
  text: 'Two of ten have 4 workers, eight have 2, and nobody told the registry; 80 % of what all can do',
  durationMs: 65_000,
  rate: 960,
  backends: TEN.map((usual, index) => ({ ...usual, workers: index < 2 ? 4 : 2 })),
};

/** The same, with their sizes as weights. */
export const WEIGHTED: Scenario = {
  ...UNEQUAL,
  id: 'weighted',
  title: 'Backends of unequal size, with weights',
  text: 'The same ten, registered with weights 4 and 2',
  backends: UNEQUAL.backends.map((backend) => ({ ...backend, weight: backend.workers })),
};

export interface Contender {
  readonly name: string;
  readonly settings: SteadySettings;
}

/** The strategies that choose by more than a key. */
export const CONTENDERS: readonly Contender[] = [
  'RoundRobin',
  'Random',
  'WeightedResponse',
  'LeastRequest',
  'PeakEWMA',
].map((strategy) => ({ name: strategy, settings: { strategy } }));

/** Ejection as it is by default, once it is enabled. */
const OUTLIER: SteadySettings = {
  outlier: {
    consecutive5xx: 5,
    consecutiveGatewayErrors: 5,
    successRate: { minHosts: 5, minRequests: 100, stdevFactor: 1.9 },
    intervalMs: 10_000,
    baseEjectionMs: 30_000,
    maxEjectionMs: 300_000,
    maxEjectionPercent: 10,
  },
};

const SLOW_START: SteadySettings = { slowStart: { windowMs: COLD_FOR, minimumShare: 0.1, aggression: 1 } };

export function withEjection({ name, settings }: Contender): Contender {
  return { name: `${name} + outlier`, settings: { ...settings, ...OUTLIER } };
}

export function withSlowStart({ name, settings }: Contender): Contender {
  return { name: `${name} + slow start`, settings: { ...settings, ...SLOW_START } };
}
