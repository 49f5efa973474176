import { expect } from 'chai';
import { StatsdDouble } from './support/statsd-double.js';
import { useScene } from './support/scene.js';

describe('StatsD', () => {
  const scene = useScene();
  let statsd: StatsdDouble;
  beforeEach(async () => {
    statsd = await StatsdDouble.start();
  });
  afterEach(() => statsd.close());

  it("gets each call once, by netramesh's variables and names, and not those to ignored paths", async () => {
    const { sidecar } = await scene().service('shop', {
      env: {
        NETRA_STATSD_ENABLED: 'true',
        NETRA_STATSD_ADDRESS: `localhost:${statsd.port}`,
        NETRA_STATSD_PREFIX: 'netra',
        NETRA_HTTP_TRACING_IGNORED_PATHS: '/health',
      },
      mesher: { mesher: { statsd: { flushInterval: '100ms' } } },
    });
    const front = await scene().sidecar({ service: 'front', host: 'none' });
    for (const path of ['/', '/orders?id=1', '/status/503', '/health', '/health?full=1']) {
      await front.call(`http://shop${path}`);
    }
    await statsd.counted('netra.inbound.200', 2);
    await statsd.counted('netra.inbound.503', 1);
    await statsd.counted('netra.requests.inbound.shop.2xx', 4);
    expect(statsd.timings('netra.request_duration.inbound.shop.2xx')).to.equal(4);
    expect(statsd.timings('netra.request_duration.inbound.shop.5xx')).to.equal(1);
    expect(await sidecar.metric('mesher_responses_total', { direction: 'inbound', status: '200' })).to.equal(2);
    expect(statsd.longest).to.be.at.most(1440);
  });

  it('gets the last calls when the sidecar ends', async () => {
    const { sidecar } = await scene().service('shop', {
      mesher: {
        mesher: { statsd: { enabled: true, address: `127.0.0.1:${statsd.port}`, flushInterval: '10m' } },
      },
    });
    const front = await scene().sidecar({ service: 'front', host: 'none' });
    await front.call('http://shop/');
    expect(statsd.datagrams).to.equal(0);
    expect((await sidecar.process.stop()).code).to.equal(0);
    await statsd.counted('inbound.200', 1);
  });

  it('does no harm to calls, nor to the end, while its server cannot be found', async () => {
    const { sidecar } = await scene().service('shop', {
      mesher: {
        mesher: { statsd: { enabled: true, address: 'statsd.invalid:8125', flushInterval: '100ms' } },
      },
    });
    const front = await scene().sidecar({ service: 'front', host: 'none' });
    expect((await front.call('http://shop/')).status).to.equal(200);
    await sidecar.process.untilPrinted(/numbers could not be sent to StatsD/);
    expect((await front.call('http://shop/')).status).to.equal(200);
    expect((await sidecar.process.stop()).code).to.equal(0);
    expect(sidecar.process.stdout.match(/could not be sent to StatsD/g)).to.have.length(1);
  });
});
