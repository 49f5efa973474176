import { expect } from 'chai';
import { join } from 'node:path';
import { isMeshError } from '../errors.js';
import { loadFiles, NAMED } from '../testing/load-files.js';
import { withFolder } from '../testing/temporary-folder.js';
import { loadConfiguration } from './load.js';
import type { Problem } from './problem.js';
import { s } from './schema/combinators.js';

describe('loadConfiguration', () => {
  it('gives a typed document with every default filled in', async () => {
    const { document, errors, notices } = await loadFiles(NAMED);
    expect(errors).to.deep.equal([]);
    expect(notices).to.deep.equal([]);
    expect(document?.service.name).to.equal('orders');
    expect(document?.service.app).to.equal('default');
    expect(document?.service.version).to.equal('0.0.1');
    expect(document?.protocols.size).to.equal(0);
    expect(document?.registry.refreshInterval).to.equal(30_000);
    expect(document?.registryConfigured).to.equal(false);
    expect(document?.plugins).to.deep.equal([]);
    expect(document?.plugin.destinationResolver).to.deep.equal({ http: 'host', grpc: 'authority', tcp: 'ip' });
    expect(document?.plugin.sourceResolver).to.equal(undefined);
    expect(document?.admin).to.include({ enable: true, allowRemote: false });
    expect(document?.mesher).to.deep.include({ listeners: [], serverTiming: false });
    expect(document?.chain('Consumer', 'outgoing')).to.equal(undefined);
  });

  it('reports all mistakes of all files at once, and makes no document', async () => {
    const { document, errors, said } = await loadFiles({
      'chassis.yaml':
        'servicecomb:\n  protocols:\n    http:\n      listenAddress: 30101\n    rest-a-b:\n      listenAddress: 127.0.0.1:1\n',
      'microservice.yaml': 'servicecomb:\n  service:\n    name: my service\n',
      'mesher.yaml': 'admin:\n  enable: maybe\n',
      'tls.yaml': 'ssl: [\n',
    });
    expect(document).to.equal(undefined);
    expect(said(errors)).to.deep.equal([
      "chassis.yaml:4:22  servicecomb.protocols.http.listenAddress  expects host:port, such as 127.0.0.1:30101 (the port is missing), found '30101'",
      "chassis.yaml:5:5  servicecomb.protocols.rest-a-b  'rest-a-b' is no protocol name: write {protocol} or {protocol}-{suffix} with one hyphen, such as rest or rest-admin",
      "mesher.yaml:2:11  admin.enable  expects true or false, found 'maybe'",
      "microservice.yaml:3:11  servicecomb.service.name  expects a name of letters, digits, '-', '_' and '.', at most 128 characters, found 'my service'",
      'tls.yaml:2:1  is not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]',
    ]);
  });

  it('asks for the name of the service when nothing names it', async () => {
    const { document, errors, said } = await loadFiles({ 'chassis.yaml': '' });
    expect(document).to.equal(undefined);
    expect(said(errors)).to.deep.equal([
      'microservice.yaml:1:1  servicecomb.service.name  the service has no name: set servicecomb.service.name in microservice.yaml, or the environment variable CAS_COMPONENT_NAME',
    ]);
    expect((await loadFiles({}, { env: { CAS_COMPONENT_NAME: 'orders' } })).document?.service.name).to.equal('orders');
  });

  it('says that the folder is not there', async () => {
    const { errors, notices, said } = await withFolder({}, async (folder) => {
      const loaded = await loadConfiguration({ confDir: join(folder, 'none'), env: { CAS_COMPONENT_NAME: 'orders' } });
      return { ...loaded, said: (problems: readonly Problem[]) => problems.map(({ message }) => message) };
    });
    expect(errors).to.deep.equal([]);
    expect(said(notices)).to.deep.equal([
      'the configuration folder does not exist or cannot be read; nothing was read from it',
    ]);
  });

  it('treats dotted keys and nested maps alike, across files', async () => {
    const nested = await loadFiles({
      ...NAMED,
      'chassis.yaml': 'servicecomb:\n  registry:\n    address: a, b\n    scope: full\n',
    });
    const dotted = await loadFiles({
      ...NAMED,
      'chassis.yaml': 'servicecomb.registry.address: a, b\n',
      'mesher.yaml': 'servicecomb.registry.scope: full',
    });
    expect(nested.document?.registry.address).to.deep.equal(['a', 'b']);
    expect(dotted.document?.hash).to.equal(nested.document?.hash);
  });

  it('lets the later file win, and says what is not used', async () => {
    const { document, notices, said } = await loadFiles({
      ...NAMED,
      'chassis.yaml': 'servicecomb.registry.type: file\nservicecomb.registry.register: manual',
      'mesher.yaml': 'servicecomb.registry.type: pilot\nservicecomb.registry.register: manual',
    });
    expect(document?.registry.type).to.equal('pilot');
    expect(said(notices)).to.deep.equal([
      'chassis.yaml:1:28  servicecomb.registry.type  is not used, because the key is set again at mesher.yaml:1:28; keep one of them',
    ]);
  });

  it('prefers the present spelling to an old one, whichever comes later', async () => {
    const { document, notices, said } = await loadFiles({
      ...NAMED,
      'chassis.yaml': 'servicecomb.registry.address: new\n',
      'mesher.yaml': 'cse.service.registry.address: old\n',
    });
    expect(document?.registry.address).to.deep.equal(['new']);
    expect(said(notices)).to.deep.equal([
      "mesher.yaml:1:1  servicecomb.registry  'cse.service.registry' still works; its present name is 'servicecomb.registry'",
      "mesher.yaml:1:31  servicecomb.registry.address  the old name 'cse.service.registry.address' is not used, because 'servicecomb.registry.address' is set at chassis.yaml:1:31; remove it",
    ]);
  });

  it('reads mesher.yaml from elsewhere when told so, and then not the one in the folder', async () => {
    await withFolder(
      {
        'conf/microservice.yaml': 'servicecomb.service.name: a',
        'conf/mesher.yaml': 'plugins: [wrong]',
        'my.yaml': 'plugins: [right]',
      },
      async (folder) => {
        const meshConfigFile = join(folder, 'my.yaml');
        const confDir = join(folder, 'conf');
        const { document, files } = await loadConfiguration({ confDir, meshConfigFile, env: {} });
        expect(document?.plugins).to.deep.equal(['right']);
        expect(files).to.deep.equal([join(confDir, 'microservice.yaml'), meshConfigFile]);
        const missing = await loadConfiguration({ confDir, meshConfigFile: join(folder, 'none.yaml'), env: {} });
        expect(missing.errors.map(({ message }) => message)).to.deep.equal([
          'does not exist; give the path of an existing file to --config',
        ]);
      },
    );
  });

  it('refuses files that are too large, no UTF-8 or no files', async () => {
    const limits = { maxFileBytes: 100, maxNodes: 100, maxDepth: 10, maxAliasCount: 10 };
    const { errors, said } = await loadFiles(
      {
        ...NAMED,
        'chassis.yaml': `# ${'x'.repeat(200)}`,
        'tls.yaml': new Uint8Array([0x61, 0x3a, 0x20, 0xff]),
        'auth.yaml/x': '',
      },
      { limits },
    );
    expect(said(errors)).to.deep.equal([
      'auth.yaml:1:1  is no file (a folder or a device)',
      'chassis.yaml:1:1  is larger than 100 bytes; no configuration needs that',
      'tls.yaml:1:1  is not UTF-8 text; save it as UTF-8',
    ]);
  });

  it('points at a file whose name is nearly that of a known one', async () => {
    const { notices, said } = await loadFiles({
      ...NAMED,
      'chasis.yaml': '',
      'other.yaml': '',
      'router.yml': '',
      'docker-compose.yml': '',
    });
    expect(said(notices)).to.deep.equal([
      "chasis.yaml:1:1  is not read; did you mean 'chassis.yaml'?",
      "router.yml:1:1  is not read; did you mean 'router.yaml'?",
    ]);
  });
});

