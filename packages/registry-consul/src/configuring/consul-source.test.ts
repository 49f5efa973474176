import { expect } from 'chai';
import { codeOf, messageOf } from '../client/consul-error.js';
import { ConsulServer, type ConsulServerOptions } from '../testing/index.js';
import { APP, SERVICE, SourceRig, type SourceRigSettings } from './testing/source-rig.js';

const RECURSE = `/v1/kv/${SERVICE}`;

describe("the config source in Consul's keys", () => {
  let consul: ConsulServer;
  const rigs: SourceRig[] = [];
  beforeEach(async () => {
    consul = await ConsulServer.start();
  });
  afterEach(async () => {
    for (const rig of rigs.splice(0)) await rig.close();
    await consul.close();
  });

  async function open(settings: Partial<SourceRigSettings> = {}): Promise<SourceRig> {
    const rig = await SourceRig.open({ address: consul.url, ...settings });
    rigs.push(rig);
    return rig;
  }

  async function restart(options: ConsulServerOptions): Promise<void> {
    await consul.close();
    consul = await ConsulServer.start(options);
  }

  async function failure(rig: SourceRig): Promise<readonly [string | undefined, string]> {
    const error: unknown = await rig.next().catch((caught: unknown) => caught);
    return [codeOf(error), messageOf(error)];
  }

  it('puts what holds for the service above what holds for the application, and single keys above whole texts', async () => {
    consul.setKey(`${APP}mesher.yaml`, 'a: 1\n');
    consul.setKey(`${APP}mesher/serverTiming`, 'false');
    consul.setKey(`${APP}servicecomb.isolation.timeout`, '5s');
    consul.setKey(`${SERVICE}b.yaml`, 'b: 1\n');
    consul.setKey(`${SERVICE}a.yml`, 'a: 2\n');
    consul.setKey(`${SERVICE}mesher/serverTiming`, 'true');
    consul.setKey(`${SERVICE}folder/`, '');
    const { entries, documents } = await (await open()).snapshot();
    expect([...entries]).to.deep.equal([
      [`${APP}mesher.yaml`, 'a: 1\n'],
      ['servicecomb.isolation.timeout', '5s'],
      [`${SERVICE}a.yml`, 'a: 2\n'],
      [`${SERVICE}b.yaml`, 'b: 1\n'],
      ['mesher.serverTiming', 'true'],
    ]);
    expect([...(documents ?? [])]).to.have.members([`${APP}mesher.yaml`, `${SERVICE}a.yml`, `${SERVICE}b.yaml`]);
  });

  for (const [way, asking] of [
    ['blocking queries', {}],
    ['questions at intervals', { watches: false, refreshIntervalMs: 5 }],
  ] as const) {
    it(`follows keys that come, change and go, by ${way}`, async () => {
      const rig = await open(asking);
      expect(await rig.next()).to.deep.equal([]);
      consul.setKey(`${SERVICE}a/b`, '1');
      expect(await rig.next()).to.deep.equal([['a.b', '1']]);
      consul.setKey(`${SERVICE}a/b`, 'ünïcode: [\n]');
      expect(await rig.next()).to.deep.equal([['a.b', 'ünïcode: [\n]']]);
      consul.setKey(`${SERVICE}a/c`, '');
      expect(await rig.next()).to.have.lengthOf(2);
      consul.store.kv.remove(SERVICE, true);
      expect(await rig.next()).to.deep.equal([]);
    });
  }

  it('asks for one key that is a whole text, and not for those that begin like it', async () => {
    consul.setKey('team/orders.yaml', 'a: 1');
    consul.setKey('team/orders.yaml.old', 'a: 0');
    const rig = await open({ settings: { places: ['team/{service}.yaml'] } });
    expect(await rig.next()).to.deep.equal([['team/orders.yaml', 'a: 1']]);
  });

  it('fills the names of its service into places, and leaves out a place with an empty one', async () => {
    consul.setKey('x/shop/orders/1.0.0/a', '1');
    consul.setKey('x/production/b', '2');
    const settings = { places: ['x/{environment}', '/x/{app}/{service}/{version}'] };
    expect(await (await open({ settings })).next()).to.deep.equal([['a', '1']]);
    expect(await (await open({ settings, environment: 'production' })).next()).to.have.lengthOf(2);
    for (const place of ['x/{nobody}/', '/', 'x/{environment}', 'x/, x/{service}/', 'x/, x/a.yaml', 'x, x/']) {
      const error: unknown = await open({ settings: { places: place.split(', ') } }).catch((caught: unknown) => caught);
      expect(codeOf(error), place).to.equal('CONSUL_SETTING');
    }
  });

  it('says nothing when others change, and nothing before it knows all places', async () => {
    const rig = await open();
    consul.setKey(`${SERVICE}a`, '1');
    consul.failure = { status: 500, body: 'rpc error', fits: ({ path }) => decodeURIComponent(path) === RECURSE };
    expect(await failure(rig)).to.satisfy(([code]: [string]) => code === 'CONSUL_UNREACHABLE');
    consul.failure = undefined;
    expect(await rig.next()).to.deep.equal([['a', '1']]);
    consul.setKey('mesher/shop/services/billing/a', '1');
    consul.setKey(`${SERVICE}a`, '2');
    expect(await rig.next()).to.deep.equal([['a', '2']]);
  });

  it('keeps what an agent said that lost its memory, until there are keys again', async () => {
    consul.setKey(`${APP}a`, '1');
    consul.setKey(`${SERVICE}a`, '2');
    const rig = await open({ watches: false, refreshIntervalMs: 5 });
    expect(await rig.next()).to.deep.equal([['a', '2']]);
    consul.forget(3);
    const [code, message] = await failure(rig);
    expect(code).to.equal('CONSUL_ANSWER');
    expect(message).to.include('lost its memory');
    // The next attempt knows it still.
    expect((await failure(rig))[0]).to.equal('CONSUL_ANSWER');
    consul.setKey(`${APP}a`, '1');
    consul.setKey(`${SERVICE}b`, '3');
    expect(await rig.next()).to.deep.equal([
      ['a', '1'],
      ['b', '3'],
    ]);
  });

  it('begins anew when the index goes back', async () => {
    consul.setKey(`${APP}a`, '1');
    const rig = await open({ refreshIntervalMs: 1_000 });
    await rig.next();
    await consul.untilHeld(2);
    consul.store.indexes.reset(2);
    consul.setKey(`${APP}a`, '2');
    await consul.untilAsked(({ query }) => query.get('index') === null, 3);
    expect(await rig.next()).to.deep.equal([['a', '2']]);
  });

  it('takes keys that the token may not see for trouble, not for keys that are gone', async () => {
    const acl = { rootToken: 'root', tokens: { limited: { keyRead: [`${SERVICE}mine`] } } };
    await restart({ acl });
    consul.setKey(`${SERVICE}mine`, '1');
    consul.setKey(`${SERVICE}theirs`, '1');
    expect((await failure(await open({ settings: { token: 'limited' } })))[0]).to.equal('CONSUL_DENIED');
    expect((await failure(await open({ settings: { token: 'unknown' } })))[0]).to.equal('CONSUL_DENIED');
    const rig = await open({ settings: { token: 'root' } });
    expect(await rig.next()).to.have.lengthOf(2);
  });

  it('leaves out a value that is no text, and says so once', async () => {
    consul.store.kv.put(`${SERVICE}a`, Buffer.from([0xff, 0xfe]));
    consul.setKey(`${SERVICE}b`, '1');
    const rig = await open();
    expect(await rig.next()).to.deep.equal([['b', '1']]);
    expect(JSON.stringify(rig.logger.lines)).to.include(`${SERVICE}a`);
    consul.setKey(`${SERVICE}b`, '2');
    expect(await rig.next()).to.deep.equal([['b', '2']]);
    expect(rig.logger.messages('warn')).to.have.length(1);
  });

  it('ends without a query that is still held', async () => {
    const rig = await open();
    await rig.next();
    await consul.untilHeld(2);
    await rig.close();
    await consul.untilHeld(0);
  });
});
