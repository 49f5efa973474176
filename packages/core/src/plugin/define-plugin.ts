import type { Schema } from '../config/schema/schema.js';
import type { ConfigSource } from '../config/live/config-source.js';
import type { HealthChecker } from '../health/health-checker.js';
import type { BalancerFactory } from '../loadbalance/load-balancer.js';
import type { Ports } from '../ports/ports.js';
import type { IpIndex } from '../registry/ip-index.js';
import type { Registry } from '../registry/contracts.js';
import type { Fallback } from '../resilience/fallback/fallback.js';
import type { SharedLimiter } from '../resilience/rate-limit/shared-limiter.js';
import type { DestinationResolver, SourceResolver } from '../resolver/contracts.js';
import type { Logger } from '../telemetry/logger.js';
import type { SpanExporterFactory } from '../telemetry/tracing/span-exporter.js';
import type { RegistryClient } from './registry-client.js';

/** What each kind of plugin makes. */
export interface PluginKinds {
  'destination-resolver': DestinationResolver;
  'source-resolver': SourceResolver;
  registry: Registry;
  /** A strategy that `cse.loadbalance.strategy.name` may name. */
  'load-balancer': BalancerFactory;
  /** A fallback that `cse.fallbackpolicy.*.policy` may name. */
  fallback: Fallback;
  /** Where rate limits are counted that several sidecars share. */
  'shared-limiter': SharedLimiter;
  /** A place of configuration besides files, such as a config center. */
  'config-source': ConfigSource;
  /** A way to check the local application that the `protocol` of a `localHealthCheck` may name. */
  'health-checker': HealthChecker;
  /** Where spans go that `tracing.tracer` may name. */
  'span-exporter': SpanExporterFactory;
}

export type PluginKind = keyof PluginKinds;

/** All kinds, for checks of plugins that the compiler has not seen. */
export const PLUGIN_KINDS: readonly PluginKind[] = [
  'destination-resolver',
  'source-resolver',
  'registry',
  'load-balancer',
  'fallback',
  'shared-limiter',
  'config-source',
  'health-checker',
  'span-exporter',
];

/** Kinds of which every plugin in the catalog is made at the start; who uses them chooses by name while they run. */
export const STANDING_KINDS = [
  'load-balancer',
  'fallback',
  'shared-limiter',
  'health-checker',
  'span-exporter',
] as const satisfies readonly PluginKind[];

/** What a plugin may use of the chassis that it is installed in. */
export interface PluginContext {
  readonly ports: Ports;
  readonly logger: Logger;
  /** Folder of the configuration files; relative paths in a plugin's settings start here. */
  readonly confDir: string;
  /** Which service has which address, for resolvers that start from an address. */
  readonly ipIndex: IpIndex;
  /** `servicecomb.registry.address`, for registry plugins. */
  readonly registryAddresses: readonly string[];
  /** What the configuration says about the registry and who asks it; for registry plugins only. */
  readonly registryClient?: RegistryClient;
  /** What a config source is asked for; for plugins of that kind only. */
  readonly configClient?: ConfigClient;
}

/** What `servicecomb.config.client` and the identity of the service say to a config source. */
export interface ConfigClient {
  /** As the user wrote them; at least one. */
  readonly addresses: readonly string[];
  /** True to be told of changes at once, false to ask at intervals; undefined when nobody said: whatever suits the config center. */
  readonly watches: boolean | undefined;
  /** Between two questions, or the longest that an answer may be held back. */
  readonly refreshIntervalMs: number;
  /** Whose configuration it is. Empty texts for what is not set. */
  readonly service: {
    readonly name: string;
    readonly app: string;
    readonly version: string;
    readonly environment: string;
  };
}

export interface PluginDefinition<K extends PluginKind, C> {
  readonly kind: K;
  /** The name by which configuration chooses the plugin; unique within its kind. */
  readonly name: string;
  /** How the plugin's own settings look; without it `create` gets `undefined`. */
  readonly configSchema?: Schema<C>;
  create(config: C, context: PluginContext): PluginKinds[K] | Promise<PluginKinds[K]>;
  /**
   * Throws for settings that `create` would refuse. `mesher config check` calls it for registries, which it does not make: it may read
   * files, but asks no server and leaves nothing behind.
   */
  check?(config: C, context: PluginContext): Promise<void>;
}

const PLUGIN_BRAND: symbol = Symbol.for('mesher.plugin');

/** A plugin of any kind, as loaded from a module. */
export type AnyPlugin = { [K in PluginKind]: PluginDefinition<K, unknown> }[PluginKind];

/**
 * Declares a plugin.
 *
 * ```ts
 * export const byPath = definePlugin({
 *   kind: 'destination-resolver',
 *   name: 'by-path',
 *   create: () => ({ resolve: (call) => ({ service: call.path.split('/')[1] ?? '' }) }),
 * });
 * ```
 */
export function definePlugin<K extends PluginKind, C = undefined>(
  definition: PluginDefinition<K, C>,
): PluginDefinition<K, C> {
  Object.defineProperty(definition, PLUGIN_BRAND, { value: true });
  return definition;
}

/** True for what {@link definePlugin} returned, in this or another copy of the package. */
export function isPlugin(value: unknown): value is AnyPlugin {
  return typeof value === 'object' && value !== null && PLUGIN_BRAND in value;
}