describe('placeholders in files', () => {
  it('are filled before values are checked, in lists too', async () => {
    const yaml =
      'servicecomb:\n  protocols:\n    http:\n      listenAddress: ${IP||127.0.0.1}:${PORT||30101}\nplugins:\n- ${PLUGIN||./a.js}\n';
    const { document } = await loadFiles({ ...NAMED, 'chassis.yaml': yaml }, { env: { IP: '10.0.0.1', PLUGIN: '' } });
    expect(document?.protocols.get('http')?.listenAddress).to.deep.equal({ host: '10.0.0.1', port: 30101 });
    expect(document?.plugins).to.deep.equal(['./a.js']);
  });

  it('that become empty count as not set', async () => {
    const { document } = await loadFiles({
      ...NAMED,
      'chassis.yaml': 'servicecomb.registry.address: ${NONE||}\nadmin.enable: ${NONE||}',
    });
    expect(document?.registry.address).to.equal(undefined);
    expect(document?.admin.enable).to.equal(true);
  });

  it('without a default stay text, with a hint', async () => {
    const { document, notices, said } = await loadFiles(
      { ...NAMED, 'chassis.yaml': 'servicecomb.service.version: a ${HOME}' },
      { env: { HOME: '/root' } },
    );
    expect(document?.service.version).to.equal('a ${HOME}');
    expect(said(notices)).to.deep.equal([
      "chassis.yaml:1:30  servicecomb.service.version  '${HOME}' is left as it is: a placeholder needs a default, write '${HOME||}' for an empty one",
    ]);
  });
});

