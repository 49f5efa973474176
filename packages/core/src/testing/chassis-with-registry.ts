import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Chassis } from '../chassis.js';
import { CHASSIS_SECTIONS } from '../composition/chassis-sections.js';
import { loadConfiguration } from '../config/load.js';
import { definePlugin, type AnyPlugin } from '../plugin/define-plugin.js';
import { PluginCatalog } from '../plugin/plugin-catalog.js';
import { pluginSections } from '../plugin/plugin-settings.js';
import { systemPorts } from '../ports/system.js';

export interface ChassisFiles {
  /** Content of `chassis.yaml`. */
  readonly yaml: string;
  /** Content of `microservice.yaml`; the service `caller` when left out. */
  readonly identity?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A chassis with one plugin of a registry and with resolvers that know nothing, as the files in `confDir`, which it writes, say. */
export async function chassisWithRegistry(
  registry: AnyPlugin,
  confDir: string,
  { yaml, identity = 'servicecomb.service.name: caller\n', env = {} }: ChassisFiles,
): Promise<Chassis> {
  await writeFile(join(confDir, 'chassis.yaml'), yaml);
  await writeFile(join(confDir, 'microservice.yaml'), identity);
  const resolver = definePlugin({
    kind: 'destination-resolver',
    name: 'host',
    create: () => ({ resolve: () => undefined }),
  });
  const source = definePlugin({
    kind: 'source-resolver',
    name: 'default',
    create: () => ({ identify: () => undefined }),
  });
  const catalog = new PluginCatalog();
  for (const plugin of [registry, resolver, source]) catalog.add(plugin);
  for (const name of ['authority', 'ip']) catalog.alias(resolver, name);
  const sections = { ...CHASSIS_SECTIONS, ...pluginSections(catalog) };
  const { document, errors } = await loadConfiguration({ confDir, env, sections });
  if (document === undefined) throw new Error(JSON.stringify(errors));
  return await Chassis.create({ document, confDir, catalog, ports: systemPorts() });
}
