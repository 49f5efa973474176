import { expect } from 'chai';
import type { Echo } from './support/app.js';
import { eventually } from './support/eventually.js';
import { useSharedScene } from './support/scene.js';
import type { Scene } from './support/scene.js';
import type { Settings, Sidecar } from './support/sidecar.js';

const STRATEGY = 'cse.loadbalance.strategy.name';

/** An instance of `world` whose answers say `name`. */
async function instance(scene: Scene, name: string, chassis: Settings = {}): Promise<void> {
  await scene.sidecar({ service: 'world', app: await scene.app({ name }), chassis });
}

/** A sidecar that only calls, and knows all instances. */
async function caller(scene: Scene, service: string, count: number, chassis: Settings): Promise<Sidecar> {
  const sidecar = await scene.sidecar({ service, host: 'none', chassis });
  await eventually('all instances are known', async () => (await sidecar.instances('world')).length === count);
  return sidecar;
}

async function nameOf(sidecar: Sidecar, headers: Readonly<Record<string, string>> = {}, path = ''): Promise<string> {
  const { body } = await sidecar.call(`http://world/${path}`, { headers });
  return (JSON.parse(body) as Echo).name;
}

describe('load balancing', () => {
  const scene = useSharedScene(async (made) => {
    await instance(made, 'one', { 'region.name': 'eu', 'region.availableZone': 'a' });
    await instance(made, 'two', { 'region.name': 'eu', 'region.availableZone': 'b' });
    await instance(made, 'three', { 'region.name': 'us', 'region.availableZone': 'a' });
    const with3 = (service: string, chassis: Settings): Promise<Sidecar> => caller(made, service, 3, chassis);
    return {
      sticky: await with3('sticky', { [STRATEGY]: 'SessionStickiness' }),
      stickyToo: await with3('sticky-too', { [STRATEGY]: 'session-stickiness' }),
      near: await with3('near', {
        'cse.loadbalance.serverListFilters': 'zoneaware',
        'region.name': 'eu',
        'region.availableZone': 'b',
      }),
      byUser: await with3('by-user', {
        'cse.loadbalance.world.strategy.name': 'Maglev',
        'cse.loadbalance.hash.header': 'x-user',
      }),
      ejecting: await with3('ejecting', {
        'cse.loadbalance.outlier.enabled': 'true',
        'cse.loadbalance.outlier.consecutive5xx': '2',
        'cse.loadbalance.outlier.maxEjectionPercent': '40',
      }),
    };
  });

  it('keeps a client at an instance by its cookie, which every sidecar understands', async () => {
    const { sticky, stickyToo } = scene();
    const first = await sticky.call('http://world/');
    const [field = ''] = first.headers['set-cookie'] ?? [];
    expect(field).to.match(/^go-chassisLB=[\w-]+; Path=\/; HttpOnly; Max-Age=30$/);
    const cookie = field.split(';')[0] as string;
    const { name } = JSON.parse(first.body) as Echo;
    for (const sidecar of [sticky, stickyToo, sticky, stickyToo])
      expect(await nameOf(sidecar, { cookie })).to.equal(name);
    const newcomers = new Set<string>();
    for (let i = 0; i < 6; i++) newcomers.add(await nameOf(sticky));
    expect(newcomers.size).to.equal(3);
  });

  it('stays in the own zone: the instances say where they run', async () => {
    for (let i = 0; i < 5; i++) expect(await nameOf(scene().near)).to.equal('two');
  });

  it('sends the calls of one user to one instance, and those of many to all', async () => {
    const { byUser } = scene();
    const seen = new Set<string>();
    for (let user = 0; user < 20; user++) {
      const headers = { 'x-user': `user-${user}` };
      const name = await nameOf(byUser, headers);
      expect(await nameOf(byUser, headers)).to.equal(name);
      seen.add(name);
    }
    expect(seen.size).to.equal(3);
  });

  it('ejects an instance that answers 500 again and again, and shows that', async () => {
    const { ejecting } = scene();
    const failing = 3 * 2;
    for (let i = 0; i < failing; i++) await ejecting.call('http://world/status/500', { method: 'POST' });
    expect(await ejecting.metric('mesher_endpoints', { service: 'world', state: 'ejected' })).to.equal(1);
    expect(await ejecting.metric('mesher_outlier_ejections_total', { service: 'world' })).to.equal(1);
    expect((await ejecting.instances('world')).filter((line) => line.includes('ejected'))).to.have.lengthOf(1);
    const names = new Set<string>();
    for (let i = 0; i < 10; i++) names.add(await nameOf(ejecting));
    expect(names.size).to.equal(2);
  });
});
