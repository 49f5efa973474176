import { expect } from 'chai';
import { call } from './support/http-call.js';
import { eventually } from './support/eventually.js';
import { useScene } from './support/scene.js';

describe('ports for metrics and profiles', () => {
  const scene = useScene();

  it("are opened by netramesh's variables; calls are not brought there", async () => {
    const [metrics, profiles] = [await scene().ports.take(), await scene().ports.take()];
    const sidecar = await scene().sidecar({
      service: 'shop',
      env: { NETRA_PROMETHEUS_PORT: `${metrics}`, NETRA_PPROF_PORT: `${profiles}` },
    });
    const page = await call(`http://127.0.0.1:${metrics}/any/path`);
    expect(page.status).to.equal(200);
    expect(page.body).to.contain('mesher_build_info');
    expect(page.headers['content-type']).to.equal((await sidecar.admin('/metrics')).headers['content-type']);
    expect((await call(`http://127.0.0.2:${metrics}/`)).status, 'all addresses').to.equal(200);
    expect((await call(`http://127.0.0.1:${profiles}/debug/pprof/`)).body).to.contain('seconds=30');
    const refused = await call(`http://127.0.0.2:${profiles}/`).catch((error: NodeJS.ErrnoException) => error.code);
    expect(refused, 'loopback alone').to.equal('ECONNREFUSED');
    for (const port of [metrics, profiles]) {
      const headers = { 'x-forwarded-port': `${port}` };
      const { status } = await call(`http://${sidecar.inbound}/debug/pprof/cmdline`, { headers });
      expect(status, `a call that names port ${port}`).to.not.equal(200);
    }
  });

  it('are closed when nobody asks for them', async () => {
    const sidecar = await scene().sidecar({ service: 'shop', host: 'none' });
    expect(sidecar.process.stdout).to.not.match(/"metrics":|"profiles":/);
    const { body } = await sidecar.admin('/config');
    expect(body).to.match(/pprof.enable/);
  });

  it('that are taken stop the start', async () => {
    const taken = await scene().ports.take();
    await scene().sidecar({
      service: 'first',
      host: 'none',
      mesher: { pprof: { enable: true, listen: `127.0.0.1:${taken}` } },
    });
    const second = scene().sidecar({ service: 'second', host: 'none', env: { NETRA_PPROF_PORT: `${taken}` } });
    expect(String(await second.catch((error: unknown) => error))).to.contain(
      'the port for profiles (pprof.listen) cannot listen',
    );
  });

  it('give up a profile when the sidecar ends, or the client has gone', async () => {
    const port = await scene().ports.take();
    const sidecar = await scene().sidecar({ service: 'shop', host: 'none', env: { NETRA_PPROF_PORT: `${port}` } });
    const gone = new AbortController();
    const first = fetch(`http://127.0.0.1:${port}/debug/pprof/profile?seconds=60`, { signal: gone.signal });
    first.catch(() => undefined);
    await sidecar.process.untilPrinted(/a profile is being taken/);
    expect((await call(`http://127.0.0.1:${port}/debug/pprof/heap`)).status).to.equal(409);
    gone.abort();
    const quick = `http://127.0.0.1:${port}/debug/pprof/profile?seconds=0.05`;
    await eventually('a profile after one that was given up', async () => (await call(quick)).status === 200);
    const last = call(`http://127.0.0.1:${port}/debug/pprof/profile?seconds=60`);
    await eventually(
      'the last profile',
      async () => (await call(`http://127.0.0.1:${port}/debug/pprof/heap`)).status === 409,
    );
    expect((await sidecar.process.stop()).code).to.equal(0);
    expect((await last).status).to.equal(200);
  });
});
