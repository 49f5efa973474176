import { expect } from 'chai';
import { Agent } from 'node:http';
import { eventually } from './support/eventually.js';
import { call, type CallResult } from './support/http-call.js';
import { useSharedScene } from './support/scene.js';
import type { Sidecar } from './support/sidecar.js';

interface Troubles {
  readonly caller: Sidecar;
  /** A service whose application does not run. */
  readonly lifeless: Sidecar;
  readonly lifelessPort: number;
}

/** What every error reply of Mesher's own says. */
interface ErrorBody {
  readonly code: string;
  readonly message: string;
  readonly service?: string;
  readonly requestId?: string;
  readonly hint: string;
}

describe('a call that Mesher itself must answer', () => {
  const troubles = useSharedScene<Troubles>(async (scene) => {
    const app = await scene.app({ name: 'lifeless' });
    const lifeless = await scene.sidecar({ service: 'lifeless', app });
    await app.process.kill();
    await scene.sidecar({ service: 'portless' });
    await scene.service('world');
    const caller = await scene.sidecar({ service: 'hello' });
    await scene.write('disco/vacant', '# nobody yet\n');
    await scene.write('disco/switched-off', '127.0.0.1 9 * 0\n');
    await scene.write('disco/circle', `127.0.0.1 ${caller.port}\n`);
    await scene.write('disco/unreachable', `127.0.0.1 ${await scene.ports.take()}\n`);
    await eventually('the caller knows all of them', async () => {
      const known = (await caller.services()).services.filter(({ exists }) => exists).map(({ service }) => service);
      return ['lifeless', 'portless', 'world', 'circle', 'unreachable'].every((name) => known.includes(name));
    });
    await eventually(
      'files without addresses are known, too',
      async () => (await caller.call('http://vacant/')).status === 503,
    );
    return { caller, lifeless, lifelessPort: app.port };
  });

  function expectError(answer: CallResult, status: number, code: string): ErrorBody {
    expect([answer.status, answer.headers['x-mesher-error']], answer.body).to.deep.equal([status, code]);
    expect(answer.headers['content-type']).to.match(/^application\/json/);
    const body = JSON.parse(answer.body) as ErrorBody;
    expect(body.code).to.equal(code);
    expect(body.message).to.not.equal('');
    expect(body.hint).to.not.equal('');
    return body;
  }

  it('is answered with 404 when the service is unknown, and says where to look', async () => {
    const body = expectError(await troubles().caller.call('http://nobody/'), 404, 'MESH_ERR_NO_ROUTE');
    expect(body).to.include({ service: 'nobody' });
    expect(body.message).to.include('nobody');
    expect(body.hint).to.include('/services');
  });

  it('is answered with 404 when the host is an address, which names no service', async () => {
    const body = expectError(await troubles().caller.call('http://10.1.2.3/'), 404, 'MESH_ERR_NO_ROUTE');
    expect(body.message).to.include('10.1.2.3');
  });

  for (const service of ['vacant', 'switched-off']) {
    it(`is answered with 503 and retry-after when the service ${service} has no instance that could answer`, async () => {
      const answer = await troubles().caller.call(`http://${service}/`);
      expectError(answer, 503, 'MESH_ERR_NO_INSTANCE');
      expect(Number(answer.headers['retry-after'])).to.be.greaterThan(0);
    });
  }

  it('is answered with 502 when nothing listens at the registered address, and names the address', async () => {
    const body = expectError(await troubles().caller.call('http://unreachable/'), 502, 'MESH_ERR_CONNECT');
    expect(body.message).to.include('ECONNREFUSED 127.0.0.1:');
  });

  it('is answered with 502 when the application behind the other sidecar does not listen', async () => {
    const { caller, lifeless } = troubles();
    expectError(await caller.call('http://lifeless/'), 502, 'MESH_ERR_CONNECT');
    const direct = await call(`http://${lifeless.inbound}/`);
    const body = expectError(direct, 502, 'MESH_ERR_CONNECT');
    expect(body.message).to.include(`127.0.0.1:${troubles().lifelessPort}`);
    expect(body.hint).to.include('--service-ports');
  });

  it('is answered with 502 and the flag to set when the other sidecar knows no local port', async () => {
    const body = expectError(await troubles().caller.call('http://portless/'), 502, 'MESH_ERR_NO_LOCAL_PORT');
    expect(body.hint).to.include('--service-ports=rest:PORT').and.to.include('SERVICE_PORTS=rest:PORT');
  });

  it('is answered with 508 when the registered address leads back to the sidecar of the caller', async () => {
    const body = expectError(await troubles().caller.call('http://circle/'), 508, 'MESH_ERR_LOOP');
    expect(body.message).to.include('circle');
  });

  it('is answered with 400 when the request breaks the rules of HTTP', async () => {
    const answer = await troubles().caller.call('http://world/', {
      method: 'POST',
      headers: { 'content-length': '3', 'transfer-encoding': 'chunked' },
    });
    expectError(answer, 400, 'MESH_ERR_BAD_REQUEST');
  });

  it('carries the request id of the caller, or one that Mesher gave it, in header and body', async () => {
    const { caller } = troubles();
    const own = await caller.call('http://nobody/', { headers: { 'x-request-id': 'mine-17' } });
    expect(expectError(own, 404, 'MESH_ERR_NO_ROUTE').requestId).to.equal('mine-17');
    expect(own.headers['x-request-id']).to.equal('mine-17');
    const given = await caller.call('http://nobody/');
    const { requestId } = expectError(given, 404, 'MESH_ERR_NO_ROUTE');
    expect(requestId).to.match(/^\S{8,}$/);
    expect(given.headers['x-request-id']).to.equal(requestId);
  });

  it('is answered in text when the client asks for text and not for JSON', async () => {
    const { caller } = troubles();
    const text = await caller.call('http://nobody/', { headers: { accept: 'text/plain' } });
    expect([text.status, text.headers['x-mesher-error']]).to.deep.equal([404, 'MESH_ERR_NO_ROUTE']);
    expect(text.headers['content-type']).to.match(/^text\/plain/);
    expect(text.body).to.match(/^MESH_ERR_NO_ROUTE: .*nobody/);
    const both = await caller.call('http://nobody/', { headers: { accept: 'text/html, application/json' } });
    expectError(both, 404, 'MESH_ERR_NO_ROUTE');
  });

  it('has no body when it was a HEAD request', async () => {
    const answer = await troubles().caller.call('http://nobody/', { method: 'HEAD' });
    expect([answer.status, answer.headers['x-mesher-error'], answer.body]).to.deep.equal([
      404,
      'MESH_ERR_NO_ROUTE',
      '',
    ]);
  });

  it('leaves the connection usable: the next request on it is served', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const { caller } = troubles();
    const accepted = (): Promise<number> => caller.metric('mesher_downstream_connections_accepted_total');
    const before = await accepted();
    expect((await caller.call('http://nobody/', { agent })).status).to.equal(404);
    expect((await caller.call('http://world/', { agent })).status).to.equal(200);
    expect((await accepted()) - before).to.equal(1);
    agent.destroy();
  });

  it('is counted by its code', async () => {
    const { caller } = troubles();
    const labels = { direction: 'outbound', code: 'MESH_ERR_NO_ROUTE' };
    const before = await caller.metric('mesher_rejections_total', labels);
    await caller.call('http://nobody/');
    expect(await caller.metric('mesher_rejections_total', labels)).to.equal(before + 1);
  });
});
