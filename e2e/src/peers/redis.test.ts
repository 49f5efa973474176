import { expect } from 'chai';
import { RedisConnection, RedisLimiter, redisLimiterSchema, type RedisLimiterSettings } from '@mesher/limiter-redis';
import { schemaDefaults, silentLogger, systemPorts } from '@mesher/core';
import { requireProgram, run } from '../support/command.js';
import { eventually } from '../support/eventually.js';
import { useScene, type Scene } from '../support/scene.js';
import type { Settings, Sidecar } from '../support/sidecar.js';
import type { SpawnedProcess } from '../support/spawned-process.js';

/** So slow that nothing comes back while a test runs. */
const HARDLY_EVER = 0.001;

async function redisServer(scene: Scene, port: number, ...args: string[]): Promise<SpawnedProcess> {
  const fixed = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', scene.folder];
  const server = scene.spawn('redis-server', 'redis-server', ['--port', String(port), ...fixed, ...args]);
  await server.untilPrinted(/Ready to accept connections/);
  return server;
}

function connection(settings: Partial<RedisLimiterSettings> & { readonly port: number }): RedisConnection {
  const { port, ...more } = settings;
  const all = { ...schemaDefaults(redisLimiterSchema), address: { host: '127.0.0.1', port }, ...more };
  return new RedisConnection(all, { ports: systemPorts(), logger: silentLogger(), confDir: '.' });
}