describe('sections of packages', () => {
  const proxySchema = s.object(
    { maxHeadBytes: s.bytes({ default: '64KB', doc: 'Largest head.' }) },
    { doc: 'The proxy.' },
  );
  const fileSchema = s.object({ path: s.string({ default: 'disco', doc: 'Folder.' }) });
  const sections = { 'mesher.proxy': proxySchema, 'servicecomb.registry.file': fileSchema };

  it('come back typed, below sections of core too', async () => {
    const { document, notices } = await loadFiles(
      { ...NAMED, 'mesher.yaml': 'mesher:\n  serverTiming: true\n  proxy:\n    maxHeadBytes: 128KB\n' },
      { sections },
    );
    expect(notices).to.deep.equal([]);
    expect(document?.section('mesher.proxy', proxySchema).maxHeadBytes).to.equal(131_072);
    expect(document?.section('servicecomb.registry.file', fileSchema)).to.deep.equal({ path: 'disco' });
    expect(document?.mesher.serverTiming).to.equal(true);
  });

  it('are unknown keys when nobody declares them', async () => {
    const { notices, said } = await loadFiles({
      ...NAMED,
      'mesher.yaml': 'mesher:\n  proxy:\n    maxHeadBytes: 128KB\n',
    });
    expect(said(notices)).to.deep.equal(['mesher.yaml:2:3  mesher.proxy  unknown key, ignored']);
  });

  it('must be asked for with the schema they were loaded with', async () => {
    const { document } = await loadFiles(NAMED, { sections });
    const other = s.object({});
    try {
      document?.section('mesher.proxy', other);
      expect.fail('nothing was thrown');
    } catch (error) {
      expect(isMeshError(error, 'MESH_ERR_CONFIG_SECTION')).to.equal(true);
    }
  });

  it('cannot stand below a section whose names are free', async () => {
    const wrong = { 'servicecomb.protocols.http': s.object({}) };
    const thrown = await loadFiles(NAMED, { sections: wrong }).catch((error: unknown) => error);
    expect(thrown).to.be.instanceOf(TypeError);
  });
});
