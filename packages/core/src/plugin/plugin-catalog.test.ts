import { expect } from 'chai';
import { s } from '../config/schema/combinators.js';
import { isMeshError } from '../errors.js';
import { loadFiles } from '../testing/load-files.js';
import { definePlugin, isPlugin, type AnyPlugin } from './define-plugin.js';
import { PluginCatalog } from './plugin-catalog.js';
import { pluginSections, pluginSettings, settingsKey } from './plugin-settings.js';

function resolver(name: string): AnyPlugin {
  return definePlugin({ kind: 'destination-resolver', name, create: () => ({ resolve: () => undefined }) });
}

function source(name: string): AnyPlugin {
  return definePlugin({ kind: 'source-resolver', name, create: () => ({ identify: () => undefined }) });
}

describe('a plugin definition', () => {
  it('is known by its brand, which does not show', () => {
    const plugin = resolver('host');
    expect(isPlugin(plugin)).to.equal(true);
    expect(Object.keys(plugin)).to.deep.equal(['kind', 'name', 'create']);
    for (const other of [undefined, null, {}, { ...plugin }, () => plugin]) expect(isPlugin(other)).to.equal(false);
  });

  it('of another copy of the package is one, too', () => {
    const foreign = { kind: 'registry', name: 'x', create: () => ({}), [Symbol.for('mesher.plugin')]: true };
    expect(isPlugin(foreign)).to.equal(true);
  });
});

describe('the catalog of plugins', () => {
  it('finds a plugin by kind and name', () => {
    const catalog = new PluginCatalog();
    const [byHost, bySource] = [resolver('default'), source('default')];
    catalog.add(byHost);
    catalog.add(bySource);
    expect(catalog.find('destination-resolver', 'default')).to.equal(byHost);
    expect(catalog.get('source-resolver', 'default', 'plugin.sourceResolver')).to.equal(bySource);
    expect(catalog.find('registry', 'default')).to.equal(undefined);
  });

  it('refuses a second plugin of the name, and says where both come from', () => {
    const catalog = new PluginCatalog();
    catalog.add(resolver('host'));
    expect(() => catalog.add(resolver('host'), './my-host.js'))
      .to.throw(/two destination-resolver plugins named 'host', one from Mesher itself and one from \.\/my-host\.js/)
      .that.satisfies((error: unknown) => isMeshError(error, 'MESH_ERR_DUPLICATE_PLUGIN'));
  });

  it('takes the same plugin twice for one: a module may be named by its path and by its package', () => {
    const catalog = new PluginCatalog();
    const plugin = resolver('mine');
    catalog.add(plugin, './mine.js');
    catalog.add(plugin, 'mine');
    expect([...catalog]).to.deep.equal([plugin]);
  });

  it('names the known ones, in order, when there is no plugin of a name', () => {
    const catalog = new PluginCatalog();
    for (const name of ['ip', 'host', 'authority']) catalog.add(resolver(name));
    expect(() => catalog.get('destination-resolver', 'hots', 'plugin.destinationResolver.http'))
      .to.throw(
        "plugin.destinationResolver.http: there is no destination-resolver 'hots'; known are authority, host, ip, or name a module",
      )
      .that.satisfies((error: unknown) => isMeshError(error, 'MESH_ERR_UNKNOWN_PLUGIN'));
    expect(() => catalog.get('registry', 'x', 'k')).to.throw("there is no registry 'x'; none is known");
  });

  it('knows a plugin under a second name, and lists it once', () => {
    const catalog = new PluginCatalog();
    const plugin = resolver('by-path');
    catalog.add(plugin);
    catalog.alias(plugin, './by-path.js');
    expect(catalog.find('destination-resolver', './by-path.js')).to.equal(plugin);
    expect(catalog.names('destination-resolver')).to.deep.equal(['./by-path.js', 'by-path']);
    expect([...catalog]).to.deep.equal([plugin]);
  });
});

describe('the settings of plugins', () => {
  const schema = s.object({ prefix: s.string({ default: '/', doc: 'Prefix.' }) });
  const byPath = definePlugin({
    kind: 'destination-resolver',
    name: 'by-path',
    configSchema: schema,
    create: () => ({ resolve: () => undefined }),
  });
  const consul = definePlugin({
    kind: 'registry',
    name: 'consul',
    configSchema: s.object({ token: s.string({ doc: 'Token.' }) }),
    create: () => expect.fail('not needed here'),
  });

  it('stand under plugin.settings, those of a registry beside its common keys', () => {
    expect([settingsKey(byPath), settingsKey(consul)]).to.deep.equal([
      'plugin.settings.by-path',
      'servicecomb.registry.consul',
    ]);
  });

  it('are read with the rest of the configuration, checked and filled with defaults', async () => {
    const files = {
      'microservice.yaml': 'servicecomb.service.name: orders\n',
      'mesher.yaml': 'plugin:\n  settings:\n    by-path:\n      prefix: /api\n',
      'chassis.yaml': 'servicecomb:\n  registry:\n    type: consul\n    consul:\n      token: t\n',
    };
    const sections = pluginSections([byPath, consul, resolver('host')]);
    const { document, errors, notices } = await loadFiles(files, { sections });
    expect([errors, notices]).to.deep.equal([[], []]);
    const loaded = document as NonNullable<typeof document>;
    expect(pluginSettings(loaded, byPath as never)).to.deep.equal({ prefix: '/api' });
    expect(pluginSettings(loaded, consul as never)).to.deep.equal({ token: 't' });
    expect(pluginSettings(loaded, resolver('host') as never)).to.equal(undefined);
  });

  it('that are wrong are reported like any other value', async () => {
    const files = {
      'microservice.yaml': 'servicecomb.service.name: orders\n',
      'mesher.yaml': 'plugin.settings.by-path.prefix: [1, 2]\n',
    };
    const { errors, said } = await loadFiles(files, { sections: pluginSections([byPath]) });
    expect(said(errors)[0]).to.match(/^mesher\.yaml:1:\d+.*plugin\.settings\.by-path\.prefix/);
  });

  it('of two plugins of one name must be the same', () => {
    const same = { ...source('by-path'), configSchema: schema };
    const other = { ...source('by-path'), configSchema: s.object({ other: s.string({ doc: 'Other.' }) }) };
    expect(() => pluginSections([byPath, same])).to.not.throw();
    expect(() => pluginSections([byPath, other]))
      .to.throw(/plugin\.settings\.by-path/)
      .that.satisfies((error: unknown) => isMeshError(error, 'MESH_ERR_DUPLICATE_PLUGIN'));
  });
});
