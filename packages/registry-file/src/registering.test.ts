import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { expect } from 'chai';
import { isMeshError, type Instance } from '@mesher/core';
import { EVENTS_ONLY, Fixture, idsOf, RecordingLogger, worldInstance } from './testing/fixture.js';

describe('Registering', () => {
  let at: Fixture;
  const forever = new AbortController().signal;
  beforeEach(async () => {
    at = await Fixture.make();
  });
  afterEach(() => at.close());

  const file = (name = 'w-1') => at.path('disco', '.instances', 'world', `${name}.json`);
  const exists = async (path: string): Promise<boolean> =>
    await stat(path).then(
      () => true,
      () => false,
    );
  const failure = async (work: Promise<unknown>): Promise<unknown> =>
    await work.then(() => undefined).catch((error) => error);

  it('puts one file per instance beside the hand-written ones, with everything that others need', async () => {
    const { registrator } = at.fake().registry;
    await registrator.register(worldInstance('w-1', { metadata: { zone: 'b' }, weight: 2 }), forever);
    const { owner, ...rest } = JSON.parse(await readFile(file(), 'utf8')) as Record<string, unknown>;
    expect(rest).to.deep.equal({
      format: 1,
      service: 'world',
      app: 'default',
      version: '1.2.0',
      instanceId: 'w-1',
      status: 'UP',
      weight: 2,
      leaseSeconds: 15,
      endpoints: { rest: { host: '127.0.0.2', port: 30101, tls: false } },
      metadata: { zone: 'b' },
    });
    expect(owner).to.be.a('string');
    expect(await readdir(at.path('disco', '.instances', 'world'))).to.deep.equal(['w-1.json']);
  });

  it('makes the instance known to every reader of the directory as it was registered', async () => {
    const instance = worldInstance('w-1', { status: 'TESTING', metadata: { zone: 'b' }, weight: 0.5, app: 'shop' });
    await at.fake().registry.registrator.register(instance, forever);
    const snapshot = await at.fake().see('world');
    expect(snapshot).to.deep.include({ service: 'world', exists: true });
    expect(snapshot.instances).to.deep.equal([instance]);
  });

  it('keeps apart instances of nested services and of services with similar names', async () => {
    const { registrator } = at.fake().registry;
    for (const service of ['shop', 'shop/orders', 'shop/orders/eu']) {
      await registrator.register(worldInstance('i', { service }), forever);
    }
    const fake = at.fake();
    for (const service of ['shop', 'shop/orders', 'shop/orders/eu']) {
      expect((await fake.see(service)).instances.map((instance) => instance.service)).to.deep.equal([service]);
    }
  });

  it('adds to the hand-written addresses of the same service', async () => {
    await mkdir(at.path('disco'));
    await writeFile(at.path('disco', 'world'), 'a 1');
    const fake = at.fake();
    await fake.registry.registrator.register(worldInstance('w-1'), forever);
    expect(await fake.ids('world')).to.deep.equal(['a:1', 'w-1']);
  });

  it('gives an instance without id one of its own: the same within the process, another in each process', async () => {
    const one = at.fake();
    await one.registry.registrator.register(worldInstance(''), forever);
    await one.registry.registrator.register(worldInstance('', { service: 'hello' }), forever);
    await at.fake().registry.registrator.register(worldInstance(''), forever);
    const [first, second] = await one.ids('world');
    expect(await one.ids('hello')).to.have.length(1);
    expect([first, second]).to.include((await one.ids('hello'))[0]);
    expect(first).not.to.equal(second);
  });

  it('publishes each status, and leaves without a trace in the snapshot', async () => {
    const fake = at.fake();
    const lease = await fake.registry.registrator.register(worldInstance('w-1'), forever);
    for (const status of ['DOWN', 'OUTOFSERVICE', 'STARTING', 'TESTING', 'UP'] as const) {
      await lease.setStatus(status);
      expect((await fake.see('world')).instances[0]?.status).to.equal(status);
    }
    await lease.release();
    expect(await exists(file())).to.equal(false);
    expect(await fake.ids('world')).to.deep.equal([]);
  });

  it('ends with the release: no beat writes the file again, a later status changes nothing, a second release is fine', async () => {
    const fake = at.fake();
    const lease = await fake.registry.registrator.register(worldInstance('w-1'), forever);
    const status = lease.setStatus('DOWN');
    await Promise.all([lease.release(), lease.release()]);
    await status;
    await lease.setStatus('UP');
    await fake.pass(60_000);
    expect(await exists(file())).to.equal(false);
  });

  it('can be done again after the release, but not twice at once', async () => {
    const { registrator } = at.fake().registry;
    const lease = await registrator.register(worldInstance('w-1'), forever);
    const error = await failure(registrator.register(worldInstance('w-1'), forever));
    expect(isMeshError(error, 'FILE_REGISTRY_DUPLICATE')).to.equal(true);
    await lease.release();
    await registrator.register(worldInstance('w-1'), forever);
    expect(await exists(file())).to.equal(true);
  });

  it('is refused for names that cannot be files and for instances that are too large', async () => {
    const { registrator } = at.fake().registry;
    const refused: Instance[] = [
      worldInstance('w-1', { service: '../evil' }),
      worldInstance('w-1', { service: '' }),
      worldInstance('x'.repeat(300)),
      worldInstance('w-1', { metadata: { text: 'x'.repeat(70_000) } }),
    ];
    for (const instance of refused) {
      const error = await failure(registrator.register(instance, forever));
      expect(isMeshError(error, 'FILE_REGISTRY_NAME'), instance.service).to.equal(true);
    }
  });

  it('stays within its folder whatever the instanceId is', async () => {
    const { registrator } = at.fake().registry;
    await registrator.register(worldInstance('../../../evil'), forever);
    expect(await readdir(at.path('disco', '.instances', 'world'))).to.deep.equal(['%2E.%2F..%2F..%2Fevil.json']);
    expect(await at.fake().ids('world')).to.deep.equal(['../../../evil']);
  });

  it('that cannot succeed ends when its signal aborts, with the reason', async () => {
    await writeFile(at.path('disco'), 'a file in the way');
    const stop = new AbortController();
    const registering = failure(at.fake().registry.registrator.register(worldInstance('w-1'), stop.signal));
    const reason = new Error('shutting down');
    stop.abort(reason);
    expect(await registering).to.equal(reason);
  });

  it('is refused by a closed registry, which takes its registrations with it', async () => {
    const { discovery, registrator } = at.fake().registry;
    await registrator.register(worldInstance('w-1'), forever);
    await discovery.close();
    expect(await exists(file())).to.equal(false);
    const error = await failure(registrator.register(worldInstance('w-1'), forever));
    expect(isMeshError(error, 'FILE_REGISTRY_CLOSED')).to.equal(true);
  });

  describe('keeps the file in place:', () => {
    // The lease is short, so that the next beat comes soon; what ends the waiting is the event of the file being written.
    const beating = async () => {
      const registry = at.real({ ...EVENTS_ONLY, leaseMs: 600 });
      const reader = at.watch(registry, 'world');
      const lease = await registry.registrator.register(worldInstance('w-1'), forever);
      await reader.until(['w-1']);
      return { reader, lease, text: await readFile(file(), 'utf8') };
    };

    it('a deleted one is written again at the next beat', async () => {
      const { reader, text } = await beating();
      await rm(file());
      await reader.until([]);
      await reader.until(['w-1']);
      expect(await readFile(file(), 'utf8')).to.equal(text);
    });

    it('a deleted folder is made again at the next beat, and nobody sees the instance leave', async () => {
      const { reader, lease, text } = await beating();
      await rm(at.path('disco', '.instances'), { recursive: true });
      await eventually(() => exists(file()));
      expect(await readFile(file(), 'utf8')).to.equal(text);
      await lease.setStatus('DOWN');
      let last;
      do {
        last = await reader.next();
        expect(idsOf(last)).to.deep.equal(['w-1']);
      } while (last.instances[0]?.status !== 'DOWN');
    });
  });

  it('mends a file that was cut off or edited', async () => {
    const fake = at.fake();
    await fake.registry.registrator.register(worldInstance('w-1'), forever);
    const text = await readFile(file(), 'utf8');
    await fake.see('world');
    await writeFile(file(), text.slice(0, 100));
    expect(await fake.ids('world')).to.deep.equal(['w-1']);
    await fake.pass(6_000);
    await eventually(async () => (await readFile(file(), 'utf8')) === text);
    expect(idsOf(await fake.see('world'))).to.deep.equal(['w-1']);
  });

  it('under an instanceId that another process uses is reported by both, and the other is not thrown out at the end', async () => {
    const logger = new RecordingLogger();
    const one = at.fake({}, logger);
    const two = at.fake();
    const first = await one.registry.registrator.register(worldInstance('w-1'), forever);
    await two.registry.registrator.register(worldInstance('w-1', { version: '2' }), forever);
    const theirs = await readFile(file(), 'utf8');
    await first.release();
    expect(await readFile(file(), 'utf8')).to.equal(theirs);
    const again = await one.registry.registrator.register(worldInstance('w-1'), forever);
    two.ports.time.advance(5_000);
    await eventually(async () => two.registry.discovery.state().problems.length > 0);
    expect(two.registry.discovery.state().problems[0]).to.match(/was written by another process: give each process/);
    await again.release();
  });
});

/** Waits for what a beat does to the file; the operations of the file system take no time on the clock of the test. */
async function eventually(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setImmediate(resolve));
}
