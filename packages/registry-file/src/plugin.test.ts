import { mkdir, writeFile } from 'node:fs/promises';
import { expect } from 'chai';
import { buildIpIndex, isMeshError, isPlugin, loadConfiguration, silentLogger } from '@mesher/core';
import { fakePorts } from '@mesher/core/testing';
import { createFileRegistry } from './create-file-registry.js';
import { FILE_REGISTRY_DEFAULTS, fileRegistrySchema } from './options.js';
import { fileRegistry } from './plugin.js';
import type { FileRegistry } from './create-file-registry.js';
import { Fixture, idsOf } from './testing/fixture.js';

describe('The plugin of the file registry', () => {
  let at: Fixture;
  beforeEach(async () => {
    at = await Fixture.make();
  });
  afterEach(() => at.close());

  const load = async (lines: string[]) => {
    await writeFile(at.path('chassis.yaml'), ['servicecomb:', '  service:', '    name: hello', ...lines].join('\n'));
    return await loadConfiguration({
      confDir: at.root,
      env: {},
      sections: { 'servicecomb.registry.file': fileRegistrySchema },
    });
  };

  it('is a registry by the name of file', () => {
    expect(isPlugin(fileRegistry)).to.equal(true);
    expect(fileRegistry).to.include({ kind: 'registry', name: 'file' });
  });

  it('takes its settings from servicecomb.registry.file, durations and sizes as users write them', async () => {
    const { document, errors } = await load([
      '  registry:',
      '    type: file',
      '    file:',
      '      pollInterval: 2s',
      '      lease: 1m',
      '      maxFileBytes: 1MB',
    ]);
    expect(errors).to.deep.equal([]);
    expect(document?.section('servicecomb.registry.file', fileRegistrySchema)).to.deep.equal({
      pollInterval: 2_000,
      debounce: 50,
      confirmEmpty: 1_000,
      lease: 60_000,
      maxFiles: 5_000,
      maxFileBytes: 1_048_576,
      maxInstances: 20_000,
    });
  });

  it('has settings whose mistakes are found when the configuration is read', async () => {
    const { errors } = await load(['  registry:', '    file:', '      lease: 1ms', '      maxFile: 3']);
    expect(errors.map(({ path }) => path)).to.include('servicecomb.registry.file.lease');
  });

  /** What the chassis does when the configuration chooses the plugin. */
  const create = async (...lines: string[]): Promise<FileRegistry> => {
    const { document } = await load(lines);
    if (document === undefined) throw new Error('the configuration is wrong');
    const registry = (await fileRegistry.create(document.section('servicecomb.registry.file', fileRegistrySchema), {
      ports: fakePorts(),
      logger: silentLogger(),
      confDir: at.root,
      ipIndex: buildIpIndex([]),
      registryAddresses: document.registry.address ?? [],
    })) as FileRegistry;
    at.onClose(() => registry.discovery.close());
    return registry;
  };

  it('makes a registry of the directory in servicecomb.registry.address, relative to the configuration', async () => {
    await mkdir(at.path('disco'));
    await writeFile(at.path('disco', 'world'), 'a 1');
    const registry = await create('  registry:', '    type: file', '    address: disco');
    expect(registry.discovery.name).to.equal('file');
    expect(registry.registrator.name).to.equal('file');
    expect(idsOf(await at.watch(registry, 'world').next())).to.deep.equal(['a:1']);
  });

  it('takes absolute paths and file URLs', async () => {
    for (const address of [at.path('disco'), `file://${at.path('disco')}`]) {
      const registry = await create('  registry:', '    type: file', `    address: ${address}`);
      expect(registry.root).to.equal(at.path('disco'));
    }
  });

  it('refuses an address that is a server, or several, and says why', async () => {
    for (const address of ['http://127.0.0.1:30100', 'disco,other']) {
      try {
        await create('  registry:', '    type: file', `    address: ${address}`);
        expect.fail(`${address} was taken`);
      } catch (error) {
        expect(isMeshError(error, 'FILE_REGISTRY_SETTING'), String(error)).to.equal(true);
      }
    }
  });

  it('refuses a setting out of bounds from code too', () => {
    const context = { ports: fakePorts(), logger: silentLogger(), confDir: at.root };
    const wrong = [{ pollIntervalMs: 0 }, { leaseMs: Number.NaN }, { maxFiles: -1 }, { debounceMs: Infinity }];
    for (const options of wrong) {
      try {
        createFileRegistry({ address: 'disco', ...options }, context);
        expect.fail(`${JSON.stringify(options)} was taken`);
      } catch (error) {
        expect(isMeshError(error, 'FILE_REGISTRY_SETTING'), String(error)).to.equal(true);
      }
    }
  });

  it('has defaults that are within their bounds', () => {
    createFileRegistry(
      { address: 'disco', ...FILE_REGISTRY_DEFAULTS },
      { ports: fakePorts(), logger: silentLogger(), confDir: at.root },
    );
  });
});
