import { expect } from 'chai';
import type { App, Echo } from './support/app.js';
import { call, type CallResult } from './support/http-call.js';
import { useScene } from './support/scene.js';
import type { Sidecar } from './support/sidecar.js';

describe('the local port that an inbound call goes to', () => {
  const scene = useScene();
  let main: App, second: App;

  beforeEach(async () => {
    [main, second] = [await scene().app({ name: 'main' }), await scene().app({ name: 'second' })];
  });

  /** @param ports the value of --service-ports, or none */
  async function startWorld(ports?: string, env: Record<string, string> = {}): Promise<Sidecar> {
    const args = ports === undefined ? [] : [`--service-ports=${ports}`];
    return await scene().sidecar({ service: 'world', args, env });
  }

  async function callInbound(sidecar: Sidecar, port?: number | string): Promise<CallResult> {
    const headers: Record<string, string> = { host: 'world' };
    if (port !== undefined) headers['x-forwarded-port'] = String(port);
    return await call(`http://${sidecar.inbound}/`, { headers });
  }

  function nameIn({ status, headers, body }: CallResult): string {
    return status === 200 ? (JSON.parse(body) as Echo).name : `${status} ${String(headers['x-mesher-error'])}`;
  }

  it('is the declared one, also under the alias http and with spaces after commas', async () => {
    const sidecar = await startWorld(`http:${main.port}, rest-second:${second.port}`);
    expect(nameIn(await callInbound(sidecar))).to.equal('main');
  });

  it('is declared by SERVICE_PORTS, too', async () => {
    expect(nameIn(await callInbound(await startWorld(undefined, { SERVICE_PORTS: `rest:${second.port}` })))).to.equal(
      'second',
    );
  });

  it('is declared by the older SPECIFIC_ADDR, too', async () => {
    const sidecar = await startWorld(undefined, { SPECIFIC_ADDR: `127.0.0.1:${main.port}` });
    expect(nameIn(await callInbound(sidecar))).to.equal('main');
  });

  it('is another declared one when the caller writes its number into the URL', async () => {
    const sidecar = await startWorld(`rest:${main.port},rest-second:${second.port}`);
    const caller = await scene().sidecar({ service: 'hello', host: 'none' });
    expect(nameIn(await caller.call(`http://world:${second.port}/`))).to.equal('second');
    expect(nameIn(await caller.call('http://world/'))).to.equal('main');
    expect(nameIn(await callInbound(sidecar, second.port))).to.equal('second');
  });

  it('is never one that was not declared, when any is: the field may come from a load balancer, or from an attacker', async () => {
    const sidecar = await startWorld(`rest:${main.port}`);
    for (const port of [second.port, 443, 'x', '-1', '99999']) {
      expect(nameIn(await callInbound(sidecar, port))).to.equal('main');
    }
  });

  it('is whatever the caller names when none is declared, on loopback', async () => {
    const sidecar = await startWorld();
    expect(nameIn(await callInbound(sidecar, second.port))).to.equal('second');
    expect(nameIn(await callInbound(sidecar))).to.equal('502 MESH_ERR_NO_LOCAL_PORT');
    expect(sidecar.process.output).to.include('no --service-ports');
  });

  it('is never one of the sidecar itself', async () => {
    const listen = `127.0.0.1:${await scene().ports.take()}`;
    const sidecar = await scene().sidecar({
      service: 'world',
      mesher: { 'mesher.listeners': [{ listen, service: 'world' }] },
    });
    for (const port of [sidecar.port, sidecar.adminPort, Number(listen.split(':')[1])]) {
      expect(nameIn(await callInbound(sidecar, port))).to.equal('502 MESH_ERR_NO_LOCAL_PORT');
    }
  });
});
