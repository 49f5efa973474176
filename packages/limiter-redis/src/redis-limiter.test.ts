import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { isPlugin, schemaDefaults, systemPorts } from '@mesher/core';
import { RecordingLogger, fakePorts } from '@mesher/core/testing';
import { bucketScript } from './bucket-script.js';
import { RedisConnection } from './redis-connection.js';
import { RedisLimiter, redisLimiter } from './redis-limiter.js';
import { redisLimiterSchema, type RedisLimiterSettings } from './settings.js';
import { FakeRedis } from './testing/fake-redis.js';

const LIMIT = { key: 'default/orders/Consumer/world', rate: 10, burst: 5 };

function sha1(text: string): string {
  return createHash('sha1').update(text).digest('hex');
}

/** Waits until something holds, turn by turn of the event loop: sockets of this process need no time. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setImmediate(resolve));
}

describe('RedisLimiter', () => {
  let redis: FakeRedis;
  const open: RedisLimiter[] = [];

  beforeEach(async () => {
    redis = new FakeRedis(sha1);
    await redis.start();
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((limiter) => limiter.close()));
    await redis.stop();
  });

  function limiter(
    settings: Partial<RedisLimiterSettings> = {},
    ports = systemPorts(),
    port = redis.port,
  ): RedisLimiter {
    const defaults = schemaDefaults(redisLimiterSchema);
    const all = { ...defaults, address: { host: '127.0.0.1', port }, maxReconnectWait: 10, ...settings };
    const connection = new RedisConnection(all, { ports, logger: new RecordingLogger(), confDir: '.' });
    const made = new RedisLimiter(connection, all.keyPrefix);
    open.push(made);
    return made;
  }

  it('is a plugin named redis', () => {
    expect(isPlugin(redisLimiter)).to.equal(true);
    expect([redisLimiter.kind, redisLimiter.name]).to.deep.equal(['shared-limiter', 'redis']);
  });

  it('connects with the first question, teaches the script once and then names it', async () => {
    const one = limiter();
    expect(redis.connections).to.equal(0);
    expect(await one.take(LIMIT, 3)).to.deep.equal({ granted: 3, remaining: 2, retryAfterMs: 0 });
    expect(await one.take(LIMIT, 3)).to.deep.equal({ granted: 2, remaining: 0, retryAfterMs: 100 });
    redis.now += 100;
    expect(await one.take(LIMIT, 1)).to.deep.equal({ granted: 1, remaining: 0, retryAfterMs: 0 });
    expect(redis.asked).to.deep.equal(['EVALSHA', 'EVAL', 'EVALSHA', 'EVALSHA']);
    expect(redis.connections).to.equal(1);
  });

  it('takes nothing when it is asked for nothing', async () => {
    const one = limiter();
    expect(await one.take(LIMIT, 0)).to.deep.equal({ granted: 0, remaining: 5, retryAfterMs: 0 });
    expect((await one.take(LIMIT, 5)).granted).to.equal(5);
    expect(await one.take(LIMIT, 0)).to.deep.equal({ granted: 0, remaining: 0, retryAfterMs: 0 });
  });

  it('teaches the script again when the server has forgotten it', async () => {
    const one = limiter();
    await one.take(LIMIT, 1);
    redis.forgetScripts();
    expect((await one.take(LIMIT, 1)).granted).to.equal(1);
  });

  it('sends the key with its prefix, and the limit as it is now', async () => {
    await limiter({ keyPrefix: 'shop:' }).take({ ...LIMIT, rate: 2.5 }, 2);
    const last = redis.commands.at(-1)?.slice(2);
    expect(last).to.deep.equal(['1', 'shop:default/orders/Consumer/world', '2.5', '5', '2']);
  });

  it('lets two sidecars draw from one limit, each limit by itself', async () => {
    const [a, b] = [limiter(), limiter()];
    const both = await Promise.all([a.take(LIMIT, 4), b.take(LIMIT, 4), a.take({ ...LIMIT, key: 'other' }, 4)]);
    expect((both[0]?.granted ?? 0) + (both[1]?.granted ?? 0)).to.equal(5);
    expect(both[2]?.granted).to.equal(4);
  });

  it('connects again when the server was gone, and refuses meanwhile instead of keeping questions for later', async () => {
    const one = limiter();
    await one.take(LIMIT, 1);
    const { port } = redis;
    await redis.stop();
    const refused = async (): Promise<boolean> =>
      await one.take(LIMIT, 1).then(
        () => false,
        () => true,
      );
    await until(refused);
    const seen = redis.commands.length;
    await redis.start(port);
    await until(async () => !(await refused()));
    expect(redis.commands.slice(seen).filter(([name]) => name?.startsWith('EVAL')).length).to.be.at.most(2);
  });

  it('says why when there is no server, and does not wait for one', async () => {
    const nobody = createServer().listen(0, '127.0.0.1');
    await once(nobody, 'listening');
    const { port } = nobody.address() as { port: number };
    await new Promise((resolve) => nobody.close(resolve));
    const one = limiter({}, systemPorts(), port);
    const problem = await one.take(LIMIT, 1).catch((error: unknown) => error as Error);
    expect((problem as Error).message).to.match(/^there is no connection to Redis: .*ECONNREFUSED/);
  });

  it('logs in with the password, and says so when it is wrong', async () => {
    redis.password = 'sesame';
    expect((await limiter({ password: 'sesame' }).take(LIMIT, 1)).granted).to.equal(1);
    const wrong = await limiter({ password: 'open' })
      .take(LIMIT, 1)
      .catch((error: unknown) => error as Error);
    expect((wrong as Error).message).to.contain('WRONGPASS');
  });

  it('gives a connection up that owes an answer for too long', async () => {
    const ports = fakePorts();
    const one = limiter({ silence: 5000 }, ports);
    await one.take(LIMIT, 1);
    redis.isSilent = true;
    const lost = one.take(LIMIT, 1).catch((error: unknown) => error as Error);
    await until(() => redis.asked.length === 3);
    redis.isSilent = false;
    ports.time.advance(5001);
    expect((await one.take(LIMIT, 1)).granted).to.equal(1);
    expect(await lost).to.be.instanceOf(Error);
    expect(redis.connections).to.equal(2);
  });

  it('gives a connection up that is not greeted back for too long', async () => {
    const ports = fakePorts();
    const one = limiter({ silence: 5000 }, ports);
    redis.isSilent = true;
    const lost = one.take(LIMIT, 1).catch((error: unknown) => error);
    await until(() => redis.commands.length > 0);
    redis.isSilent = false;
    ports.time.advance(5001);
    expect((await one.take(LIMIT, 1)).granted).to.equal(1);
    expect(await lost).to.be.instanceOf(Error);
    expect(redis.connections).to.equal(2);
  });

  it('gives a connection up that was lost, made again and not greeted back', async () => {
    const ports = fakePorts();
    const one = limiter({ silence: 5000 }, ports);
    await one.take(LIMIT, 1);
    const { port } = redis;
    await redis.stop();
    redis.isSilent = true;
    const seen = redis.commands.length;
    await redis.start(port);
    await until(() => redis.commands.length > seen);
    redis.isSilent = false;
    ports.time.advance(5001);
    expect((await one.take(LIMIT, 1)).granted).to.equal(1);
    expect(redis.connections).to.equal(3);
  });

  it('refuses an answer that is not its own', async () => {
    const odd = new RedisLimiter({ command: async () => ['x'], close: async () => undefined }, '');
    const problem = await odd.take(LIMIT, 1).catch((error: unknown) => error as Error);
    expect((problem as Error).message).to.contain('instead of three numbers');
  });

  it('asks nothing any more once it is closed', async () => {
    const one = limiter();
    await one.take(LIMIT, 1);
    await one.close();
    await one.close();
    const problem = await one.take(LIMIT, 1).catch((error: unknown) => error as Error);
    expect((problem as Error).message).to.contain('closed');
  });

  it('names its script as Redis does', () => {
    expect(bucketScript.sha).to.equal(sha1(bucketScript.text));
  });
});
