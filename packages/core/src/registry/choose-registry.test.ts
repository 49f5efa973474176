import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { expect } from 'chai';
import { systemPorts } from '../ports/system.js';
import { fakePorts } from '../testing/fake-ports.js';
import { loadFiles } from '../testing/load-files.js';
import { chooseRegistry, probeTcp, type RegistryChoice } from './choose-registry.js';

interface Surroundings {
  /** What answers at the usual place of a service-center. */
  readonly answers?: boolean;
  readonly installed?: readonly string[];
}

/** The choice for a chassis.yaml with these lines below `servicecomb.registry`. */
async function choose(
  registry: Readonly<Record<string, string>>,
  { answers = false, installed = ['file', 'servicecenter'] }: Surroundings = {},
): Promise<RegistryChoice & { readonly asked: string[] }> {
  const overrides: Record<string, string> = { 'servicecomb.service.name': 'orders' };
  for (const [key, value] of Object.entries(registry)) overrides[`servicecomb.registry.${key}`] = value;
  const { document, errors } = await loadFiles({}, { overrides });
  expect(errors).to.deep.equal([]);
  const asked: string[] = [];
  const choice = await chooseRegistry(
    (document as NonNullable<typeof document>).registry,
    (type) => installed.includes(type),
    (host, port) => {
      asked.push(`${host}:${port}`);
      return Promise.resolve(answers);
    },
  );
  return { ...choice, asked };
}

describe('the choice of a registry', () => {
  it('is the file registry when nothing is configured and no service-center answers at its usual place', async () => {
    const { type, because, asked } = await choose({});
    expect(type).to.equal('file');
    expect(because).to.contain('no service-center answers at 127.0.0.1:30100');
    expect(asked).to.deep.equal(['127.0.0.1:30100']);
  });

  it('is a service-center that answers there, if the plugin is installed', async () => {
    expect((await choose({}, { answers: true })).type).to.equal('servicecenter');
    const without = await choose({}, { answers: true, installed: ['file'] });
    expect(without.type).to.equal('file');
    expect(without.because).to.contain('the servicecenter plugin is not installed');
  });

  it('looks at nothing else when the registry is switched off', async () => {
    const { type, because, asked } = await choose({ disabled: 'true', type: 'servicecenter' }, { answers: true });
    expect([type, because, asked]).to.deep.equal([undefined, 'servicecomb.registry.disabled is set', []]);
  });

  const CONFIGURED: readonly (readonly [registry: Readonly<Record<string, string>>, type: string, because: string])[] =
    [
      [{ type: 'consul' }, 'consul', 'servicecomb.registry.type is consul'],
      [{ 'serviceDiscovery.type': 'pilot' }, 'pilot', 'servicecomb.registry.serviceDiscovery.type is pilot'],
      [{ 'registrator.type': 'consul' }, 'consul', 'servicecomb.registry.registrator.type is consul'],
      [{ type: 'file', address: 'http://10.0.0.9:30100' }, 'file', 'servicecomb.registry.type is file'],
      [{ address: 'http://10.0.0.9:30100' }, 'servicecenter', 'servicecomb.registry.address is that of a server'],
      [
        { address: 'HTTPS://sc.example,http://other' },
        'servicecenter',
        'servicecomb.registry.address is that of a server',
      ],
      [{ address: '10.0.0.9:30100' }, 'servicecenter', 'servicecomb.registry.address is that of a server'],
      [
        { 'serviceDiscovery.address': 'http://10.0.0.9:1' },
        'servicecenter',
        'servicecomb.registry.serviceDiscovery.address',
      ],
      [{ 'registrator.address': './disco' }, 'file', 'servicecomb.registry.registrator.address is a folder'],
      [{ address: './disco' }, 'file', 'servicecomb.registry.address is a folder'],
      [{ address: 'consul://c:8500' }, 'consul', 'servicecomb.registry.address is that of a Consul agent'],
      [{ address: '/var/lib/disco:8080/x' }, 'file', 'servicecomb.registry.address is a folder'],
    ];
  for (const [registry, type, because] of CONFIGURED) {
    it(`is ${type} for ${JSON.stringify(registry)}, whatever answers`, async () => {
      const choice = await choose(registry, { answers: true });
      expect(choice.type).to.equal(type);
      expect(choice.because).to.contain(because);
      expect(choice.asked).to.deep.equal([]);
    });
  }

  it('tells of a second type that is not in use, because one registry both registers and discovers', async () => {
    const halves = { 'registrator.type': 'servicecenter', 'serviceDiscovery.type': 'file' };
    const { type, unused } = await choose(halves, { answers: true });
    expect([type, unused?.split(':')[0]]).to.deep.equal([
      'file',
      'servicecomb.registry.registrator.type is servicecenter',
    ]);
    const same = { type: 'file', 'registrator.type': 'file', 'serviceDiscovery.type': '' };
    expect((await choose(same, { answers: true })).unused).to.equal(undefined);
  });

  it('looks for a service-center when the section says neither type nor address', async () => {
    expect((await choose({ scope: 'full' }, { answers: true })).type).to.equal('servicecenter');
    expect((await choose({ scope: 'full' })).type).to.equal('file');
  });
});

describe('the look for a service-center', () => {
  it('is true for a port on which something listens', async () => {
    const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    expect(await probeTcp(systemPorts().timers)('127.0.0.1', port)).to.equal(true);
    server.close();
  });

  it('is false at once for a port on which nothing listens, and leaves no timer', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    const { time, timers } = fakePorts();
    expect(await probeTcp(timers)('127.0.0.1', port)).to.equal(false);
    expect(time.pendingTimers).to.equal(0);
  });

  it('is false after 300 ms without an answer', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const { time, timers } = fakePorts();
    // The time is over before the event loop has had a chance to see the connection.
    const answer = probeTcp(timers)('127.0.0.1', port);
    time.advance(300);
    expect(await answer).to.equal(false);
    expect(time.pendingTimers).to.equal(0);
    server.close();
  });
});
