import { authorityResolver, hostResolver, ipResolver, sourceResolver } from '@mesher/resolver-host';
import { kieSource } from '@mesher/config-kie';
import { grpcChecker, healthSchema, restChecker, tcpChecker } from '@mesher/health';
import { redisLimiter } from '@mesher/limiter-redis';
import { consulRegistry, consulSource } from '@mesher/registry-consul';
import { fileRegistry } from '@mesher/registry-file';
import { serviceCenterRegistry } from '@mesher/registry-servicecenter';
import { jaegerExporter, otlpExporter, zipkinExporter } from '@mesher/tracing-otel';
import {
  CHASSIS_SECTIONS,
  PluginCatalog,
  isInstalledPackage,
  loadConfiguration,
  loadPlugins,
  looksLikeModule,
  pluginSections,
  type AnyPlugin,
  type LoadedConfiguration,
  type MeshDocument,
  type PluginKind,
  type RunningConfiguration,
  type Sections,
  type SourceLayer,
} from '@mesher/core';
import { proxyOptionsSchema } from '@mesher/proxy';
import { statsdSchema } from '@mesher/statsd/schema';
import { transparentSchema } from '../transparent/transparent-schema.js';

/** The plugins that come with the sidecar. */
export const BUILT_IN_PLUGINS: readonly AnyPlugin[] = [
  hostResolver,
  authorityResolver,
  ipResolver,
  sourceResolver,
  fileRegistry,
  serviceCenterRegistry,
  consulRegistry,
  kieSource,
  consulSource,
  redisLimiter,
  tcpChecker,
  restChecker,
  grpcChecker,
  jaegerExporter,
  otlpExporter,
  zipkinExporter,
];

export interface LoadRequest {
  readonly confDir: string;
  readonly configFile?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Values by dotted key that win over files and environment: what the command line says. */
  readonly overrides?: Readonly<Record<string, string>>;
}

/** What a later look at the configuration knows besides the files. */
export interface LaterLayers {
  readonly sources: readonly SourceLayer[];
  /** What the process was started with; undefined while it starts. */
  readonly running: RunningConfiguration | undefined;
}

export interface Loaded {
  readonly configuration: LoadedConfiguration;
  readonly catalog: PluginCatalog;
}

/** All sections of a sidecar's configuration: of the chassis, of the proxy core and of the plugins. */
export function sidecarSections(plugins: Iterable<AnyPlugin> = BUILT_IN_PLUGINS): Sections {
  return {
    ...CHASSIS_SECTIONS,
    'mesher.proxy': proxyOptionsSchema,
    'mesher.health': healthSchema,
    'mesher.statsd': statsdSchema,
    transparent: transparentSchema,
    ...pluginSections(plugins),
  };
}

/**
 * Reads the configuration and loads the plugins that it names. A plugin may bring settings of its own, so the configuration is read
 * again once all plugins are there.
 * @throws MeshError for a plugin that cannot be loaded
 */
export async function load(request: LoadRequest): Promise<Loaded> {
  const catalog = new PluginCatalog();
  for (const plugin of BUILT_IN_PLUGINS) catalog.add(plugin);
  const read = (): Promise<LoadedConfiguration> => readAgain(request, catalog);
  const configuration = await read();
  if (configuration.document === undefined) return { configuration, catalog };
  const added = await addPlugins(configuration.document, request.confDir, catalog);
  return { configuration: added ? await read() : configuration, catalog };
}

/** Reads everything again with the plugins that are there; modules are loaded at the start only. */
export function readAgain(
  request: LoadRequest,
  catalog: PluginCatalog,
  later?: LaterLayers,
): Promise<LoadedConfiguration> {
  return loadConfiguration({
    confDir: request.confDir,
    meshConfigFile: request.configFile,
    env: request.env,
    sections: sidecarSections(catalog),
    ...(request.overrides === undefined ? {} : { overrides: request.overrides }),
    ...(later === undefined ? {} : { sources: later.sources }),
    ...(later?.running === undefined ? {} : { running: later.running }),
  });
}

async function addPlugins(document: MeshDocument, confDir: string, catalog: PluginCatalog): Promise<boolean> {
  const modules = new Set(document.plugins);
  const chosen: [PluginKind, string | undefined][] = [
    ['destination-resolver', document.plugin.destinationResolver.http],
    ['destination-resolver', document.plugin.destinationResolver.grpc],
    ['destination-resolver', document.plugin.destinationResolver.tcp],
    ['source-resolver', document.plugin.sourceResolver],
    ...document.localHealthCheck.map(({ protocol }): [PluginKind, string | undefined] => ['health-checker', protocol]),
  ];
  for (const [kind, name] of chosen) {
    // A resolver or a checker may be named by its module; then the module's plugin of that kind is the one that is meant.
    if (name === undefined || catalog.find(kind, name) !== undefined) continue;
    if (looksLikeModule(name) || isInstalledPackage(name, confDir)) modules.add(name);
  }
  for (const module of modules) {
    for (const plugin of await loadPlugins(module, confDir)) {
      catalog.add(plugin, module);
      const names = chosen.some(([kind, name]) => kind === plugin.kind && name === module);
      if (names && catalog.find(plugin.kind, module) === undefined) catalog.alias(plugin, module);
    }
  }
  return modules.size > 0;
}
