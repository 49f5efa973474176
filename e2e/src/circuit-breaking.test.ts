import { expect } from 'chai';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request, type ClientRequest } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { eventually } from './support/eventually.js';
import type { CallResult } from './support/http-call.js';
import { useScene } from './support/scene.js';
import type { Settings, Sidecar } from './support/sidecar.js';

const GUIDE = new URL('../../docs/guides/circuit-breaking.md', import.meta.url);
const CORE = new URL('../../packages/core/dist/index.js', import.meta.url);

/** The plugin that the guide shows. */
function pluginOfGuide(): string {
  const [, text = ''] = /```js\n([^]*?)```/.exec(readFileSync(GUIDE, 'utf8')) ?? [];
  // Below the folder of the scene nothing is installed.
  return text.replace("'@mesher/core'", JSON.stringify(CORE.href));
}

describe('breakers, bulkheads and fallbacks of a sidecar', () => {
  const scene = useScene();

  /** A consumer of a service `world` that has an application and no sidecar. */
  async function consumer(chassis: Settings) {
    const app = await scene().app({ name: 'world' });
    await scene().write('disco/world', `127.0.0.1 ${app.port}\n`);
    const sidecar = await scene().sidecar({ service: 'orders', host: 'none', chassis });
    return { app, sidecar };
  }

  async function statuses(sidecar: Sidecar, url: string, count: number): Promise<number[]> {
    const found: number[] = [];
    for (let i = 0; i < count; i++) found.push((await sidecar.call(url)).status);
    return found;
  }

  it('stop the calls of an API that fails, and let them pass again when it is well', async () => {
    const { sidecar } = await consumer({
      'cse.circuitBreaker.Consumer.enabled': true,
      'cse.circuitBreaker.Consumer.requestVolumeThreshold': 5,
      'cse.circuitBreaker.Consumer.sleepWindowInMilliseconds': 1500,
    });
    expect(await statuses(sidecar, 'http://world/status/500', 5)).to.deep.equal([500, 500, 500, 500, 500]);
    const refused = await sidecar.call('http://world/status/200');
    expect([refused.status, refused.headers['x-mesher-error']]).to.deep.equal([503, 'MESH_ERR_BREAKER_OPEN']);
    expect(refused.headers['retry-after']).to.match(/^[12]$/);
    expect(refused.body).to.contain('world (GET /status/{id}) is open: 5 of 5 calls failed (100 %)');
    expect((await sidecar.call('http://world/anything')).status).to.equal(200);
    expect(await sidecar.metric('mesher_breaker_state', { name: 'GET /status/{id}' })).to.equal(2);
    await eventually('a closed breaker', async () => {
      await sidecar.call('http://world/status/200');
      return (await sidecar.metric('mesher_breaker_transitions_total', { to: 'closed' })) === 1;
    });
    expect(await statuses(sidecar, 'http://world/status/200', 3)).to.deep.equal([200, 200, 200]);
  });

  it('let calls wait for their turn, and give up the turn of a client that leaves', async () => {
    const { app, sidecar } = await consumer({
      'cse.isolation.Consumer.world.maxConcurrentRequests': 1,
      'cse.isolation.Consumer.world.maxQueue': 1,
      'cse.isolation.Consumer.world.queueTimeoutMs': 20_000,
    });
    const queued = (): Promise<number> => sidecar.metric('mesher_bulkhead_queue', { service: 'world' });
    const first = sidecar.call('http://world/hold');
    await app.untilHeld();
    const leaving = callAndLeave(sidecar, 'http://world/anything');
    await eventually('a call that waits', async () => (await queued()) === 1);
    const refused = await sidecar.call('http://world/anything');
    expect([refused.status, refused.headers['x-mesher-error']]).to.deep.equal([503, 'MESH_ERR_BULKHEAD_FULL']);
    leaving.destroy();
    await eventually('a free place to wait', async () => (await queued()) === 0);
    const waiting: Promise<CallResult> = sidecar.call('http://world/anything');
    await eventually('another call that waits', async () => (await queued()) === 1);
    await app.release();
    expect((await first).status).to.equal(200);
    expect((await waiting).status).to.equal(200);
    await eventually('an empty bulkhead', async () => (await sidecar.metric('mesher_bulkhead_in_use')) === 0);
  });

  it('close again although the connections that show that the service is well stay open', async () => {
    const port = await scene().ports.take();
    await scene().write('disco/db', `127.0.0.1 ${port}\n`);
    const listen = `127.0.0.1:${await scene().ports.take()}`;
    const sidecar = await scene().sidecar({
      service: 'orders',
      host: 'none',
      chassis: {
        'cse.circuitBreaker.Consumer.enabled': true,
        'cse.circuitBreaker.Consumer.requestVolumeThreshold': 5,
        'cse.circuitBreaker.Consumer.sleepWindowInMilliseconds': 1000,
      },
      mesher: { 'mesher.listeners': [{ listen, service: 'db' }] },
    });
    const sockets: Socket[] = [];
    /** A connection on which something is said, and which stays. */
    const isAnswered = async (): Promise<boolean> => {
      const [host, at] = listen.split(':');
      const socket = connect({ host, port: Number(at) });
      sockets.push(socket);
      socket.write('\u0001ping');
      return await new Promise((resolve) => {
        socket.once('data', () => resolve(true));
        socket.once('close', () => resolve(false));
        socket.once('error', () => undefined);
      });
    };
    const state = (): Promise<number> => sidecar.metric('mesher_breaker_state', { service: 'db' });
    await eventually('an open breaker', async () => {
      await isAnswered();
      return (await state()) === 2;
    });
    const server = createServer((socket) => socket.on('error', () => undefined).pipe(socket)).listen(port, '127.0.0.1');
    try {
      await once(server, 'listening');
      await eventually('a connection', isAnswered);
      for (let i = 0; i < 8; i++) expect(await isAnswered()).to.equal(true);
      expect(await state()).to.equal(0);
    } finally {
      for (const socket of sockets) socket.destroy();
      server.close();
    }
  });

  it('answer with an empty 200, or as a plugin says, when no call is let through', async () => {
    const plugin = await scene().write('plugins/cached.mjs', pluginOfGuide());
    const { sidecar } = await consumer({
      plugins: [plugin],
      'cse.circuitBreaker.Consumer.forceOpen': true,
      'cse.fallbackpolicy.Consumer.policy': 'returnnull',
      'cse.fallbackpolicy.Consumer.world.policy': 'cached',
    });
    await scene().write('disco/moon', '127.0.0.1 9\n');
    await eventually('an instance of moon', async () => (await sidecar.instances('moon')).length === 1);
    const empty = await sidecar.call('http://moon/');
    expect([empty.status, empty.body, empty.headers['x-mesher-error']]).to.deep.equal([
      200,
      '',
      'MESH_ERR_BREAKER_OPEN',
    ]);
    const price = await sidecar.call('http://world/prices/7');
    expect([price.status, price.body, price.headers['content-type']]).to.deep.equal([
      200,
      '{"price":null}',
      'application/json',
    ]);
    expect((await sidecar.call('http://world/other')).status).to.equal(503);
  });
});

/** A call whose client is ready to leave. */
function callAndLeave(sidecar: Sidecar, url: string): ClientRequest {
  const [host, port] = sidecar.outbound.split(':');
  const outgoing = request({ host, port, path: url, headers: { host: new URL(url).host }, agent: false });
  outgoing.once('error', () => undefined);
  outgoing.end();
  return outgoing;
}
