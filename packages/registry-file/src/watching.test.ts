import { appendFile, mkdir, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { expect } from 'chai';
import { systemPorts } from '@mesher/core';
import { EVENTS_ONLY, Fixture, idsOf, worldInstance } from './testing/fixture.js';

// These tests await real events: the poll is an hour away, so only an event can end the waiting.
describe('Watching the directory by events alone', () => {
  let at: Fixture;
  beforeEach(async () => {
    at = await Fixture.make();
    await mkdir(at.path('disco'));
  });
  afterEach(() => at.close());

  const write = async (service: string, text: string) => await writeFile(at.path('disco', service), text);

  it('yields the service as it is, and again when a file is created, written, replaced by rename and deleted', async () => {
    const reader = at.watch(at.real(), 'world');
    expect(await reader.next()).to.deep.include({ exists: false });
    await write('world', 'a 1');
    await reader.until(['a:1']);
    await appendFile(at.path('disco', 'world'), '\nb 2');
    await reader.until(['a:1', 'b:2']);
    await write('.world.tmp', 'c 3');
    await rename(at.path('disco', '.world.tmp'), at.path('disco', 'world'));
    await reader.until(['c:3']);
    await rm(at.path('disco', 'world'));
    expect(await reader.next()).to.deep.include({ exists: false });
  });

  it('sees files in folders that are made later', async () => {
    const reader = at.watch(at.real(), 'shop/eu/orders');
    await reader.next();
    await mkdir(at.path('disco', 'shop', 'eu'), { recursive: true });
    await write('shop/eu/orders', 'a 1');
    await reader.until(['a:1']);
    await write('shop/eu/orders', 'b 2');
    await reader.until(['b:2']);
  });

  it('never publishes an empty list between truncating and writing', async () => {
    await write('world', 'a 1');
    const reader = at.watch(at.real({ ...EVENTS_ONLY, confirmEmptyMs: 60_000 }), 'world');
    await reader.next();
    for (const port of [2, 3, 4]) {
      await truncate(at.path('disco', 'world'));
      await appendFile(at.path('disco', 'world'), `a ${port}`);
      expect(idsOf(await reader.next())).to.deep.equal([`a:${port}`]);
    }
  });

  it('sees the swap of a ConfigMap', async () => {
    const publish = async (version: string, text: string) => {
      await mkdir(at.path('disco', version));
      await write(`${version}/world`, text);
      await symlink(version, at.path('disco', '..data_tmp'));
      await rename(at.path('disco', '..data_tmp'), at.path('disco', '..data'));
    };
    await publish('..1', 'a 1');
    await symlink('..data/world', at.path('disco', 'world'));
    const reader = at.watch(at.real(), 'world');
    await reader.until(['a:1']);
    await publish('..2', 'b 2');
    await reader.until(['b:2']);
  });

  it('ends a storm of renames with the last content, and publishes no state that never was', async () => {
    await write('world', 'a 1');
    const reader = at.watch(at.real(), 'world');
    await reader.next();
    for (let port = 2; port <= 300; port += 1) {
      await write('.tmp', `a ${port}\nb ${port}`);
      await rename(at.path('disco', '.tmp'), at.path('disco', 'world'));
    }
    for (;;) {
      const ports = (await reader.next()).instances.map(({ addresses }) => addresses.get('*')?.port);
      expect(ports).to.have.length(2);
      expect(ports[0]).to.equal(ports[1]);
      if (ports[0] === 300) break;
    }
  });

  it('sees registrations of another sidecar come, change and go', async () => {
    const reader = at.watch(at.real(), 'world');
    expect(await reader.next()).to.deep.include({ exists: false });
    const { registrator } = at.real();
    const lease = await registrator.register(worldInstance('w-1'), new AbortController().signal);
    await reader.until(['w-1']);
    await lease.setStatus('DOWN');
    expect((await reader.next()).instances[0]?.status).to.equal('DOWN');
    await lease.setStatus('UP');
    expect((await reader.next()).instances[0]?.status).to.equal('UP');
    await lease.release();
    expect(await reader.next()).to.deep.include({ exists: true, instances: [] });
  });

  it('sees a folder of registrations that was wiped and made again', async () => {
    const reader = at.watch(at.real(), 'world');
    await reader.next();
    const first = await at.real().registrator.register(worldInstance('w-1'), new AbortController().signal);
    await reader.until(['w-1']);
    await rm(at.path('disco', '.instances'), { recursive: true });
    await at.real().registrator.register(worldInstance('w-2'), new AbortController().signal);
    // The first instance is back with its next beat; until then nobody takes it for gone.
    for (let ids: string[] = []; !ids.includes('w-2');) {
      ids = idsOf(await reader.next());
      expect(ids).to.include('w-1');
    }
    await first.release();
  });
});

describe('Watching the directory without any event', () => {
  it('sees every change within the poll interval', async () => {
    const at = await Fixture.make();
    try {
      await mkdir(at.path('disco'));
      // The debounce puts every look that an event asks for a minute off.
      const poll = { pollIntervalMs: 20, debounceMs: 60_000, confirmEmptyMs: 0 };
      const registry = at.open(poll, systemPorts(), { debug() {}, info() {}, warn() {}, error() {} });
      const reader = at.watch(registry, 'world');
      await reader.next();
      await writeFile(at.path('disco', 'world'), 'a 1');
      await reader.until(['a:1']);
      await writeFile(at.path('disco', 'world'), 'b 2');
      await reader.until(['b:2']);
      const lease = await at.real().registrator.register(worldInstance('w-1'), new AbortController().signal);
      await reader.until(['b:2', 'w-1']);
      await lease.setStatus('TESTING');
      expect((await reader.next()).instances[1]?.status).to.equal('TESTING');
      await rm(at.path('disco', 'world'));
      await reader.until(['w-1']);
      await lease.release();
      await reader.until([]);
    } finally {
      await at.close();
    }
  });
});

describe('A watch', () => {
  let at: Fixture;
  beforeEach(async () => {
    at = await Fixture.make();
    await mkdir(at.path('disco'));
    await writeFile(at.path('disco', 'world'), 'a 1');
  });
  afterEach(() => at.close());

  it('ends when its signal aborts, while it waits and before it began', async () => {
    const { discovery } = at.real();
    const end = new AbortController();
    const seen: string[][] = [];
    for await (const snapshot of discovery.watch({ service: 'world' }, end.signal)) {
      seen.push(idsOf(snapshot));
      queueMicrotask(() => end.abort());
    }
    for await (const snapshot of discovery.watch({ service: 'world' }, end.signal)) seen.push(idsOf(snapshot));
    expect(seen).to.deep.equal([['a:1']]);
  });

  it('ends when the registry is closed', async () => {
    const { discovery } = at.real();
    const reader = discovery.watch({ service: 'world' }, new AbortController().signal)[Symbol.asyncIterator]();
    await reader.next();
    const waiting = reader.next();
    await discovery.close();
    expect(await waiting).to.deep.equal({ done: true, value: undefined });
  });

  it('that is slow gets the latest snapshot and none of those between', async () => {
    const fake = at.fake();
    const reader = at.watch(fake.registry, 'world');
    await reader.next();
    for (const text of ['b 2', 'c 3', 'd 4']) {
      await writeFile(at.path('disco', 'world'), text);
      await fake.registry.discovery.refresh();
    }
    expect(idsOf(await reader.next())).to.deep.equal(['d:4']);
  });

  it('of all services yields every instance of both kinds, at once and after each change', async () => {
    const fake = at.fake();
    const end = new AbortController();
    const reader = fake.registry.discovery.watchAll(end.signal)[Symbol.asyncIterator]();
    const next = async () => {
      const { value } = (await reader.next()) as IteratorYieldResult<Parameters<typeof idsOf>[0]['instances']>;
      return idsOf({ instances: value });
    };
    expect(await next()).to.deep.equal(['a:1']);
    const lease = await fake.registry.registrator.register(worldInstance('w-1', { service: 'hello' }), end.signal);
    await fake.registry.discovery.refresh();
    expect(await next()).to.deep.equal(['a:1', 'w-1']);
    await lease.release();
    await fake.registry.discovery.refresh();
    expect(await next()).to.deep.equal(['a:1']);
    const last = reader.next();
    end.abort();
    expect((await last).done).to.equal(true);
  });

  it('leaves no timer behind when the registry is closed', async () => {
    const fake = at.fake();
    await fake.see('world');
    await fake.registry.registrator.register(worldInstance('w-1'), new AbortController().signal);
    await fake.registry.discovery.close();
    expect(fake.ports.time.pendingTimers).to.equal(0);
  });
});