describe('a limit shared through a real Redis server', () => {
  const scene = useScene();
  let port: number;
  let server: SpawnedProcess;

  beforeEach(async function () {
    requireProgram(this, 'redis-server');
    port = await scene().ports.take();
    server = await redisServer(scene(), port);
  });

  async function usingLimiter(
    work: (limiter: RedisLimiter, redis: RedisConnection) => Promise<void>,
    settings: Partial<RedisLimiterSettings> & { readonly port: number } = { port },
  ): Promise<void> {
    const redis = connection(settings);
    try {
      await work(new RedisLimiter(redis, 'test:'), redis);
    } finally {
      await redis.close();
    }
  }

  /** Two sidecars of one service, which share their limit on calls to `world`. */
  async function twoSidecars(settings: Settings): Promise<[Sidecar, Sidecar]> {
    await scene().service('world');
    const chassis = {
      'cse.flowcontrol.Consumer.qps.shared.world': 'redis',
      'plugin.settings.redis.address': `127.0.0.1:${port}`,
      ...settings,
    };
    const sidecar = (): Promise<Sidecar> => scene().sidecar({ service: 'orders', host: 'none', chassis });
    const pair: [Sidecar, Sidecar] = [await sidecar(), await sidecar()];
    for (const one of pair) {
      await eventually('an instance of world', async () => (await one.instances('world')).length === 1);
    }
    return pair;
  }

  async function statuses(sidecar: Sidecar, count: number): Promise<number[]> {
    const calls = Array.from({ length: count }, async () => (await sidecar.call('http://world/')).status);
    return await Promise.all(calls);
  }

  it('gives out the burst, says how long to wait, and fills by the clock of the server', async () => {
    await usingLimiter(async (limiter) => {
      const slow = { key: 'slow', rate: HARDLY_EVER, burst: 5 };
      expect(await limiter.take(slow, 3)).to.deep.equal({ granted: 3, remaining: 2, retryAfterMs: 0 });
      const { granted, remaining, retryAfterMs } = await limiter.take(slow, 3);
      expect([granted, remaining]).to.deep.equal([2, 0]);
      expect(retryAfterMs).to.be.within(900_000, 1_000_000);
      expect(await limiter.take(slow, 0)).to.deep.equal({ granted: 0, remaining: 0, retryAfterMs: 0 });
      const quick = { key: 'quick', rate: 1000, burst: 10 };
      expect((await limiter.take(quick, 10)).granted).to.equal(10);
      await eventually('the limit fills', async () => (await limiter.take(quick, 10)).granted > 0);
    });
  });

  it('never gives out more than there is, however many ask at once, and forgets a limit that is full again', async () => {
    await usingLimiter(async (limiter, redis) => {
      await usingLimiter(async (other) => {
        const limit = { key: 'many', rate: HARDLY_EVER, burst: 100 };
        const asked = Array.from({ length: 200 }, (_one, index) => (index % 2 === 0 ? limiter : other).take(limit, 1));
        const granted = (await Promise.all(asked)).reduce((sum, grant) => sum + grant.granted, 0);
        expect(granted).to.equal(100);
        await limiter.take({ key: 'soon', rate: 1000, burst: 10 }, 1);
        const left = Number(await redis.command(['PTTL', 'test:soon']));
        expect(left).to.be.within(1, 1001);
      });
    });
  });

  it('knows the script again after the server has forgotten it', async () => {
    await usingLimiter(async (limiter, redis) => {
      const limit = { key: 'k', rate: HARDLY_EVER, burst: 5 };
      await limiter.take(limit, 1);
      await redis.command(['SCRIPT', 'FLUSH']);
      expect((await limiter.take(limit, 1)).remaining).to.equal(3);
    });
  });

  it('lets two sidecars together through exactly as many calls as the limit has', async () => {
    const [a, b] = await twoSidecars({
      'cse.flowcontrol.Consumer.qps.limit.world': HARDLY_EVER,
      'cse.flowcontrol.Consumer.qps.burst.world': 30,
      'mesher.rateLimit.shared.leaseFor': '0',
      'mesher.rateLimit.shared.timeout': '5s',
    });
    const both = (await Promise.all([statuses(a, 40), statuses(b, 40)])).flat();
    expect(both.filter((status) => status === 200)).to.have.lengthOf(30);
    expect(both.filter((status) => status === 429)).to.have.lengthOf(50);
  });

  it('counts together from the first calls of two sidecars that have just started, in the time that calls have by default', async () => {
    const [a, b] = await twoSidecars({
      'cse.flowcontrol.Consumer.qps.limit.world': HARDLY_EVER,
      'cse.flowcontrol.Consumer.qps.burst.world': 10,
      'mesher.rateLimit.shared.leaseFor': '0',
    });
    const answers: number[] = [];
    for (let i = 0; i < 15; i++) answers.push(...(await statuses(a, 1)), ...(await statuses(b, 1)));
    expect(answers).to.deep.equal([...Array<number>(10).fill(200), ...Array<number>(20).fill(429)]);
  });

  it('falls back to a limit of its own while the server is away, and shares again when it is back', async () => {
    const [a] = await twoSidecars({
      'cse.flowcontrol.Consumer.qps.limit.world': HARDLY_EVER,
      'cse.flowcontrol.Consumer.qps.burst.world': 5,
      'mesher.rateLimit.shared.retryInterval': '100ms',
      'mesher.rateLimit.shared.timeout': '5s',
      'plugin.settings.redis.maxReconnectWait': '100ms',
    });
    expect(await statuses(a, 1)).to.deep.equal([200]);
    const isUp = async (): Promise<boolean> =>
      (await a.metric('mesher_shared_limiter_up', { limiter: 'redis', direction: 'outbound' })) === 1;
    expect(await isUp()).to.equal(true);
    await server.kill();
    // The local bucket was not used before: it is full, and lets its own burst through.
    const alone: number[] = [];
    await eventually('the local burst is used up', async () => {
      alone.push(...(await statuses(a, 3)));
      return alone.filter((status) => status === 200).length >= 5;
    });
    expect(await statuses(a, 5)).to.deep.equal(Array(5).fill(429));
    expect(alone.filter((status) => status === 200)).to.have.lengthOf(5);
    expect(await isUp()).to.equal(false);
    // It begins anew: a server without persistence has forgotten what was used.
    await redisServer(scene(), port);
    await eventually('the server counts again', async () => {
      await statuses(a, 1);
      return await isUp();
    });
  });

  it('logs in with a password and speaks TLS with a server whose certificate it was told to trust', async function () {
    requireProgram(this, 'openssl', 'version');
    const [key, cert] = [`${scene().folder}/key.pem`, `${scene().folder}/cert.pem`];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-days', '2', '-nodes'];
    const made = await run('openssl', [
      ...['req', '-x509', '-newkey', 'rsa:2048', '-keyout', key, '-out', cert],
      ...subject,
    ]);
    expect(made.code, made.stderr).to.equal(0);
    const tlsPort = await scene().ports.take();
    const tlsArgs = ['--tls-port', String(tlsPort), '--tls-cert-file', cert, '--tls-key-file', key];
    const more = ['--tls-ca-cert-file', cert, '--tls-auth-clients', 'no', '--requirepass', 'sesame'];
    await redisServer(scene(), 0, ...tlsArgs, ...more);
    const { tls } = schemaDefaults(redisLimiterSchema);
    const limit = { key: 'k', rate: 1, burst: 5 };
    const trusted = { ...tls, enable: true, caFile: cert, serverName: 'localhost' };
    await usingLimiter(
      async (limiter) => {
        expect((await limiter.take(limit, 1)).granted).to.equal(1);
      },
      {
        port: tlsPort,
        password: 'sesame',
        tls: trusted,
      },
    );
    await usingLimiter(
      async (limiter) => {
        const problem = await limiter.take(limit, 1).catch((error: unknown) => error as Error);
        expect((problem as Error).message).to.match(/self.signed/i);
      },
      { port: tlsPort, password: 'sesame', tls: { ...tls, enable: true } },
    );
  });
});
