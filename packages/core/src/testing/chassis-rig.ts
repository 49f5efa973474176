import { Chassis } from '../chassis.js';
import { CHASSIS_SECTIONS } from '../composition/chassis-sections.js';
import type { MeshDocument } from '../config/document.js';
import type { ServicePort } from '../config/service-ports.js';
import { definePlugin, type AnyPlugin, type PluginContext } from '../plugin/define-plugin.js';
import { PluginCatalog } from '../plugin/plugin-catalog.js';
import { pluginSections } from '../plugin/plugin-settings.js';
import type { Ports } from '../ports/ports.js';
import type { Registrator } from '../registry/contracts.js';
import { fakePorts, type FakeTime } from './fake-ports.js';
import { loadFiles } from './load-files.js';
import { RecordingLogger } from './recording-logger.js';
import { ScriptedDiscovery } from './scripted-discovery.js';
import { ScriptedRegistrator } from './scripted-registrator.js';

export interface ChassisRigSettings {
  /** Configuration by dotted key; the name of the service and the registry are set unless they are here. */
  readonly configuration?: Readonly<Record<string, string>>;
  /** Plugins besides the resolvers `host`, `authority`, `ip`, `default` and the registry `scripted`. */
  readonly plugins?: readonly AnyPlugin[];
  /** `undefined` for a registry that takes no registrations; a scripted one when left out. */
  readonly registrator?: Registrator | undefined;
  readonly servicePorts?: readonly ServicePort[];
  readonly isOwnPort?: (port: number) => boolean;
}

/** Everything around a chassis, before it is made. */
export interface ChassisRig {
  readonly discovery: ScriptedDiscovery;
  readonly registrator: ScriptedRegistrator;
  readonly logger: RecordingLogger;
  readonly time: FakeTime;
  readonly ports: Ports;
  /** What the plugins were given, in the order in which they were made. */
  readonly contexts: PluginContext[];
  create(): Promise<Chassis>;
}

/** A chassis over a scripted registry, with resolvers for which the host is the service. */
export async function chassisRig(settings: ChassisRigSettings = {}): Promise<ChassisRig> {
  const { time, ...ports } = fakePorts();
  const discovery = new ScriptedDiscovery();
  const registrator = new ScriptedRegistrator();
  const logger = new RecordingLogger();
  const contexts: PluginContext[] = [];
  const catalog = new PluginCatalog();
  const registry = { discovery, registrator: 'registrator' in settings ? settings.registrator : registrator };
  for (const plugin of [...standardPlugins(contexts, registry), ...(settings.plugins ?? [])]) catalog.add(plugin);
  const document = await loadDocument(catalog, settings.configuration ?? {});
  const create = (): Promise<Chassis> => createChassis(document, catalog, ports, logger, settings);
  return { discovery, registrator, logger, time, ports, contexts, create };
}

function createChassis(
  document: MeshDocument,
  catalog: PluginCatalog,
  ports: Ports,
  logger: RecordingLogger,
  { servicePorts, isOwnPort }: ChassisRigSettings,
): Promise<Chassis> {
  return Chassis.create({
    document,
    confDir: 'conf',
    catalog,
    ports,
    logger,
    ...(servicePorts === undefined ? {} : { servicePorts }),
    ...(isOwnPort === undefined ? {} : { isOwnPort }),
  });
}

function standardPlugins(
  contexts: PluginContext[],
  registry: { readonly discovery: ScriptedDiscovery; readonly registrator: Registrator | undefined },
): AnyPlugin[] {
  const resolver = (name: string): AnyPlugin =>
    definePlugin({
      kind: 'destination-resolver',
      name,
      create: (_config, context) => {
        contexts.push(context);
        return { resolve: ({ authority }) => (authority === '' ? undefined : { service: authority }) };
      },
    });
  return [
    resolver('host'),
    resolver('authority'),
    resolver('ip'),
    definePlugin({
      kind: 'source-resolver',
      name: 'default',
      create: (_config, { ipIndex }) => ({
        identify: ({ remoteAddress }) => {
          const instance = ipIndex.byIp(remoteAddress);
          return instance === undefined ? undefined : { service: instance.service, by: 'ip' };
        },
      }),
    }),
    definePlugin({ kind: 'registry', name: 'scripted', create: () => registry }),
  ];
}

async function loadDocument(
  catalog: PluginCatalog,
  configuration: Readonly<Record<string, string>>,
): Promise<MeshDocument> {
  const overrides = {
    'servicecomb.service.name': 'orders',
    'servicecomb.registry.type': 'scripted',
    ...configuration,
  };
  const sections = { ...CHASSIS_SECTIONS, ...pluginSections(catalog) };
  const { document, errors, said } = await loadFiles({}, { overrides, sections });
  if (document === undefined) throw new Error(said(errors).join('\n'));
  return document;
}
