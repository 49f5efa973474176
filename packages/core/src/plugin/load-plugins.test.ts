import { mkdir, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { isMeshError } from '../errors.js';
import { FakeCall } from '../testing/fake-call.js';
import { withFolder } from '../testing/temporary-folder.js';
import type { AnyPlugin, PluginContext } from './define-plugin.js';
import { loadPlugins } from './load-plugins.js';
import { isInstalledPackage, looksLikeModule } from './locate-module.js';

const CORE = fileURLToPath(new URL('../..', import.meta.url));

const ESM = `
  import { definePlugin } from '@mesher/core';
  export const byPath = definePlugin({
    kind: 'destination-resolver',
    name: 'by-path',
    create: () => ({ resolve: (call) => ({ service: call.path.split('/')[1] }) }),
  });
  export const helper = 7;
`;

const CJS = `
  const { definePlugin } = require('@mesher/core');
  const plugins = {};
  plugins.fixed = definePlugin({
    kind: 'destination-resolver',
    name: 'fixed',
    create: () => ({ resolve: () => ({ service: 'fixed' }) }),
  });
  module.exports = plugins;
`;

/** A conf folder in which @mesher/core is installed, as beside a user's configuration. */
async function withConf<T>(files: Readonly<Record<string, string>>, use: (confDir: string) => Promise<T>): Promise<T> {
  return await withFolder({ 'conf/mesher.yaml': '', ...files }, async (folder) => {
    const installed = join(folder, 'node_modules/@mesher/core');
    await mkdir(dirname(installed), { recursive: true });
    await symlink(CORE, installed, 'dir');
    return await use(join(folder, 'conf'));
  });
}

function names(plugins: readonly AnyPlugin[]): string[] {
  return plugins.map(({ kind, name }) => `${kind}/${name}`);
}

/** The service that the first of the plugins finds for a path. */
async function resolvePath(plugins: readonly AnyPlugin[], path: string): Promise<string | undefined> {
  const plugin = plugins[0] as Extract<AnyPlugin, { kind: 'destination-resolver' }>;
  const resolver = await plugin.create(undefined, {} as PluginContext);
  return (await resolver.resolve(new FakeCall({ path })))?.service;
}

async function refusal(specifier: string, files: Readonly<Record<string, string>>): Promise<Error> {
  return await withConf(files, async (confDir) => {
    try {
      await loadPlugins(specifier, confDir);
    } catch (error) {
      expect(isMeshError(error, 'MESH_ERR_PLUGIN_LOAD'), String(error)).to.equal(true);
      return error as Error;
    }
    return expect.fail('it was loaded');
  });
}

describe('loading plugins', () => {
  it('from a path that is relative to the configuration folder', async () => {
    await withConf({ 'conf/plugins/by-path.mjs': ESM }, async (confDir) => {
      const plugins = await loadPlugins('./plugins/by-path.mjs', confDir);
      expect(names(plugins)).to.deep.equal(['destination-resolver/by-path']);
      expect(await resolvePath(plugins, '/world/v1')).to.equal('world');
    });
  });

  it('from an absolute path and from a file: URL', async () => {
    await withConf({ 'elsewhere/by-path.mjs': ESM }, async (confDir) => {
      const file = join(confDir, '../elsewhere/by-path.mjs');
      expect(names(await loadPlugins(file, confDir))).to.deep.equal(['destination-resolver/by-path']);
      expect(names(await loadPlugins(pathToFileURL(file).href, confDir))).to.have.lengthOf(1);
    });
  });

  it('from a package that is installed beside the configuration, not beside Mesher', async () => {
    const files = {
      'node_modules/mesher-by-path/package.json': '{"name":"mesher-by-path","main":"index.mjs"}',
      'node_modules/mesher-by-path/index.mjs': ESM,
    };
    await withConf(files, async (confDir) => {
      const plugins = await loadPlugins('mesher-by-path', confDir);
      expect(await resolvePath(plugins, '/hello')).to.equal('hello');
    });
  });

  it('from a package with a scope that exports for import only', async () => {
    const manifest = { name: '@acme/by-path', exports: { '.': { types: './index.d.ts', import: './dist/index.mjs' } } };
    const files = {
      'node_modules/@acme/by-path/package.json': JSON.stringify(manifest),
      'node_modules/@acme/by-path/dist/index.mjs': ESM,
    };
    await withConf(files, async (confDir) => {
      expect(names(await loadPlugins('@acme/by-path', confDir))).to.deep.equal(['destination-resolver/by-path']);
    });
  });

  it('from a subpath of a package that exports for import only', async () => {
    const manifest = { name: 'acme', exports: { './by-path': [{ node: { import: './by-path.mjs' } }], '.': null } };
    const files = {
      'node_modules/acme/package.json': JSON.stringify(manifest),
      'node_modules/acme/by-path.mjs': ESM,
    };
    await withConf(files, async (confDir) => {
      expect(names(await loadPlugins('acme/by-path', confDir))).to.have.lengthOf(1);
    });
    expect((await refusal('acme', files)).message).to.contain("'acme' cannot be loaded");
  });

  it('from a package whose exports are the conditions themselves', async () => {
    const manifest = { name: 'acme', exports: { require: null, import: './by-path.mjs' } };
    const files = { 'node_modules/acme/package.json': JSON.stringify(manifest), 'node_modules/acme/by-path.mjs': ESM };
    await withConf(files, async (confDir) => {
      expect(names(await loadPlugins('acme', confDir))).to.have.lengthOf(1);
    });
  });

  it('from a CommonJS module', async () => {
    await withConf({ 'conf/fixed.cjs': CJS }, async (confDir) => {
      const plugins = await loadPlugins('./fixed.cjs', confDir);
      expect(names(plugins)).to.deep.equal(['destination-resolver/fixed']);
      expect(await resolvePath(plugins, '/')).to.equal('fixed');
    });
  });

  it('from a CommonJS module that is a plugin as a whole', async () => {
    const whole = CJS.replace('module.exports = plugins', 'module.exports = plugins.fixed');
    await withConf({ 'conf/fixed.cjs': whole }, async (confDir) => {
      expect(names(await loadPlugins('./fixed.cjs', confDir))).to.deep.equal(['destination-resolver/fixed']);
    });
  });

  it('takes all plugins of a module, each once', async () => {
    const several = `${ESM}
      export const other = definePlugin({ kind: 'source-resolver', name: 'other', create: () => ({}) });
      export { byPath as again };
      export default byPath;`;
    await withConf({ 'conf/several.mjs': several }, async (confDir) => {
      expect(names(await loadPlugins('./several.mjs', confDir))).to.have.members([
        'destination-resolver/by-path',
        'source-resolver/other',
      ]);
    });
  });

  const REFUSED: readonly (readonly [what: string, code: string, message: RegExp])[] = [
    ['exports nothing', '', /exports no plugin; export what definePlugin/],
    ['exports a look-alike', 'export const p = { kind: "registry", name: "x", create() {} };', /exports no plugin/],
    ['throws', 'throw new Error("no licence");', /cannot be loaded: no licence/],
    ['throws what is no error', 'throw "no licence";', /cannot be loaded: no licence/],
    ['is no JavaScript', 'export const = 7;', /cannot be loaded: /],
    ['imports what is not there', 'import "not-installed-anywhere";', /not-installed-anywhere/],
    ['has a plugin of an unknown kind', ESM.replace('destination-resolver', 'codec'), /of the kind "codec"; known are/],
    ['has a plugin without create', ESM.replace('create:', 'make:'), /'by-path' has no function 'create'/],
    ['has a plugin whose name is no key', ESM.replace('by-path', 'by.path'), /named "by\.path"; use letters/],
  ];
  for (const [what, code, message] of REFUSED) {
    it(`is refused when the module ${what}`, async () => {
      expect((await refusal('./plugin.mjs', { 'conf/plugin.mjs': code })).message).to.match(message);
    });
  }

  it('is refused when there is no such file, package or export', async () => {
    for (const specifier of ['./missing.mjs', 'not-installed-anywhere', '@mesher/core/secret', 'fs']) {
      const error = await refusal(specifier, {});
      expect(error.message).to.contain(`the plugin module '${specifier}' cannot be loaded`);
      expect(error.cause).to.be.an.instanceof(Error);
    }
  });
});

describe('what may be a module', () => {
  it('is a path, or a package with a scope or a subpath', () => {
    const texts = ['./x.js', '../x.js', '/opt/x.js', '@acme/x', 'acme/x', 'file:///opt/x.js'];
    expect(texts.filter((text) => !looksLikeModule(text))).to.deep.equal([]);
    expect(['host', 'ip', 'by-path'].filter(looksLikeModule)).to.deep.equal([]);
  });

  it('is a bare name, too, if a package of that name is installed where the configuration is', async () => {
    const files = {
      'node_modules/mesher-by-path/package.json': '{"name":"mesher-by-path","exports":{"import":"./index.mjs"}}',
      'node_modules/mesher-by-path/index.mjs': ESM,
    };
    await withConf(files, (confDir) => {
      expect(isInstalledPackage('mesher-by-path', confDir)).to.equal(true);
      for (const other of ['host', 'fs', 'node:fs', './x.js', '', 'not-installed-anywhere']) {
        expect(isInstalledPackage(other, confDir), other).to.equal(false);
      }
      return Promise.resolve();
    });
  });
});
