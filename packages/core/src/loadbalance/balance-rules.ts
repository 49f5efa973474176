import type { LoadbalanceBlock, LoadbalanceSection } from '../config/sections/loadbalance.js';
import type { HashSettings } from './hash/hash-key.js';
import type { OutlierRules } from './outlier.js';
import type { Place } from './place.js';
import type { SessionRule } from './session-cookie.js';
import type { SlowStart } from './slow-start.js';

/** How calls of one service are balanced: `cse.loadbalance` with what the service says for itself, and the defaults. */
export interface BalanceRules {
  /** As it is written in the configuration. */
  readonly strategy: string;
  readonly hash: HashSettings;
  readonly session: SessionRule;
  readonly latencyDecayMs: number;
  /** Where this process runs, when calls prefer what is near. */
  readonly near: Place | undefined;
  /** 1 or more. */
  readonly overprovisioning: number;
  /** 0..1 */
  readonly panicThreshold: number;
  readonly slowStart: SlowStart | undefined;
  readonly outlier: OutlierRules | undefined;
}

/** The value of the service, else the global one, which has a default. */
function either<T>(own: T | undefined, global: T | undefined): T {
  return (own ?? global) as T;
}

/** @param here where this process runs */
export function readBalanceRules(section: LoadbalanceSection, service: string, here: Place): BalanceRules {
  const own = section.services.get(service);
  return {
    strategy: either(own?.strategy.name, section.strategy.name),
    hash: readHash(own, section),
    session: readSession(own, section, service),
    latencyDecayMs: either(own?.latencyDecay, section.latencyDecay),
    near: (own?.serverListFilters ?? section.serverListFilters)?.includes('zoneaware') === true ? here : undefined,
    overprovisioning: either(own?.overprovisioning, section.overprovisioning) / 100,
    panicThreshold: either(own?.panicThreshold, section.panicThreshold) / 100,
    slowStart: readSlowStart(own, section),
    outlier: readOutlier(own, section),
  };
}

/** A service that says what to hash says all of it: a header of its own and the cookie of all others would be a surprise. */
function readHash(own: LoadbalanceBlock | undefined, section: LoadbalanceSection): HashSettings {
  const hash = own !== undefined && saysWhatToHash(own) ? own.hash : section.hash;
  const { header, cookie, cookieTtl, query, path, source } = hash;
  return {
    header,
    cookie,
    cookieTtlS: cookieTtl === undefined ? undefined : Math.ceil(cookieTtl / 1000),
    query,
    path: path ?? false,
    source: source ?? false,
  };
}

function saysWhatToHash({ hash }: LoadbalanceBlock): boolean {
  return Object.values(hash).some((value) => value !== undefined);
}

function readSession(own: LoadbalanceBlock | undefined, section: LoadbalanceSection, service: string): SessionRule {
  const ours = own?.SessionStickinessRule;
  const global = section.SessionStickinessRule;
  return {
    cookieName: either(ours?.cookieName, global.cookieName),
    timeoutS: either(ours?.sessionTimeoutInSeconds, global.sessionTimeoutInSeconds),
    failures: either(ours?.successiveFailedTimes, global.successiveFailedTimes),
    secret: ours?.secret ?? global.secret ?? service,
  };
}

function readSlowStart(own: LoadbalanceBlock | undefined, { slowStart }: LoadbalanceSection): SlowStart | undefined {
  const windowMs = either(own?.slowStart.window, slowStart.window);
  if (windowMs === 0) return undefined;
  return {
    windowMs,
    minimumShare: either(own?.slowStart.minimumShare, slowStart.minimumShare) / 100,
    aggression: either(own?.slowStart.aggression, slowStart.aggression),
  };
}

function readOutlier(own: LoadbalanceBlock | undefined, section: LoadbalanceSection): OutlierRules | undefined {
  const ours = own?.outlier;
  const { outlier } = section;
  if ((ours?.enabled ?? outlier.enabled) !== true) return undefined;
  return {
    consecutive5xx: either(ours?.consecutive5xx, outlier.consecutive5xx),
    consecutiveGatewayErrors: either(ours?.consecutiveGatewayErrors, outlier.consecutiveGatewayErrors),
    successRate: {
      minHosts: either(ours?.successRate.minHosts, outlier.successRate.minHosts),
      minRequests: either(ours?.successRate.minRequests, outlier.successRate.minRequests),
      stdevFactor: either(ours?.successRate.stdevFactor, outlier.successRate.stdevFactor),
    },
    intervalMs: either(ours?.interval, outlier.interval),
    baseEjectionMs: either(ours?.baseEjectionTime, outlier.baseEjectionTime),
    maxEjectionMs: either(ours?.maxEjectionTime, outlier.maxEjectionTime),
    maxEjectionPercent: either(ours?.maxEjectionPercent, outlier.maxEjectionPercent),
  };
}
