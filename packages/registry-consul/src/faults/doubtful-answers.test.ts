import { expect } from 'chai';
import { FAULT_MODES } from '@mesher/core/testing';
import { eventually, isQuestion, useFaultRig, Watched } from './testing/fault-rig.js';

let index = 1_000;

/** An answer to a question about a service, newer than all before. */
function listed(...entries: readonly unknown[]): string {
  return JSON.stringify(entries);
}

function entry(ID: unknown, Port: unknown, more: object = {}): object {
  return {
    Node: { Node: 'n', Address: '127.0.0.1' },
    Service: { ID, Service: 'world', Address: '127.0.0.1', Port, ...more },
    Checks: [{ CheckID: 'service:x', Status: 'passing' }],
  };
}

describe('Consul that answers what may not be so', () => {
  const fault = useFaultRig();

  /** Answers questions about services with that, and waits until some were asked. */
  async function answer(body: string, status = 200, headers: Readonly<Record<string, string>> = {}): Promise<void> {
    const { consul } = fault();
    consul.failure = { status, body, headers: { 'x-consul-index': String(++index), ...headers }, fits: isQuestion };
    // One that was held is answered as before.
    await fault().untilAskedAgain(4);
  }

  it('fault 6 (empty answer): keeps whoever accepts connections, and says so', async () => {
    await fault().seed('a');
    const rig = await fault().registry();
    const world = new Watched(rig);
    await world.until('a');
    await answer('[]');
    expect([world.ids, world.neverLacked('a')]).to.deep.equal([['a'], true]);
    expect(rig.registry.discovery.state().counts?.['empty-suppressed']).to.be.greaterThan(0);
    fault().consul.failure = undefined;
    await fault().untilAskedAgain(3);
    expect([world.ids, world.neverLacked('a')]).to.deep.equal([['a'], true]);
  });

  it('fault 6 (empty answer): believes it of an instance that refuses connections, and after the grace of all', async () => {
    await fault().seed('a');
    const world = new Watched(await fault().registry());
    const hasty = new Watched(await fault().registry({ options: { emptyGrace: 20 } }));
    await Promise.all([world.until('a'), hasty.until('a')]);
    await answer('[]');
    await hasty.until();
    expect(world.ids).to.deep.equal(['a']);
    await fault().stopApplications();
    await world.until();
  });

  it('fault 6 (empty answer): one that was filtered by access control is none', async () => {
    await fault().seed('a');
    const rig = await fault().registry({ options: { emptyGrace: 0 } });
    const world = new Watched(rig);
    await world.until('a');
    await answer('[]', 200, { 'x-consul-results-filtered-by-acls': 'true' });
    expect([world.ids, world.neverLacked('a')]).to.deep.equal([['a'], true]);
  });

  it('fault 7 (mass shrink): keeps most of the instances that vanish together, and lets few go', async () => {
    const ids = Array.from({ length: 10 }, (_, id) => `i${id}`);
    await fault().seed(...ids);
    const world = new Watched(await fault().registry());
    await world.until(...ids);
    const ports = new Map(
      world.all.at(-1)?.instances.map((one) => [one.instanceId, [...one.addresses.values()][0]?.port ?? 0]),
    );
    const some = (count: number): string => listed(...ids.slice(0, count).map((id) => entry(id, ports.get(id))));
    await answer(some(2));
    expect([world.ids, world.neverLacked(...ids)]).to.deep.equal([ids, true]);
    await answer(some(10));
    await answer(some(5));
    await world.until(...ids.slice(0, 5));
  });

  const malformed: Readonly<
    Record<string, readonly [body: string, status?: number, headers?: Record<string, string>]>
  > = {
    'a page of a proxy': ['<html>Bad gateway</html>', 502, { 'content-type': 'text/html' }],
    'a page with status 200': ['<html>Log in, please</html>', 200, { 'content-type': 'text/html' }],
    'a redirect': ['', 302, { location: 'http://127.0.0.1:1/' }],
    'an election': ['No cluster leader', 500],
    'too many requests': ['slow down', 429],
    'half of a list': [listed(entry('b', 80)).slice(0, 40)],
    'an object': ['{"a":1}'],
    'a number': ['42'],
    null: ['null'],
    nothing: [''],
    'an index of 0': ['[]', 200, { 'x-consul-index': '0' }],
    'an index that is none': ['[]', 200, { 'x-consul-index': 'soon' }],
    'JSON nested beyond all measure': ['['.repeat(50_000)],
  };
  for (const [what, [body, status, headers]] of Object.entries(malformed)) {
    it(`fault 8 (malformed answer): keeps what it has, says so and asks again, after ${what}`, async () => {
      await fault().seed('a');
      const rig = await fault().registry();
      const world = new Watched(rig);
      await world.until('a');
      await answer(body, status, headers);
      const { freshness, lastError } = rig.registry.discovery.state();
      expect([freshness, typeof lastError]).to.deep.equal(['stale', 'string']);
      expect(world.all).to.have.length(1);
      fault().consul.failure = undefined;
      await fault().seed('b');
      await world.until('a', 'b');
      expect(rig.registry.discovery.state()).to.include({ freshness: 'fresh', lastError: undefined });
      expect(world.neverLacked('a')).to.equal(true);
    });
  }

  for (const mode of ['garbage in a body', 'garbage for a start line', 'truncated and closed', 'truncated and reset']) {
    it(`fault 8 (malformed answer): keeps what it has with bytes that the network spoiled, "${mode}"`, async () => {
      await fault().seed('a', 'b', 'c');
      const rig = await fault().registry();
      const world = new Watched(rig);
      await world.until('a', 'b', 'c');
      const { proxy } = fault();
      for (let round = 0; round < 3; round++) {
        const { faults } = proxy.counts;
        await proxy.set(FAULT_MODES[mode] ?? {});
        await proxy.until((counts) => counts.faults > faults);
      }
      await proxy.heal();
      await fault().untilAskedAgain(3);
      await eventually(() => rig.registry.discovery.state().freshness === 'fresh');
      expect([world.ids, world.neverLacked('a', 'b', 'c')]).to.deep.equal([['a', 'b', 'c'], true]);
    });
  }

  it('fault 9 (bad entries): leaves them out, says which, and takes the rest', async () => {
    const port = await fault().application();
    const rig = await fault().registry();
    const world = new Watched(rig);
    await answer(
      listed(
        ...[null, 7, 'text', [], {}, { Service: null }, { Node: {}, Service: {} }],
        ...[entry('high', 70_000), entry('none', 0), entry('text', '80'), entry(7, 80), entry('', 80)],
        entry('odd', 80, { Address: 'two words', Tags: 'x', Meta: [], Weights: 'heavy' }),
        // The address of the node counts where the service has none.
        entry('good', port, { Address: '', Meta: null, Tags: null }),
      ),
    );
    await eventually(() => world.ids.includes('good'));
    const good = world.all.at(-1)?.instances.find(({ instanceId }) => instanceId === 'good');
    expect([...(good?.addresses.values() ?? [])]).to.deep.include({ host: '127.0.0.1', port, tls: false });
    const usable = world.all.at(-1)?.instances.filter(({ addresses }) => addresses.size > 0) ?? [];
    for (const { addresses } of usable) {
      for (const address of addresses.values()) expect(address.port).to.be.within(1, 65_535);
    }
    const { problems, freshness } = rig.registry.discovery.state();
    expect([freshness, problems.length > 0]).to.deep.equal(['fresh', true]);
  });
});
