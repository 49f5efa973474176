import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import type { Chassis, Endpoint, Instance, Random } from '@mesher/core';
import { chassisRig, instanceAt, SeededRandom } from '@mesher/core/testing';
import { expect } from 'chai';
import { DEFAULT_PROXY_OPTIONS } from '../../options.js';
import { connectHttp2, openStream, readAnswer, startRawHttp2Server } from '../../testing/http2-peers.js';
import { settleSockets, useProxyRig } from '../../testing/proxy-rig.js';
import { answerSomehow, oneOf } from '../testing/unruly-answers.js';

const ROUNDS = 60;
const INSTANCES = 3;
/** Longer than any timeout below. */
const LAST_WAIT_MS = 20_000;
const STEP_MS = 2000;

/** Everything that counts what is under way, each with bounds that the storm runs into. */
const CONFIGURATION = {
  'cse.loadbalance.retryEnabled': 'true',
  'cse.loadbalance.retryOnNext': '2',
  'cse.loadbalance.retryOn': '5xx, reset, unavailable',
  'cse.loadbalance.retryMethods': 'all',
  'cse.loadbalance.perTryTimeoutMs': '400',
  'cse.loadbalance.hedging.enabled': 'true',
  'cse.loadbalance.hedging.delayMs': '20',
  'cse.loadbalance.outlier.enabled': 'true',
  'cse.circuitBreaker.scope': 'api',
  'cse.circuitBreaker.Consumer.enabled': 'true',
  'cse.circuitBreaker.Consumer.requestVolumeThreshold': '10',
  'cse.circuitBreaker.Consumer.errorThresholdPercentage': '70',
  'cse.circuitBreaker.Consumer.sleepWindowInMilliseconds': '100',
  'cse.isolation.Consumer.timeoutInMilliseconds': '1500',
  'cse.isolation.Consumer.maxConcurrentRequests': '12',
  'cse.isolation.Consumer.maxQueue': '12',
  'cse.isolation.Consumer.queueTimeoutMs': '300',
  'servicecomb.routeRule.world': `
- precedence: 1
  route: [{ tags: { version: 1.0.0 }, weight: 100 }]
  mirror: { tags: { version: 1.0.0 }, percentage: 50 }
`,
};

describe('a storm of calls over HTTP/2 through a chassis, with unruly instances', () => {
  const rig = useProxyRig();

  for (const seed of [1, 2, 3]) {
    it(`leaves nothing counted as under way (seed ${seed})`, async () => {
      const random = new SeededRandom(seed);
      const { create, discovery, ports, time } = await chassisRig({ configuration: CONFIGURATION });
      const chassis = await create();
      rig().atEnd(() => chassis.close());
      const instances = await Promise.all(Array.from({ length: INSTANCES }, () => unruly(random)));
      discovery.publish('world', instances);
      await chassis.directory.whenKnown('world');
      const endpoints = new Set<Endpoint>();
      const harness = await rig().proxy({
        ports,
        handler: chassis.outbound,
        options: {
          maxReplayBytes: 64,
          mirror: { ...DEFAULT_PROXY_OPTIONS.mirror, maxConcurrent: 4, timeout: 500 },
          http2: { ...DEFAULT_PROXY_OPTIONS.http2, maxUpstreamStreams: 4, maxUpstreamConnections: 2 },
        },
      });
      const { proxy, ends } = harness;
      chassis.directory.onRetired((endpoint) => proxy.retire(endpoint));

      const sessions: ClientHttp2Session[] = [];
      const streams: ClientHttp2Stream[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        if (round % 10 === 0) sessions.push(connectHttp2(rig(), harness));
        const session = sessions[sessions.length - 1];
        for (let i = oneOf(random, [1, 3, 10]); i > 0 && !session.destroyed; i--) streams.push(call(random, session));
        if (random.next() < 0.7) await settleSockets();
        for (let i = 0; i < 2; i++) if (random.next() < 0.4) oneOf(random, streams).close(8);
        if (random.next() < 0.03) session.destroy();
        if (random.next() < 0.1) discovery.publish('world', instances.slice(oneOf(random, [0, 0, 1])));
        for (const endpoint of chassis.directory.plan('world')?.endpoints ?? []) endpoints.add(endpoint);
        time.advance(oneOf(random, [0, 10, 30, 60, 120]));
      }
      for (const stream of streams) if (!stream.destroyed) stream.end();
      for (let left = LAST_WAIT_MS; left > 0; left -= STEP_MS) {
        await settleSockets();
        time.advance(STEP_MS);
      }
      await settleSockets();

      expect([...new Set(ends.values())], 'how often calls have ended').to.deep.equal([1]);
      expect(chassis.directory.plan('world')?.calls).to.equal(0);
      expect([...endpoints].filter(({ inFlight }) => inFlight !== 0)).to.deep.equal([]);
      const { metrics } = chassis;
      for (let slot = 0; slot < metrics.slotCount; slot++) expect(metrics.inFlightOf(slot)).to.equal(0);
      expect(await gauge(chassis, 'mesher_bulkhead_in_use')).to.equal(0);
      expect(await gauge(chassis, 'mesher_bulkhead_queue')).to.equal(0);
      const { stats, streamPools } = proxy;
      expect([...streamPools].filter(({ waiting, streams: open }) => waiting + open > 0)).to.deep.equal([]);
      const { http2Upstream, mirrorsOpen } = stats;
      expect([http2Upstream.streams, http2Upstream.waiting, mirrorsOpen]).to.deep.equal([0, 0, 0]);
      // The storm was one.
      expect(stats.hedgesWon + stats.hedgesLost).to.be.greaterThan(3);
      expect(stats.mirrorsAnswered + stats.mirrorsFailed).to.be.greaterThan(20);
      expect(http2Upstream.replayed).to.be.greaterThan(10);
      expect(await gauge(chassis, 'mesher_bulkhead_rejections_total')).to.be.greaterThan(0);
    });
  }

  async function unruly(random: Random): Promise<Instance> {
    const { port } = await startRawHttp2Server(rig(), (session, id) => {
      const name = session.blocks.at(-1)?.first(':path');
      if (name !== undefined && !session.socket.destroyed) answerSomehow(random, session, id, name);
    });
    const address = `127.0.0.1:${port}`;
    return instanceAt({ grpc: address, h2c: address }, { version: '1.0.0' });
  }
});

function call(random: Random, session: ClientHttp2Session): ClientHttp2Stream {
  const body = oneOf(random, ['', 'x', 'x'.repeat(100)]);
  const fields = {
    ':authority': 'world',
    ':path': oneOf(random, ['/test.Echo/One', '/test.Echo/Two']),
    ':method': body === '' ? 'GET' : 'POST',
    ...(random.next() < 0.7 ? { 'content-type': 'application/grpc' } : {}),
    ...(random.next() < 0.2 ? { 'grpc-timeout': oneOf(random, ['0m', '100m', '1S']) } : {}),
  };
  const stream = openStream(session, fields, body === '');
  void readAnswer(stream);
  if (body !== '' && random.next() < 0.8) stream.end(body);
  else if (body !== '') stream.write(body);
  return stream;
}

/** The sum of a family of the policies. */
async function gauge({ policyMetrics }: Chassis, name: string): Promise<number> {
  const family = policyMetrics.families().find(({ definition }) => definition.name === name);
  if (family === undefined) throw new Error(`there is no family ${name}`);
  let sum = 0;
  for await (const samples of family.slices()) for (const { value } of samples) sum += value;
  return sum;
}
