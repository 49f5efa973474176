import { expect } from 'chai';
import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import type { App } from './support/app.js';
import { eventually } from './support/eventually.js';
import { call, type CallResult } from './support/http-call.js';
import { useScene } from './support/scene.js';
import { MESHER_BIN, type Sidecar } from './support/sidecar.js';

describe('a sidecar that is asked to stop', () => {
  const scene = useScene();

  /** A provider with a request that waits in its application, sent to its sidecar from outside. */
  async function startBusy(
    args: readonly string[] = [],
  ): Promise<{ app: App; sidecar: Sidecar; slow: Promise<CallResult> }> {
    const sidecarPort = await scene().ports.take();
    const app = await scene().app({ name: 'world', proxy: `127.0.0.1:${sidecarPort}` });
    const sidecar = await scene().sidecar({ service: 'world', app, port: sidecarPort, args });
    const slow = call(`http://${sidecar.inbound}/hold`);
    slow.catch(() => undefined);
    await app.untilHeld();
    return { app, sidecar, slow };
  }

  function tryConnect(address: string | undefined): Promise<'accepted' | string> {
    const [host, port] = (address ?? '').split(':');
    return new Promise((resolve) => {
      const socket = connect({ host, port: Number(port) }, () => resolve('accepted'));
      socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
      socket.once('close', () => socket.destroy());
    });
  }

  async function registrations(service: string): Promise<string[]> {
    return await readdir(join(scene().registry, '.instances', service)).catch(() => []);
  }

  it('finishes the request that is in flight, takes no new connections, and ends with 0', async () => {
    const { app, sidecar, slow } = await startBusy();
    sidecar.process.signal('SIGTERM');
    await eventually('new connections are refused', async () => (await tryConnect(sidecar.inbound)) === 'ECONNREFUSED');
    expect(sidecar.process.isRunning).to.equal(true);
    await app.release();
    const { status, headers } = await slow;
    expect([status, headers.connection]).to.deep.equal([200, 'close']);
    expect(await sidecar.process.exited).to.deep.equal({ code: 0, signal: null });
  });

  it('leaves the registry before it refuses anybody', async () => {
    const { app, sidecar, slow } = await startBusy();
    const caller = await scene().sidecar({ service: 'hello', host: 'none' });
    expect((await caller.call('http://world/')).status).to.equal(200);
    expect(await registrations('world')).to.have.lengthOf(1);
    sidecar.process.signal('SIGTERM');
    await eventually('new connections are refused', async () => (await tryConnect(sidecar.inbound)) === 'ECONNREFUSED');
    expect(await registrations('world')).to.deep.equal([]);
    await eventually('its callers have forgotten it', async () => (await caller.instances('world')).length === 0);
    await app.release();
    expect((await slow).status).to.equal(200);
  });

  it('lets the application call others while it drains, because it needs them to finish its work', async () => {
    await scene().service('stock');
    const { app, sidecar, slow } = await startBusy();
    sidecar.process.signal('SIGTERM');
    await eventually('new connections are refused', async () => (await tryConnect(sidecar.inbound)) === 'ECONNREFUSED');
    const { status, body } = await app.callOut('http://stock/');
    expect([status, (JSON.parse(body) as { name: string }).name]).to.deep.equal([200, 'stock']);
    await app.release();
    expect((await slow).status).to.equal(200);
    expect((await sidecar.process.exited).code).to.equal(0);
  });

  it('says on /ready that it is shutting down, and stays live', async () => {
    const { app, sidecar } = await startBusy();
    expect((await sidecar.admin('/ready')).status).to.equal(200);
    sidecar.process.signal('SIGTERM');
    const { body } = await eventually('/ready turns to 503', async () => {
      const answer = await sidecar.admin('/ready');
      return answer.status === 503 && answer;
    });
    expect(body).to.include('shutting down');
    expect((await sidecar.admin('/live')).status).to.equal(200);
    await app.release();
    expect((await sidecar.process.exited).code).to.equal(0);
  });

  it('ends at once with 0 when nothing is in flight, idle connections of clients or not', async () => {
    const { sidecar } = await scene().service('world');
    const idle = connect({ host: sidecar.inbound?.split(':')[0], port: sidecar.port });
    const kept = connect({ host: '127.0.0.1', port: sidecar.port });
    kept.write('GET / HTTP/1.1\r\nHost: world\r\n\r\n');
    await new Promise((resolve) => kept.once('data', resolve));
    sidecar.process.signal('SIGTERM');
    expect(await sidecar.process.exited).to.deep.equal({ code: 0, signal: null });
    expect(sidecar.process.output).to.include('"msg":"drained"');
    idle.destroy();
    kept.destroy();
  });

  it('gives up waiting after --drain-timeout, and the client learns that its answer will not come', async () => {
    const { sidecar, slow } = await startBusy(['--drain-timeout=1s']);
    sidecar.process.signal('SIGTERM');
    expect(await sidecar.process.exited).to.deep.equal({ code: 0, signal: null });
    expect(sidecar.process.output).to.include('drain timeout reached');
    expect(await slow.then(String, (error: NodeJS.ErrnoException) => error.code)).to.equal('ECONNRESET');
  });

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`ends at once with 1 at a second ${signal}`, async () => {
      const { sidecar } = await startBusy();
      sidecar.process.signal(signal);
      await sidecar.process.untilPrinted(/"msg":"draining/);
      sidecar.process.signal(signal);
      expect(await sidecar.process.exited).to.deep.equal({ code: 1, signal: null });
    });
  }

  it('ends with 0 when the signal comes while it is still starting', async () => {
    const folder = await scene().write('conf/microservice.yaml', 'servicecomb.service.name: world\n');
    const ports = [await scene().ports.take(), await scene().ports.take()];
    await scene().write(
      'conf/chassis.yaml',
      `servicecomb:
  protocols: { http: { listenAddress: "127.0.0.2:${ports[0]}" }, rest-admin: { listenAddress: "127.0.0.1:${ports[1]}" } }
  registry: { type: file, address: ../disco }\n`,
    );
    const sidecar = scene().spawn('the sidecar', process.execPath, [MESHER_BIN], {
      CHASSIS_CONF_DIR: dirname(folder),
    });
    // The first line comes while the parts are being put together.
    await sidecar.untilPrinted(/\n/);
    sidecar.signal('SIGTERM');
    expect(await sidecar.exited).to.deep.equal({ code: 0, signal: null });
    expect(await registrations('world')).to.deep.equal([]);
  });

  it('by POST /drain does the same, however often it is asked, and a SIGTERM after it does not cut it short', async () => {
    const { app, sidecar, slow } = await startBusy();
    for (let times = 0; times < 3; times++) {
      expect((await sidecar.admin('/drain', { method: 'POST' })).status).to.equal(202);
    }
    expect((await sidecar.admin('/ready')).status).to.equal(503);
    sidecar.process.signal('SIGTERM');
    await eventually('new connections are refused', async () => (await tryConnect(sidecar.inbound)) === 'ECONNREFUSED');
    expect(await registrations('world')).to.deep.equal([]);
    await app.release();
    expect((await slow).status).to.equal(200);
    expect(await sidecar.process.exited).to.deep.equal({ code: 0, signal: null });
  });
});
