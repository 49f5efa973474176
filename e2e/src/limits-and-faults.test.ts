import { expect } from 'chai';
import { call } from './support/http-call.js';
import { eventually } from './support/eventually.js';
import { useScene, useSharedScene } from './support/scene.js';
import type { Sidecar } from './support/sidecar.js';
import { converse, TcpApp } from './support/wire-apps.js';

/** So slow that nothing comes back while a test runs. */
const HARDLY_EVER = 0.001;

const ABORT = 'policy.fault.protocols.rest.abort';

describe('a rate limit of connections that are not HTTP', () => {
  const scene = useScene();

  it('lets so many connections through and closes the others', async () => {
    const app = await TcpApp.serving((socket) => socket.pipe(socket));
    await scene().write('disco/store', `127.0.0.1 ${app.port}\n`);
    const listen = `127.0.0.1:${await scene().ports.take()}`;
    const sidecar = await scene().sidecar({
      service: 'hello',
      host: 'none',
      chassis: {
        'cse.flowcontrol.Consumer.qps.limit.store': HARDLY_EVER,
        'cse.flowcontrol.Consumer.qps.burst.store': 2,
      },
      mesher: { 'mesher.listeners': [{ listen, service: 'store' }] },
    });
    const answers: string[] = [];
    for (let i = 0; i < 3; i++) answers.push(await converse(listen, 'PING\n').catch(() => ''));
    expect(answers).to.deep.equal(['PING\n', 'PING\n', '']);
    expect(await sidecar.metric('mesher_rate_limit_rejections_total', { service: 'store' })).to.equal(1);
    await app.stop();
  });
});

describe('rate limits and injected faults', () => {
  const scene = useSharedScene(async (made) => {
    const { sidecar: provider } = await made.service('world', {
      chassis: {
        'cse.flowcontrol.Provider.qps.limit.batch': HARDLY_EVER,
        'cse.flowcontrol.Provider.qps.burst.batch': 2,
      },
    });
    await made.service('moon');
    const consumer = await made.sidecar({
      service: 'orders',
      host: 'none',
      chassis: {
        'cse.flowcontrol.Consumer.qps.rules': [
          { service: 'world', method: 'POST', path: '/items/{id}', limit: HARDLY_EVER, burst: 2, name: 'items' },
        ],
        [`cse.governance.Consumer.moon.${ABORT}.httpStatus`]: 418,
        [`cse.governance.Consumer.moon.${ABORT}.percent`]: 100,
        'cse.governance.Consumer.moon.policy.fault.match.cookie.group': 'testers',
        'cse.governance.Consumer.moon.policy.fault.protocols.rest.delay.fixedDelay': 30,
        'cse.governance.Consumer.moon.policy.fault.protocols.rest.delay.percent': 100,
      },
      mesher: { 'mesher.rateLimit.headers': 'always' },
    });
    const batch = await made.sidecar({ service: 'batch', host: 'none' });
    for (const sidecar of [consumer, batch]) {
      for (const service of ['world', 'moon']) {
        await eventually(`an instance of ${service}`, async () => (await sidecar.instances(service)).length === 1);
      }
    }
    return { consumer, batch, provider };
  });

  async function statuses(sidecar: Sidecar, url: string, count: number): Promise<number[]> {
    const found: number[] = [];
    for (let i = 0; i < count; i++) found.push((await sidecar.call(url)).status);
    return found;
  }

  it('limit one API, and tell the caller how much is left and when to come again', async () => {
    const { consumer } = scene();
    const post = () => consumer.call('http://world/items/7?x=1', { method: 'POST', body: 'x'.repeat(100) });
    const [first, , third] = [await post(), await post(), await post()];
    expect([first.status, first.headers['ratelimit'], first.headers['ratelimit-policy']]).to.deep.equal([
      200,
      '"items";r=1;t=1000',
      '"items";q=4;w=3600',
    ]);
    const { status, headers, body } = third;
    expect([status, headers['x-mesher-error'], headers['ratelimit']]).to.deep.equal([
      429,
      'MESH_ERR_RATE_LIMITED',
      `"items";r=0;t=${headers['retry-after'] ?? ''}`,
    ]);
    expect(Number(headers['retry-after'])).to.be.within(900, 1000);
    expect(JSON.parse(body)).to.include({ code: 'MESH_ERR_RATE_LIMITED', service: 'world' });
    expect((await consumer.call('http://world/items/7')).status).to.equal(200);
    expect(await consumer.metric('mesher_rate_limit_rejections_total', { limit: 'items' })).to.equal(1);
  });

  it('limit a calling service at the provider', async () => {
    const { batch, consumer } = scene();
    expect(await statuses(batch, 'http://world/', 4)).to.deep.equal([200, 200, 429, 429]);
    expect(await statuses(consumer, 'http://world/', 4)).to.deep.equal([200, 200, 200, 200]);
  });

  it('hold back and abort the calls that a fault is for, and say so', async () => {
    const { consumer } = scene();
    const aborted = await consumer.call('http://moon/', { headers: { cookie: 'a=b; group=testers' } });
    expect([aborted.status, aborted.body, aborted.headers['x-mesher-fault']]).to.deep.equal([
      418,
      'injecting abort',
      'delay, abort',
    ]);
    expect(aborted.headers['x-mesher-error']).to.equal('MESH_ERR_FAULT_INJECTED');
    const others = await consumer.call('http://moon/');
    expect([others.status, others.headers['x-mesher-fault']]).to.deep.equal([200, undefined]);
    expect(await consumer.metric('mesher_faults_injected_total', { service: 'moon' })).to.equal(2);
  });

  it('answer a caller that speaks to the inbound port without a sidecar, too', async () => {
    const { provider } = scene();
    const headers = { 'x-cse-src-microservice': 'batch' };
    // More than the burst, also when no case before this one has used it up.
    const found: number[] = [];
    for (let i = 0; i < 3; i++) found.push((await call(`http://${provider.inbound ?? ''}/`, { headers })).status);
    expect(found.at(-1)).to.equal(429);
  });
});
