import { expect } from 'chai';
import { loadFiles, NAMED } from '../../testing/load-files.js';
import { formatOrigin } from '../problem.js';
import { s } from '../schema/combinators.js';

describe('the environment', () => {
  const files = { ...NAMED, 'chassis.yaml': 'servicecomb.registry.address: file\nservicecomb.registry.type: file' };

  it('wins over files, and the command line over both', async () => {
    const env = { servicecomb_registry_address: 'env', servicecomb_registry_type: 'env' };
    const overrides = { 'servicecomb.registry.address': 'flag' };
    const { document, effective } = await loadFiles(files, { env, overrides });
    expect(document?.registry.address).to.deep.equal(['flag']);
    expect(document?.registry.type).to.equal('env');
    const origins = effective
      .filter(({ key }) => key.startsWith('servicecomb.registry.'))
      .map(({ key, origin }) => `${key} ${formatOrigin(origin)}`);
    expect(origins).to.include('servicecomb.registry.address[0] command line servicecomb.registry.address');
    expect(origins).to.include('servicecomb.registry.type environment variable servicecomb_registry_type');
    expect(origins).to.include('servicecomb.registry.register default');
  });

  it('is read in capitals below the own prefixes, old spellings and free names included', async () => {
    const env = {
      SERVICECOMB_REGISTRY_REFRESHINTERVAL: '5s',
      SERVICECOMB_REGISTRY_AUTO_IP_INDEX: 'true',
      SERVICECOMB_PROTOCOLS_HTTP_LISTENADDRESS: '127.0.0.1:1',
      SERVICECOMB_HANDLER_CHAIN_CONSUMER_OUTGOING: 'a, b',
      CSE_SERVICE_REGISTRY_SCOPE: 'full',
      MESHER_SERVER_TIMING: 'on',
    };
    const { document, notices } = await loadFiles(files, { env });
    expect(notices).to.deep.equal([]);
    expect(document?.registry).to.include({ refreshInterval: 5000, autoIPIndex: true, scope: 'full' });
    expect(document?.protocols.get('http')?.listenAddress?.port).to.equal(1);
    expect(document?.chain('Consumer', 'outgoing')).to.deep.equal(['a', 'b']);
    expect(document?.mesher.serverTiming).to.equal(true);
  });

  it('of other programs changes nothing', async () => {
    const env = {
      PLUGINS: 'evil.js',
      REGION_NAME: 'x',
      ADMIN_ENABLE: 'false',
      PATH: '/bin',
      SERVICECOMB_SERVICE_CENTER_PORT: 'tcp://10.0.0.1:30100',
      MESHER_PORT: 'tcp://10.0.0.1:80',
      MESHER_LOG_LEVEL: 'debug',
      _: '/usr/bin/node',
      A__B: 'x',
    };
    const { document, notices, errors } = await loadFiles(files, { env });
    expect(notices).to.deep.equal([]);
    expect(errors).to.deep.equal([]);
    expect(document?.hash).to.equal((await loadFiles(files)).document?.hash);
  });

  it('has variables with a meaning of their own', async () => {
    const env = {
      CAS_COMPONENT_NAME: 'n',
      CAS_INSTANCE_VERSION: '2.0.0',
      CAS_APPLICATION_NAME: 'shop',
      ENVIRONMENT: 'production',
      HOSTING_SERVER_IP: '10.1.1.1',
      PAAS_CSE_ENDPOINT: 'http://cse:30100',
    };
    const { document } = await loadFiles(files, { env });
    expect(document?.service).to.include({ name: 'n', version: '2.0.0', app: 'shop', environment: 'production' });
    expect(document?.service.instanceProperties.get('nodeIP')).to.equal('10.1.1.1');
    expect(document?.registry.address).to.deep.equal(['http://cse:30100']);
    const both = await loadFiles(files, { env: { ...env, PAAS_CSE_SC_ENDPOINT: 'http://sc:30100' } });
    expect(both.document?.registry.address).to.deep.equal(['http://sc:30100']);
  });

  it('has the variables of Consul, for plugins that know what they say', async () => {
    const env = { CONSUL_HTTP_ADDR: 'c:8500', CONSUL_HTTP_SSL: '1', CONSUL_HTTP_TOKEN: 't' };
    const fields = { address: s.list(s.string(), { commaSeparated: true }), ssl: s.boolean() };
    const sections = { 'servicecomb.registry.consul': s.object(fields) };
    const { document, notices, errors } = await loadFiles(NAMED, { env, sections });
    expect([...notices, ...errors]).to.deep.equal([]);
    const consul = document?.section('servicecomb.registry.consul', sections['servicecomb.registry.consul']);
    expect(consul).to.deep.equal({ address: ['c:8500'], ssl: true });
    expect((await loadFiles(NAMED, { env })).notices).to.deep.equal([]);
  });

  it('and the command line are checked like files, and named in messages', async () => {
    const { errors, notices, said } = await loadFiles(NAMED, {
      env: { servicecomb_registry_disabled: 'perhaps' },
      overrides: { 'admin.enabled': 'true' },
    });
    expect(said(errors)).to.deep.equal([
      "environment variable servicecomb_registry_disabled  servicecomb.registry.disabled  expects true or false, found 'perhaps'",
    ]);
    expect(said(notices)).to.deep.equal([
      "command line admin.enabled  admin.enabled  unknown key, ignored; did you mean 'admin.enable'?",
    ]);
  });
});
