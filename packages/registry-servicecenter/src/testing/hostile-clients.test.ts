import { expect } from 'chai';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { fakePorts } from '@mesher/core/testing';
import { Probe } from './behaviours/probe.js';
import { Accounts } from './rbac/accounts.js';
import { ServiceCenterServer, type ServiceCenterOptions } from './service-center-server.js';
import { RegistryError } from './store/registry-error.js';

const UPGRADE = [
  'connection: upgrade',
  'upgrade: websocket',
  'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==',
  'sec-websocket-version: 13',
];

/** Sends bytes and does not end its side. @returns what came until the other side ended its own */
async function sendRaw(port: number, head: readonly string[], opened: Socket[] = []): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  opened.push(socket);
  socket.on('error', () => {});
  socket.write(Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'));
  let answer = '';
  socket.on('data', (chunk) => (answer += chunk.toString('latin1')));
  await Promise.race([once(socket, 'end'), once(socket, 'close')]);
  return answer;
}

describe('a registry with hostile clients', () => {
  let server: ServiceCenterServer;
  let probe: Probe;

  async function start(options?: ServiceCenterOptions): Promise<void> {
    server = await ServiceCenterServer.start(options);
    probe = new Probe({ url: server.url });
  }

  afterEach(async () => {
    await server.close();
  });

  it('survives a websocket to a target that is none', async () => {
    await start();
    expect(await sendRaw(server.port, ['GET // HTTP/1.1', 'host: x', ...UPGRADE])).to.match(/^HTTP\/1\.1 400 /);
    expect(await sendRaw(server.port, ['GET // HTTP/1.1', 'host: x', 'connection: close'])).to.contain('"400001"');
    await probe.service('orders');
  });

  it('survives a websocket with a token whose signature is no text of ours', async () => {
    await start({ rbac: { rootPassword: 'Complicated-1' } });
    const token = `a.b.\u00e9${'a'.repeat(85)}`;
    const path = '/v4/default/registry/microservices/x/watcher';
    const head = [`GET ${path} HTTP/1.1`, 'host: x', `authorization: Bearer ${token}`, ...UPGRADE];
    expect(await sendRaw(server.port, head)).to.match(/^HTTP\/1\.1 401 /);
    expect((await probe.send('GET', '/version')).status).to.equal(200);
  });

  it('ends the connection of a websocket that it refuses, even if the other side does not', async () => {
    await start();
    const opened: Socket[] = [];
    const head = ['GET /nowhere HTTP/1.1', 'host: x', ...UPGRADE];
    expect(await sendRaw(server.port, head, opened)).to.match(/^HTTP\/1\.1 404 /);
    while (server.sockets > 0) await new Promise((resolve) => setImmediate(resolve));
    for (const socket of opened) socket.destroy();
  });

  it('ends the connection of a watcher that does not read what it is told', async () => {
    await start();
    const { serviceId } = server.seed({ serviceName: 'shop' });
    const orders = server.seed({ serviceName: 'orders', instances: [{ instanceId: 'a' }] });
    await probe.depend(serviceId, 'orders', orders.serviceId);
    const socket = await probe.socket(`/microservices/${serviceId}/watcher`);
    socket.socket.pause();
    const { instances } = server.registry.tenant();
    const large = { text: 'x'.repeat(1024 * 1024) };
    // What the kernel takes is not known to anybody; sooner or later it is full.
    for (let at = 0; at < 64; at++) instances.setProperties(orders.serviceId, 'a', large);
    await server.untilWatchers(0);
    socket.close();
  });

  it('remembers no tenant in which nothing is registered', async () => {
    await start();
    await probe.ask('GET', '/microservices', undefined, { 'x-domain-name': 'made-up' });
    await probe.refused(400001, 'POST', '/microservices', {}, { 'x-domain-name': 'made-up' });
    expect(Object.keys(server.registry.dump().tenants)).to.deep.equal([]);
    await probe.ask('POST', '/microservices', { service: { serviceName: 'a' } }, { 'x-domain-name': 'real' });
    expect(Object.keys(server.registry.dump().tenants)).to.deep.equal(['real/default']);
  });

  it('refuses more questions at once than any client has', async () => {
    await start();
    const services = Array.from({ length: 1_001 }, () => ({ service: { appId: 'default', serviceName: 'orders' } }));
    await probe.refused(400001, 'POST', '/instances/action?type=query', { services });
  });
});

describe('the accounts of a registry', () => {
  const codeOf = (work: () => unknown): number | undefined => {
    try {
      work();
    } catch (error) {
      if (error instanceof RegistryError) return error.code;
      throw error;
    }
    return undefined;
  };

  it('are blocked for the address that guesses, and for no other', () => {
    const accounts = new Accounts({ rootPassword: 'Complicated-1' }, fakePorts());
    for (const code of [401202, 401202, 401202, 403201]) {
      expect(codeOf(() => accounts.login('root', 'guess', '', '10.0.0.1'))).to.equal(code);
    }
    expect(codeOf(() => accounts.login('root', 'Complicated-1', '', '10.0.0.1'))).to.equal(403201);
    expect(codeOf(() => accounts.login('root', 'Complicated-1', '', '10.0.0.2'))).to.equal(undefined);
  });

  it('remember the guesses of so many names and no more', () => {
    const accounts = new Accounts({ rootPassword: 'Complicated-1' }, fakePorts());
    for (let at = 0; at < 20_000; at++) codeOf(() => accounts.login(`made-up-${at}`, 'guess', '', '10.0.0.1'));
    expect(codeOf(() => accounts.login('x'.repeat(1_000), 'guess', '', '10.0.0.1'))).to.equal(401202);
    expect(accounts.guessers).to.be.at.most(10_000);
  });
});
