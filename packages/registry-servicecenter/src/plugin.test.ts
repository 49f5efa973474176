import { expect } from 'chai';
import { readFile } from 'node:fs/promises';
import { makeInstance, type Chassis } from '@mesher/core';
import { chassisWithRegistry } from '@mesher/core/testing';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serviceCenterRegistry } from './plugin.js';
import { ServiceCenterServer } from './testing/index.js';

describe('the registry plugin servicecenter', () => {
  let confDir: string;
  let center: ServiceCenterServer;

  beforeEach(async () => {
    confDir = await mkdtemp(join(tmpdir(), 'mesher-sc-'));
    center = await ServiceCenterServer.start();
  });

  afterEach(async () => {
    await center.close();
    await rm(confDir, { recursive: true, force: true });
  });

  async function chassisWith(yaml: string, env: Record<string, string> = {}): Promise<Chassis> {
    return await chassisWithRegistry(serviceCenterRegistry, confDir, { yaml, env });
  }

  const self = makeInstance({ service: 'caller', instanceId: '', addresses: new Map() });

  for (const [words, yaml, env] of [
    ['its address', 'servicecomb.registry.address: URL\n', {}],
    ['the keys of go-chassis 1', 'cse:\n  service:\n    registry:\n      address: URL\n', {}],
    [
      'the address of registration alone',
      'servicecomb.registry: { type: servicecenter, registrator: { address: URL } }\n',
      {},
    ],
    ['PAAS_CSE_SC_ENDPOINT', '', { PAAS_CSE_SC_ENDPOINT: 'URL' }],
    ['PAAS_CSE_ENDPOINT', '', { PAAS_CSE_ENDPOINT: 'URL' }],
  ] as const) {
    it(`is used, and registers, with ${words}`, async () => {
      const given = Object.fromEntries(Object.entries(env).map(([name]) => [name, center.url]));
      const chassis = await chassisWith(yaml.replace('URL', center.url), given);
      await chassis.start();
      await chassis.register(self);
      await chassis.close();
      const said = center.asked.map(({ method, path }) => `${method} ${path.split('/').at(-1) ?? ''}`);
      expect(said).to.include('POST instances').and.include('POST microservices');
      expect(center.asked.at(-1)?.method).to.equal('DELETE');
    });
  }

  it('is asked in the project, and knows who asks, as the variables of go-chassis say', async () => {
    const names = { CAS_APPLICATION_NAME: 'shop', CAS_COMPONENT_NAME: 'seller', CAS_INSTANCE_VERSION: '1.2.3' };
    const env = { ...names, CSE_PROJECT_ID: 'blue', ENVIRONMENT: 'testing', PAAS_CSE_SC_ENDPOINT: center.url };
    const chassis = await chassisWith('', { ...env, HOSTING_SERVER_IP: '10.1.2.3' });
    const { service } = chassis.document;
    const facts = { service: service.name, app: service.app, version: service.version };
    await chassis.register(makeInstance({ ...self, ...facts }));
    await chassis.close();
    expect(service.instanceProperties.get('nodeIP')).to.equal('10.1.2.3');
    expect(center.asked.every(({ path }) => path.startsWith('/v4/blue/'))).to.equal(true);
    const sent = center.asked.find(({ method, path }) => method === 'POST' && path.endsWith('/microservices'))?.text;
    for (const text of ['"appId":"shop"', '"serviceName":"seller"', '"version":"1.2.3"', '"environment":"testing"']) {
      expect(sent).to.contain(text);
    }
  });

  it('registers nothing when registration is manual or disabled', async () => {
    for (const yaml of ['register: manual', 'registrator: { disabled: true }']) {
      const chassis = await chassisWith(`servicecomb.registry: { address: ${center.url}, ${yaml} }\n`);
      expect(chassis.register(self)).to.equal(undefined);
      await chassis.close();
    }
  });

  it('is refused for settings that cannot be used', async () => {
    const yaml = `servicecomb.registry.address: ${center.url}\nssl.registry.Consumer.caFile: nowhere.pem\n`;
    const error: unknown = await chassisWith(yaml).catch((reason: unknown) => reason);
    expect((error as Error).message)
      .to.contain('ssl.registry.Consumer.caFile')
      .and.contain('nowhere.pem');
  });

  it('is refused with a password that only a cipher plugin could read, and says what to do', async () => {
    const account = 'servicecomb.credentials: { account: { name: root, password: xyz }, cipher: CIPHER }\n';
    const address = `servicecomb.registry.address: ${center.url}\n`;
    const error: unknown = await chassisWith(`${address}${account.replace('CIPHER', 'aes')}`).catch((e: unknown) => e);
    expect((error as Error).message)
      .to.contain('servicecomb.credentials.cipher')
      .and.contain('SC_PASSWORD')
      .and.not.contain('xyz');
    await (await chassisWith(`${address}${account.replace('CIPHER', 'default')}`)).close();
  });

  it('loads axios and ws only when it is used', async () => {
    const source = await readFile(new URL('plugin.js', import.meta.url), 'utf8');
    const imports = [...source.matchAll(/^import .* from '(.*)'/gm)].map(([, module]) => module);
    expect(imports).to.deep.equal(['@mesher/core', './client/service-center-error.js', './options.js']);
  });
});
