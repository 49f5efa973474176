import { expect } from 'chai';
import { formatProblems, type PluginKind } from '@mesher/core';
import { loadFiles } from '../testing/conf-folder.js';
import { BUILT_IN_PLUGINS, load, type Loaded } from './load.js';

const CORE = JSON.stringify(import.meta.resolve('@mesher/core'));

/** A module with one plugin that has a setting `greeting`. */
function plugin(name: string, kind: PluginKind = 'destination-resolver'): string {
  const made = kind === 'source-resolver' ? '{ identify: () => undefined }' : '{ resolve: () => undefined }';
  return `import { definePlugin, s } from ${CORE};
export const made = definePlugin({
  kind: '${kind}',
  name: '${name}',
  configSchema: s.object({ greeting: s.string({ default: 'hello' }), times: s.integer({ default: 1 }) }),
  create: () => (${made}),
});
`;
}

function choose(resolver: string): string {
  return `plugin: { destinationResolver: { http: "${resolver}" } }\n`;
}

function names({ catalog }: Loaded): string[] {
  return catalog.names('destination-resolver').sort();
}

describe('loading a configuration', () => {
  it('knows the built-in plugins without being asked to', async () => {
    const { catalog, configuration } = await loadFiles({});
    expect(configuration.document?.service.name).to.equal('world');
    expect(catalog.names('destination-resolver').sort()).to.deep.equal(['authority', 'host', 'ip']);
    expect(catalog.names('source-resolver')).to.deep.equal(['default']);
    expect(catalog.names('registry')).to.include.members(['file', 'servicecenter']);
    expect([...catalog]).to.have.lengthOf(BUILT_IN_PLUGINS.length);
  });

  it('loads the modules that are listed under plugins, which are then known by their names', async () => {
    const loaded = await loadFiles({ 'mesher.yaml': 'plugins: [./mine.mjs]\n', 'mine.mjs': plugin('mine') });
    expect(names(loaded)).to.deep.equal(['authority', 'host', 'ip', 'mine']);
  });

  it('loads a resolver that is chosen by its module, which is then known by that, too', async () => {
    const loaded = await loadFiles({ 'mesher.yaml': choose('./mine.mjs'), 'mine.mjs': plugin('mine') });
    expect(names(loaded)).to.deep.equal(['./mine.mjs', 'authority', 'host', 'ip', 'mine']);
    const { catalog } = loaded;
    expect(catalog.find('destination-resolver', './mine.mjs')).to.equal(catalog.find('destination-resolver', 'mine'));
  });

  it('loads a module once when it is both listed and chosen', async () => {
    const loaded = await loadFiles({
      'mesher.yaml': `plugins: [./mine.mjs]\n${choose('./mine.mjs')}`,
      'mine.mjs': plugin('mine'),
    });
    expect(names(loaded)).to.deep.equal(['./mine.mjs', 'authority', 'host', 'ip', 'mine']);
  });

  it('takes from a module the plugin of the kind that is chosen', async () => {
    const both =
      plugin('mine') +
      plugin('who', 'source-resolver')
        .replace(/^import.*\n/, '')
        .replace('made', 'other');
    const { catalog } = await loadFiles({ 'mesher.yaml': 'plugin.sourceResolver: ./both.mjs\n', 'both.mjs': both });
    expect(catalog.find('source-resolver', './both.mjs')?.name).to.equal('who');
    expect(catalog.find('destination-resolver', './both.mjs')).to.equal(undefined);
  });

  it('checks the settings of a loaded plugin by its own schema', async () => {
    const settings = (text: string): Record<string, string> => ({
      'mesher.yaml': `${choose('./mine.mjs')}plugin.settings.mine: ${text}\n`,
      'mine.mjs': plugin('mine'),
    });
    const good = await loadFiles(settings('{ greeting: hi, times: 3 }'));
    expect(good.configuration.notices).to.deep.equal([]);
    const found = good.catalog.find('destination-resolver', 'mine');
    if (found?.configSchema === undefined) throw new Error('the plugin has a schema');
    const value = good.configuration.document?.section('plugin.settings.mine', found.configSchema);
    expect(value).to.deep.equal({ greeting: 'hi', times: 3 });

    const bad = await loadFiles(settings('{ greting: hi, times: many }'));
    expect(bad.configuration.document).to.equal(undefined);
    expect(formatProblems(bad.configuration.errors)).to.match(/mesher\.yaml:2.*times/);
    expect(formatProblems(bad.configuration.notices)).to.include('greting').and.to.include('greeting');
  });

  it('gives back the mistakes of the files instead of throwing, and loads no module then', async () => {
    const { configuration, catalog } = await loadFiles({
      'mesher.yaml': `mesher.serverTiming: maybe\n${choose('./mine.mjs')}`,
      'mine.mjs': 'throw new Error("must not be loaded");',
    });
    expect(configuration.document).to.equal(undefined);
    expect(formatProblems(configuration.errors)).to.match(/mesher\.yaml:1.*serverTiming/);
    expect([...catalog]).to.have.lengthOf(BUILT_IN_PLUGINS.length);
  });

  const refused: readonly (readonly [why: string, module: string, message: RegExp])[] = [
    ['throws', 'throw new Error("no mood today");', /'\.\/mine\.mjs' cannot be loaded: no mood today/],
    ['is no JavaScript', 'export const = 1;', /'\.\/mine\.mjs' cannot be loaded/],
    ['exports no plugin', 'export const mine = { kind: "destination-resolver" };', /exports no plugin/],
    ['has a plugin with the name of a built-in one', plugin('host'), /two destination-resolver plugins named 'host'/],
  ];
  for (const [why, module, message] of refused) {
    it(`fails when a module ${why}, and names it`, async () => {
      const error = await loadFiles({ 'mesher.yaml': choose('./mine.mjs'), 'mine.mjs': module }).catch(
        (caught: unknown) => caught,
      );
      expect(error).to.be.an('error').with.property('message').that.matches(message);
    });
  }

  it('fails when the module does not exist', async () => {
    const error = await loadFiles({ 'mesher.yaml': choose('./mine.mjs') }).catch((caught: unknown) => caught);
    expect(error).to.be.an('error').with.property('code', 'MESH_ERR_PLUGIN_LOAD');
  });

  it('leaves a plain name that nobody knows to the start, which lists the known ones', async () => {
    const loaded = await loadFiles({ 'mesher.yaml': choose('mine') });
    expect(loaded.configuration.document?.plugin.destinationResolver.http).to.equal('mine');
    expect(names(loaded)).to.deep.equal(['authority', 'host', 'ip']);
  });

  it('reads the environment that it is given, not that of the process', async () => {
    const { configuration } = await load({ confDir: 'no-such-folder', env: { CAS_COMPONENT_NAME: 'from-env' } });
    expect(configuration.document?.service.name).to.equal('from-env');
  });
});
