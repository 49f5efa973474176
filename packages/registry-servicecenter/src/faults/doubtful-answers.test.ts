import { expect } from 'chai';
import { createServer, type Server } from 'node:net';
import { FAULT_MODES } from '@mesher/core/testing';
import { eventually, isFind, useFaultRig, Watched } from './testing/fault-rig.js';

/** An answer to a question about one service. */
function found(instances: unknown): string {
  return JSON.stringify({ services: { updated: [{ index: 0, rev: 'r', instances }] } });
}

describe('service-center that answers what may not be so', () => {
  const fault = useFaultRig();

  /** Answers that, and waits until it was asked twice since. */
  async function answer(body: string, status = 200, headers: Readonly<Record<string, string>> = {}): Promise<void> {
    const { center } = fault();
    center.failure = { status, body, headers };
    await center.untilAsked(isFind, center.asked.filter(isFind).length + 3);
  }

  const empties = {
    'a list without entries': found([]),
    'a list that is left out': found(undefined),
    'no such service': JSON.stringify({ services: { failed: [{ indexes: [0], error: { errorCode: '400012' } }] } }),
  };
  for (const [what, body] of Object.entries(empties)) {
    it(`fault 6 (empty answer): keeps whoever accepts connections, with ${what}`, async () => {
      await fault().seed('a');
      const rig = await fault().registry();
      const world = new Watched(rig);
      await world.until('a');
      await answer(body);
      expect([world.ids, world.neverLacked('a')]).to.deep.equal([['a'], true]);
      fault().center.failure = undefined;
      await eventually(() => rig.registry.discovery.state().freshness === 'fresh');
      expect([world.ids, world.neverLacked('a')]).to.deep.equal([['a'], true]);
    });
  }

  it('fault 6 (empty answer): believes it of an instance that refuses connections, and after the grace of all', async () => {
    const server = await listening();
    const { port } = server.address() as { port: number };
    const instances = [{ instanceId: 'a', endpoints: [`rest://127.0.0.1:${port}`] }];
    fault().center.seed({ appId: 'shop', environment: 'testing', serviceName: 'world', instances });
    const world = new Watched(await fault().registry());
    const hasty = new Watched(await fault().registry({ options: { emptyGrace: 20 } }));
    await Promise.all([world.until('a'), hasty.until('a')]);
    await answer(found([]));
    await hasty.until();
    expect(world.ids).to.deep.equal(['a']);
    await new Promise((resolve) => server.close(resolve));
    await world.until();
  });

  it('fault 6 (empty answer): believes it at once when an event said so of each instance', async () => {
    const serviceId = await fault().seed('a');
    const { center } = fault();
    const options = { probeInterval: 3_600_000 };
    const rig = await fault().registry({ yaml: 'servicecomb.registry.watch: true\n', options });
    await rig.register();
    const world = new Watched(rig);
    await world.until('a');
    await center.untilWatchers(1);
    center.registry.tenant('default/default').instances.remove(serviceId, 'a');
    await world.until();
    expect(world.all.at(-1)?.exists).to.equal(true);
  });

  it('fault 6 (empty answer): an error is none', async () => {
    await fault().seed('a');
    const rig = await fault().registry();
    const world = new Watched(rig);
    await world.until('a');
    const failed = (errorCode: string): string =>
      JSON.stringify({ services: { failed: [{ indexes: [0], error: { errorCode } }] } });
    await answer(failed('500003'));
    await answer(failed('400001'));
    await answer('{"errorCode":"400012","errorMessage":"Micro-service does not exist"}', 400);
    await answer('', 404);
    expect([world.all.length, world.neverLacked('a')]).to.deep.equal([1, true]);
  });

  it('fault 7 (mass shrink): keeps most of the instances that vanish together, and lets few go', async () => {
    const ids = Array.from({ length: 10 }, (_, id) => `i${id}`);
    const serviceId = await fault().seed(...ids);
    const world = new Watched(await fault().registry());
    await world.until(...ids);
    const listed = fault().center.registry.tenant('default/default').instances.list(serviceId);
    await answer(found(listed.slice(0, 2)));
    await eventually(() => fault().center.asked.filter(isFind).length > 6);
    expect([world.ids, world.neverLacked(...ids)]).to.deep.equal([ids, true]);
    // Back, and half of them again: that may be.
    await answer(found(listed));
    await answer(found(listed.slice(0, 5)));
    await world.until(...ids.slice(0, 5));
  });

  const malformed: Readonly<Record<string, readonly [body: string, status?: number, type?: string]>> = {
    'a page of a proxy': ['<html><body>Bad gateway</body></html>', 502, 'text/html'],
    'a page with status 200': ['<html><body>Log in, please</body></html>', 200, 'text/html'],
    'a redirect': ['', 302],
    nothing: ['', 200],
    'half of an object': [found([{ instanceId: 'b' }]).slice(0, 40)],
    'JSON that is no object': ['["a"]'],
    'a number': ['42'],
    null: ['null'],
    'an object for somebody else': ['{"instances":[]}'],
    'an answer about other questions': [JSON.stringify({ services: { notModified: [7, -1, '0'] } })],
    'lists of the wrong type': [JSON.stringify({ services: { updated: { index: 0 }, failed: 'x', notModified: 3 } })],
    'bytes that are no text': [Buffer.from([0, 255, 254, 128, 7]).toString('latin1')],
    'JSON nested beyond all measure': [`${'['.repeat(50_000)}`],
  };
  for (const [what, [body, status, type]] of Object.entries(malformed)) {
    it(`fault 8 (malformed answer): keeps what it has, says so and asks again, after ${what}`, async () => {
      await fault().seed('a');
      const rig = await fault().registry();
      const world = new Watched(rig);
      await world.until('a');
      await answer(body, status, type === undefined ? {} : { 'content-type': type });
      const { freshness, lastError } = rig.registry.discovery.state();
      expect([freshness, typeof lastError]).to.deep.equal(['stale', 'string']);
      expect(world.all).to.have.length(1);
      await fault().seed('a', 'b');
      fault().center.failure = undefined;
      await world.until('a', 'b');
      expect(rig.registry.discovery.state()).to.include({ freshness: 'fresh', lastError: undefined });
      expect(world.neverLacked('a')).to.equal(true);
    });
  }

  for (const mode of ['garbage in a body', 'garbage for a start line', 'truncated and closed', 'truncated and reset']) {
    it(`fault 8 (malformed answer): keeps what it has with bytes that the network spoiled, "${mode}"`, async () => {
      await fault().seed('a', 'b', 'c');
      const rig = await fault().registry({ options: { fullRefresh: 1 } });
      const world = new Watched(rig);
      await world.until('a', 'b', 'c');
      const { proxy, center } = fault();
      for (let round = 0; round < 3; round++) {
        const { faults } = proxy.counts;
        await proxy.set(FAULT_MODES[mode] ?? {});
        await proxy.until((counts) => counts.faults > faults);
      }
      await proxy.heal();
      await center.untilAsked(isFind, center.asked.filter(isFind).length + 3);
      await eventually(() => rig.registry.discovery.state().freshness === 'fresh');
      expect([world.ids, world.neverLacked('a', 'b', 'c')]).to.deep.equal([['a', 'b', 'c'], true]);
    });
  }

  for (const [what, instances] of Object.entries({
    'a text': 'none',
    'an object': { a: {} },
    'nothing usable': [7, {}],
  })) {
    it(`fault 8 (malformed answer): leaves the one service as it is, and tells it, when its instances are ${what}`, async () => {
      await fault().seed('a');
      const rig = await fault().registry();
      const world = new Watched(rig);
      await world.until('a');
      await answer(found(instances));
      expect([world.all.length, world.neverLacked('a')]).to.deep.equal([1, true]);
      expect(rig.registry.discovery.state().problems.join()).to.contain('world');
    });
  }

  it('fault 9 (bad entries): leaves them out, says which, and takes the rest', async () => {
    const port = await fault().application();
    const good = { instanceId: 'good', endpoints: ['grpc://nowhere', `rest://127.0.0.1:${port}`], status: 'UP' };
    const rig = await fault().registry();
    const world = new Watched(rig);
    await answer(
      found([
        ...[null, 7, 'text', [], {}, { instanceId: 5 }],
        { instanceId: 'odd', endpoints: ['no url', 'rest://h:0', 'rest://h:70000', 'rest://:80', 7, null] },
        { instanceId: 'none', endpoints: 'rest://h:1', properties: 'x', dataCenterInfo: [], status: 5 },
        good,
        { instanceId: 'strange', endpoints: ['rest://127.0.0.1:1'], status: 'ASLEEP', properties: { a: 1, b: 'x' } },
      ]),
    );
    await eventually(() => world.ids.includes('good'));
    const instances = world.all.at(-1)?.instances ?? [];
    const addresses = instances.flatMap((one) => [...one.addresses].map(([name, { port: at }]) => `${name}:${at}`));
    expect(addresses).to.deep.equal([`rest:${port}`, 'rest:1']);
    const statusOf = (id: string): string | undefined => instances.find((one) => one.instanceId === id)?.status;
    expect([statusOf('good'), statusOf('strange')]).to.deep.equal(['UP', 'DOWN']);
    const { problems, freshness } = rig.registry.discovery.state();
    expect(problems.join('\n')).to.contain('without instanceId').and.contain('70000');
    expect(freshness).to.equal('fresh');
  });
});

async function listening(): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}
