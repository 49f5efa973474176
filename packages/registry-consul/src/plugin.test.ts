import { expect } from 'chai';
import { makeInstance, type Chassis } from '@mesher/core';
import { chassisWithRegistry } from '@mesher/core/testing';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { consulRegistry } from './plugin.js';
import { ConsulServer } from './testing/index.js';

describe('the registry plugin consul', () => {
  let confDir: string;
  let consul: ConsulServer;

  beforeEach(async () => {
    confDir = await mkdtemp(join(tmpdir(), 'mesher-consul-'));
    consul = await ConsulServer.start();
  });

  afterEach(async () => {
    await consul.close();
    await rm(confDir, { recursive: true, force: true });
  });

  async function chassisWith(yaml: string, env: Record<string, string> = {}): Promise<Chassis> {
    return await chassisWithRegistry(consulRegistry, confDir, { yaml, env });
  }

  const addresses = new Map([['rest', { host: '127.0.0.1', port: 8080, tls: false }]]);
  const self = makeInstance({ service: 'caller', instanceId: '', addresses });

  for (const [words, yaml, env] of [
    ['its type and address', 'servicecomb.registry: { type: consul, address: URL }\n', {}],
    ['an address that says whose it is', 'servicecomb.registry.address: consul://HOST\n', {}],
    [
      'the address of registration alone',
      'servicecomb.registry: { type: consul, registrator: { address: URL } }\n',
      {},
    ],
    ['an address of its own', 'servicecomb.registry: { type: consul, consul: { address: HOST } }\n', {}],
    ['CONSUL_HTTP_ADDR', 'servicecomb.registry: { type: consul, address: nowhere:1 }\n', { CONSUL_HTTP_ADDR: 'HOST' }],
  ] as const) {
    it(`is used, and registers, with ${words}`, async () => {
      const host = `127.0.0.1:${consul.port}`;
      const given = Object.fromEntries(Object.keys(env).map((name) => [name, host]));
      const chassis = await chassisWith(yaml.replace('URL', consul.url).replace('HOST', host), given);
      await chassis.start();
      await chassis.register(self);
      expect(consul.store.services('caller')).to.have.length(1);
      await chassis.close();
      expect(consul.store.services('caller')).to.have.length(0);
    });
  }

  it('sends the token of CONSUL_HTTP_TOKEN', async () => {
    const yaml = `servicecomb.registry: { type: consul, address: ${consul.url} }\n`;
    const chassis = await chassisWith(yaml, { CONSUL_HTTP_TOKEN: 'secret' });
    await chassis.start();
    await chassis.register(self);
    await chassis.close();
    expect(consul.asked.every(({ headers }) => headers['x-consul-token'] === 'secret')).to.equal(true);
  });

  for (const [words, yaml, said] of [
    ['an address that is none', 'address: "http://a:b:c"', "'http://a:b:c' is no address of Consul"],
    ['login data in an address', 'address: "http://me:pw@c:8500"', "'http://***@c:8500' is no address"],
    ['a file that is not there', 'consul: { address: "https://c", caFile: nowhere.pem }', 'caFile'],
    ['a token file that is not there', 'consul: { tokenFile: nowhere }', 'tokenFile'],
  ] as const) {
    it(`is refused for ${words}`, async () => {
      const error: unknown = await chassisWith(`servicecomb.registry: { type: consul, ${yaml} }\n`).catch(
        (reason: unknown) => reason,
      );
      expect((error as Error).message).to.contain(said);
    });
  }

  it('loads the library only when it is used', async () => {
    const source = await readFile(new URL('plugin.js', import.meta.url), 'utf8');
    const imports = [...source.matchAll(/^import .* from '(.*)'/gm)].map(([, module]) => module);
    expect(imports).to.deep.equal(['@mesher/core', './client/consul-error.js', './options.js']);
  });
});
