import type { MetricsText } from '@mesher/core';
import type { TransparentSources } from './transparent-sources.js';

/** What `JSON.stringify` can write without loss. */
export type JsonValue =
  string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue | undefined };

/** A yes, or a no with reasons for people. */
export interface Readiness {
  readonly ready: boolean;
  /** Why not; empty when ready. A drain is a reason too. */
  readonly reasons: readonly string[];
}

export interface VersionInfo {
  /** Version of Mesher. */
  readonly version: string;
  /** Version of Node.js. */
  readonly node: string;
  readonly commit?: string;
  /** When it was built, ISO 8601. */
  readonly built?: string;
}

/** The shape of the original mesher's health route. */
export interface HealthInfo {
  readonly serviceName: string;
  readonly version: string;
  /** `red` is answered with status 500, as there. */
  readonly status: 'green' | 'red';
  /** Why it is red. */
  readonly error?: string;
  /** The local health checks; left out where there are none. */
  readonly checks?: readonly HealthCheckInfo[];
}

/** What one check of the local application says. */
export interface HealthCheckInfo {
  /** Protocol, port and path. */
  readonly check: string;
  readonly state: 'unknown' | 'up' | 'down';
  /** What the latest check saw. */
  readonly detail: string;
  /** When that was, ISO 8601; left out before the first result. */
  readonly at?: string;
}

/** How long ago a registry or the directory knew something for sure. */
export interface KnowledgeView {
  readonly freshness: 'never' | 'fresh' | 'stale';
  /** Seconds since the last good answer; left out before the first. */
  readonly ageSeconds?: number;
  readonly lastError?: string;
}

export interface RegistryView extends KnowledgeView {
  readonly name: string;
  /** Complaints that did not stop the registry from working. */
  readonly problems: readonly string[];
  /** What happened to the connection since the start, and how often; left out by registries without one. */
  readonly events?: Readonly<Record<string, number>>;
}

export interface EndpointView {
  /** `host:port` */
  readonly address: string;
  /** Protocol as the registry names it: `rest`, `grpc`, `rest-admin`, `*`. */
  readonly protocol: string;
  readonly weight: number;
  /** True when the next call may go there. */
  readonly available: boolean;
  /** Why not: the instance is DOWN, the endpoint rests after failed connects, no address for the protocol. */
  readonly reason?: string;
}

export interface InstanceView {
  readonly instanceId: string;
  readonly app: string;
  readonly version: string;
  readonly status: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly endpoints: readonly EndpointView[];
}

export interface ServiceView extends KnowledgeView {
  readonly service: string;
  /** False when the registry is sure that there is no such service. */
  readonly exists: boolean;
  /** Opaque; another one whenever the content changed. Left out while nothing is known. */
  readonly revision?: string;
  readonly instances: readonly InstanceView[];
}

export interface ServicesView {
  readonly registries: readonly RegistryView[];
  readonly services: readonly ServiceView[];
}

/** The connections to one address. */
export interface PoolView {
  /** `host:port` */
  readonly address: string;
  /** Left out for the local application. */
  readonly service?: string;
  readonly protocol: 'http1' | 'http2';
  /** Connections, those included that are being made. */
  readonly connections: number;
  /** Those without a call. */
  readonly idle: number;
  /** Those that take no further calls. */
  readonly draining: number;
  /** Calls under way. */
  readonly calls: number;
  /** Calls that wait for a place. */
  readonly waiting: number;
}

export interface PoolsView {
  readonly pools: readonly PoolView[];
}

/**
 * Everything that the admin API shows, asked for at each request. The methods answer at once (but for the metrics page) and may
 * throw: then the route answers 500 and the others go on.
 */
export interface AdminSources {
  /** Whether the process should go on living. A no makes Kubernetes restart it, so it must not depend on others. */
  live(): Readiness;
  /** Whether calls can be taken: the first answer of the registry is there, listeners are open, no drain has begun. */
  ready(): Readiness;
  /** The Prometheus page; `MetricsPage.render` of `@mesher/core`. */
  metrics(): Promise<MetricsText>;
  version(): VersionInfo;
  health(): HealthInfo;
  /** The effective configuration with every secret masked: it is shown as it comes. */
  config(): JsonValue;
  services(): ServicesView;
  pools(): PoolsView;
  /**
   * What would become of a call; `Chassis.explain` of `@mesher/core`. Shown as it comes, so credentials are masked.
   * Rejects with MESH_ERR_EXPLAIN_REQUEST when the request makes no sense.
   */
  explain(request: unknown): Promise<object>;
  /** Left out by sidecars that are not in transparent mode. */
  transparent?(): TransparentSources | undefined;
  /** Starts a drain and returns at once; asked again, it goes on with the one that runs. */
  drain(): void;
}
