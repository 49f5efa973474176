import { expect } from 'chai';
import { fieldsOf, type App, type Echo } from './support/app.js';
import { useSharedScene } from './support/scene.js';
import type { Sidecar } from './support/sidecar.js';

interface FourProcesses {
  readonly consumer: App;
  readonly consumerSidecar: Sidecar;
  readonly provider: App;
  readonly providerSidecar: Sidecar;
}

describe('a call through four processes: consumer, its mesher, the mesher of the provider, provider', () => {
  const mesh = useSharedScene<FourProcesses>(async (scene) => {
    const { app: provider, sidecar: providerSidecar } = await scene.service('world', {
      mesher: { 'mesher.serverTiming': true },
    });
    const consumerSidecar = await scene.sidecar({ service: 'hello', mesher: { 'mesher.serverTiming': true } });
    const consumer = await scene.app({ name: 'hello', proxy: consumerSidecar.outbound });
    // Read by people: how fast a sidecar starts depends on the machine, so no test asserts it.
    const times = [providerSidecar, consumerSidecar].map(({ readyAfterMs }) => `${Math.round(readyAfterMs)} ms`);
    console.log(`    (the two sidecars were ready after ${times.join(' and ')})`);
    return { consumer, consumerSidecar, provider, providerSidecar };
  });

  async function echo(url: string, options: Parameters<App['callOut']>[1] = {}): Promise<Echo> {
    const { status, body } = await mesh().consumer.callOut(url, options);
    expect(status, body).to.equal(200);
    return JSON.parse(body) as Echo;
  }

  it('reaches the provider by the name of its service, with method, path and query as sent', async () => {
    const { name, method, url } = await echo('http://world/a/path?with=query&and=%20more', { method: 'DELETE' });
    expect({ name, method, url }).to.deep.equal({
      name: 'world',
      method: 'DELETE',
      url: '/a/path?with=query&and=%20more',
    });
  });

  it('carries the body there and back', async () => {
    const body = 'Grüße, 世界\n'.repeat(5_000);
    expect((await echo('http://world/', { method: 'POST', body })).body).to.equal(body);
  });

  it('gives the provider the Host field that the consumer wrote', async () => {
    expect(fieldsOf(await echo('http://world/'), 'host')).to.deep.equal(['world']);
    expect(fieldsOf(await echo(`http://world:${mesh().provider.port}/`), 'host')).to.deep.equal([
      `world:${mesh().provider.port}`,
    ]);
  });

  it('passes the port in the URL on as X-Forwarded-Port, and adds none when the URL has none', async () => {
    const { provider } = mesh();
    expect(fieldsOf(await echo(`http://world:${provider.port}/`), 'x-forwarded-port')).to.deep.equal([
      String(provider.port),
    ]);
    expect(fieldsOf(await echo('http://world/'), 'x-forwarded-port')).to.deep.equal([]);
  });

  it('goes to the declared port when the port in the URL is not a declared one', async () => {
    expect((await echo('http://world:443/')).name).to.equal('world');
  });

  it('tells the provider who calls, in x-cse-context and x-cse-src-microservice', async () => {
    const got = await echo('http://world/');
    expect(fieldsOf(got, 'x-cse-src-microservice')).to.deep.equal(['hello']);
    expect(fieldsOf(got, 'x-cse-context').map((text) => JSON.parse(text) as unknown)).to.deep.equal([
      { 'x-cse-src-microservice': 'hello' },
    ]);
  });

  it('keeps what the application wrote into x-cse-context, and does not let it pose as another service', async () => {
    const got = await echo('http://world/', {
      headers: { 'x-cse-context': '{"trace":"7","x-cse-src-microservice":"admin"}', 'x-cse-src-microservice': 'admin' },
    });
    expect(fieldsOf(got, 'x-cse-src-microservice')).to.deep.equal(['hello']);
    expect(fieldsOf(got, 'x-cse-context').map((text) => JSON.parse(text) as unknown)).to.deep.equal([
      { trace: '7', 'x-cse-src-microservice': 'hello' },
    ]);
  });

  it('hands over names, values and case of other header fields untouched, and one request id', async () => {
    const got = await echo('http://world/', { headers: { 'X-MiXed-Case': 'a  b', accept: 'application/json' } });
    const at = got.rawHeaders.indexOf('X-MiXed-Case');
    expect(got.rawHeaders[at + 1]).to.equal('a  b');
    expect(fieldsOf(got, 'x-request-id')).to.have.lengthOf(1);
    expect(fieldsOf(got, 'x-forwarded-host')).to.deep.equal(['world']);
  });

  for (const status of [201, 304, 404, 418, 500, 503]) {
    it(`brings the status ${status} of the provider to the consumer as it is`, async () => {
      const answer = await mesh().consumer.callOut(`http://world/status/${status}`);
      expect(answer.status).to.equal(status);
      expect(answer.headers['x-app']).to.equal('world');
      expect(answer.headers).not.to.have.property('x-mesher-error');
    });
  }

  it('says in Server-Timing which sidecars and which addresses took part', async () => {
    const { consumer, provider, providerSidecar } = mesh();
    const { headers } = await consumer.callOut('http://world/');
    const timing = String(headers['server-timing']);
    expect(timing).to.include(`"outbound world ${providerSidecar.inbound}"`);
    expect(timing).to.include(`"inbound world 127.0.0.1:${provider.port}"`);
  });

  it('is counted by both sidecars, each in its direction', async () => {
    const { consumer, consumerSidecar, providerSidecar } = mesh();
    const count = (sidecar: Sidecar, direction: string): Promise<number> =>
      sidecar.metric('mesher_requests_total', { direction, service: 'world', status_class: '2xx' });
    const before = [await count(consumerSidecar, 'outbound'), await count(providerSidecar, 'inbound')];
    for (let i = 0; i < 3; i++) await consumer.callOut('http://world/');
    const after = [await count(consumerSidecar, 'outbound'), await count(providerSidecar, 'inbound')];
    expect(after).to.deep.equal(before.map((calls) => calls + 3));
    expect([await count(consumerSidecar, 'inbound'), await count(providerSidecar, 'outbound')]).to.deep.equal([0, 0]);
    const duration = 'mesher_request_duration_seconds';
    const labels = { direction: 'inbound', service: 'world', status_class: '2xx' };
    expect(await providerSidecar.metric(duration, labels, `${duration}_count`)).to.equal(after[1]);
  });
});
