import { expect } from 'chai';
import { makeInstance, renderConfigurationReference, type Chassis } from '@mesher/core';
import { chassisWithRegistry, fakePorts, SilentApplications } from '@mesher/core/testing';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RegistryRig, type RigSettings } from './client/testing/registry-rig.js';
import { serviceCenterRegistry } from './plugin.js';
import { ServiceCenterServer, type Asked } from './testing/index.js';

const PREFIXES = ['servicecomb.registry', 'cse.service.registry'] as const;

const isRegistration = ({ method, path }: Asked): boolean => method === 'POST' && path.endsWith('/instances');
const isFind = ({ path }: Asked): boolean => path.endsWith('/instances/action');
const isHealth = ({ path }: Asked): boolean => path.endsWith('/registry/health');
const isServices = ({ method, path }: Asked): boolean => method === 'GET' && path.endsWith('/registry/microservices');

/** What a key does, seen from service-center. */
interface Effect {
  /** More lines of the configuration. */
  readonly with?: readonly string[];
  /** The value; `{url}` stands for the second service-center. */
  readonly value: string;
  check(world: World): Promise<void>;
}

interface World {
  /** The one at `servicecomb.registry.address`. */
  readonly center: ServiceCenterServer;
  /** Another one. */
  readonly other: ServiceCenterServer;
  /** A listening port that is no service-center. */
  readonly port: number;
  rig(settings?: Pick<RigSettings, 'ports' | 'refreshIntervalMs'>): Promise<RegistryRig>;
  /** The same configuration as a whole chassis, started. */
  chassis(): Promise<Chassis>;
}

async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

/** Lets time go by until it is asked so once more, and holds when that took so long, give or take what answers take. */
async function isAskedAgainAfter(ms: number, ports: ReturnType<typeof fakePorts>, count: () => number): Promise<void> {
  // What was on its way before is none of it.
  for (let turns = 0; turns < 20; turns++) await turn();
  const [before, begunAt] = [count(), ports.time.now()];
  while (count() === before) {
    ports.time.advance(ms / 100);
    await turn();
  }
  expect(ports.time.now() - begunAt).to.be.within(0.7 * ms, 1.5 * ms);
}

const isRegisteredBy =
  (of: (world: World) => ServiceCenterServer) =>
  async (world: World): Promise<void> => {
    await (await world.rig()).register();
    expect(of(world).asked.some(isRegistration)).to.equal(true);
    expect([world.center, world.other].filter(({ asked }) => asked.some(isRegistration))).to.have.length(1);
  };

const isAskedAt =
  (of: (world: World) => ServiceCenterServer) =>
  async (world: World): Promise<void> => {
    await (await world.rig()).watch('world').next();
    expect([world.center, world.other].filter(({ asked }) => asked.some(isFind))).to.deep.equal([of(world)]);
  };

async function registersFor(tenant: string, { center, rig }: World): Promise<void> {
  await (await rig()).register();
  expect(center.asked.find(isRegistration)?.headers['x-domain-name']).to.equal(tenant);
}

async function findsFor(tenant: string, { center, rig }: World): Promise<void> {
  await (await rig()).watch('world').next();
  expect(center.asked.find(isFind)?.headers['x-domain-name']).to.equal(tenant);
}

async function lets(crossApp: string, { center, rig }: World): Promise<void> {
  await (await rig()).register();
  const text = center.asked.find(({ method, path }) => method === 'POST' && path.endsWith('/microservices'))?.text;
  expect(text).to.contain(`"allowCrossApp":"${crossApp}"`);
}

async function findsElsewhere({ center, rig }: World): Promise<void> {
  const there = { appId: 'elsewhere', environment: 'testing', serviceName: 'world' };
  center.seed({ ...there, instances: [{ instanceId: 'a' }] });
  expect((await (await rig()).watch('world').next()).instances).to.have.length(1);
}

async function asksForNodes({ center, rig }: World): Promise<void> {
  await rig();
  await center.untilAsked(isHealth);
}

async function givesUpFinding({ center, rig }: World): Promise<void> {
  const opened = await rig();
  center.steering.holdsAnswers = true;
  void opened
    .watch('world')
    .next()
    .catch(() => {});
  while (opened.registry.discovery.state().lastError === undefined) await turn();
  expect(opened.registry.discovery.state().lastError).to.contain('no answer within 150 ms');
}

async function givesUpRegistering({ center, rig }: World): Promise<void> {
  const opened = await rig();
  center.steering.holdsAnswers = true;
  const lease = opened.register().catch(() => {});
  const problems = (): readonly string[] => opened.registry.discovery.state().problems;
  while (problems().length === 0) await turn();
  expect(problems().join()).to.contain('no answer within 150 ms');
  center.steering.holdsAnswers = false;
  await lease;
}

async function beatsBySocket({ center, rig }: World): Promise<void> {
  await (await rig()).register();
  await center.steering.until(() => center.heartbeats.count === 1);
}

async function hasLease(interval: number, { center, rig }: World): Promise<void> {
  await (await rig()).register();
  expect(center.asked.find(isRegistration)?.text).to.contain(`"interval":${interval}`);
}

async function looksEvery(ms: number, { center, rig }: World): Promise<void> {
  const ports = fakePorts();
  const finds = (): number => center.asked.filter(isFind).length;
  const opened = await rig({ ports });
  let isKnown = false;
  const known = opened.watch('world').next();
  void known.then(() => (isKnown = true));
  while (!isKnown) {
    ports.time.advance(1);
    await turn();
  }
  await isAskedAgainAfter(ms, ports, finds);
}

async function watches({ center, rig }: World): Promise<void> {
  await (await rig()).register();
  await center.untilWatchers(1);
}

async function keepsWhoAnswers({ center, port, rig }: World): Promise<void> {
  const endpoints = [`rest://127.0.0.1:${port}`];
  const ids = ['a', 'b', 'c'];
  const where = { appId: 'shop', environment: 'testing', serviceName: 'world' };
  const seeded = center.seed({ ...where, instances: ids.map((instanceId) => ({ instanceId, endpoints })) });
  const opened = await rig({ refreshIntervalMs: 20 });
  const world = opened.watch('world');
  await world.next();
  center.registry.tenant('default/default').instances.remove(seeded.serviceId, 'a');
  // Another one at the same address would take its place.
  for (const id of ['b', 'c']) center.registry.tenant('default/default').instances.remove(seeded.serviceId, id);
  center.seed({ ...where, instances: [{ instanceId: 'd', endpoints: ['rest://127.0.0.1:1'] }] });
  const { instances } = await world.until((snapshot) =>
    snapshot.instances.some(({ instanceId }) => instanceId === 'd'),
  );
  expect(instances.length).to.be.greaterThan(1);
}

async function registersNothing({ center, chassis }: World): Promise<void> {
  const started = await chassis();
  expect(started.register(makeInstance({ service: 'caller', instanceId: '', addresses: new Map() }))).to.equal(
    undefined,
  );
  expect(center.asked.some(isRegistration)).to.equal(false);
}

async function findsNothing({ center, chassis }: World): Promise<void> {
  const { directory } = await chassis();
  await directory.whenKnown('world');
  expect(center.asked.some(isFind)).to.equal(false);
  expect(directory.plan('world')?.state).to.equal('absent');
}

async function isUsed({ center, chassis }: World): Promise<void> {
  const { directory, registry } = await chassis();
  await directory.whenKnown('world');
  expect(registry.discovery.name).to.equal('servicecenter');
  expect(center.asked.some(isFind)).to.equal(true);
}

const TENANT = { value: 'acme' };
const ADDRESS = { value: '{url}' };
const MANUAL = { value: 'manual', check: registersNothing };

/** Every key of `servicecomb.registry` that has an effect, by its name below that. */
const KEYS: Readonly<Record<string, readonly Effect[]>> = {
  address: [{ value: '{url}', check: isRegisteredBy(({ other }) => other) }],
  'registrator.address': [
    { ...ADDRESS, check: isRegisteredBy(({ other }) => other) },
    { ...ADDRESS, check: isAskedAt(({ center }) => center) },
  ],
  'serviceDiscovery.address': [
    { ...ADDRESS, check: isAskedAt(({ other }) => other) },
    { ...ADDRESS, check: isRegisteredBy(({ center }) => center) },
  ],
  type: [{ value: 'servicecenter', check: isUsed }],
  'registrator.type': [{ value: 'servicecenter', check: isUsed }],
  'serviceDiscovery.type': [{ value: 'servicecenter', check: isUsed }],
  disabled: [
    { value: 'true', check: findsNothing },
    { value: 'true', check: registersNothing },
  ],
  'registrator.disabled': [
    { value: 'true', check: registersNothing },
    { value: 'true', check: isUsed },
  ],
  'serviceDiscovery.disabled': [{ value: 'true', check: findsNothing }],
  'discovery.disabled': [{ value: 'true', check: findsNothing }],
  register: [MANUAL],
  'registrator.register': [MANUAL],
  scope: [
    { value: 'full', check: (world) => lets('true', world) },
    { value: 'app', check: (world) => lets('false', world) },
    { value: 'full', check: findsElsewhere },
  ],
  'registrator.scope': [{ value: 'full', check: (world) => lets('true', world) }],
  'serviceDiscovery.scope': [
    { value: 'full', check: findsElsewhere },
    { value: 'full', check: (world) => lets('false', world) },
  ],
  tenant: [
    { ...TENANT, check: (world) => registersFor('acme', world) },
    { ...TENANT, check: (world) => findsFor('acme', world) },
  ],
  'registrator.tenant': [
    { ...TENANT, check: (world) => registersFor('acme', world) },
    { ...TENANT, check: (world) => findsFor('default', world) },
  ],
  'serviceDiscovery.tenant': [
    { ...TENANT, check: (world) => findsFor('acme', world) },
    { ...TENANT, check: (world) => registersFor('default', world) },
  ],
  project: [
    {
      value: 'blue',
      check: async ({ center, rig }) => {
        await (await rig()).register();
        expect(center.asked.every(({ path }) => path.startsWith('/v4/blue/registry/'))).to.equal(true);
      },
    },
  ],
  autodiscovery: [{ value: 'true', check: asksForNodes }],
  'registrator.autodiscovery': [{ value: 'true', check: asksForNodes }],
  'serviceDiscovery.autodiscovery': [{ value: 'true', check: asksForNodes }],
  timeout: [
    { value: '150ms', check: givesUpFinding },
    { value: '150ms', check: givesUpRegistering },
  ],
  'registrator.timeout': [{ value: '150ms', check: givesUpRegistering }],
  'serviceDiscovery.timeout': [{ value: '150ms', check: givesUpFinding }],
  'heartbeat.mode': [{ value: 'ping-pong', check: beatsBySocket }],
  'registrator.heartbeat.mode': [{ value: 'ping-pong', check: beatsBySocket }],
  'heartbeat.interval': [{ value: '17', check: (world) => hasLease(17, world) }],
  'registrator.heartbeat.interval': [{ value: '18s', check: (world) => hasLease(18, world) }],
  refreshInterval: [{ value: '100', check: (world) => looksEvery(100_000, world) }],
  'serviceDiscovery.refreshInterval': [{ value: '90s', check: (world) => looksEvery(90_000, world) }],
  watch: [{ value: 'true', check: watches }],
  'serviceDiscovery.watch': [{ value: 'true', check: watches }],
  healthCheck: [{ value: 'true', check: keepsWhoAnswers }],
  'serviceDiscovery.healthCheck': [{ value: 'true', check: keepsWhoAnswers }],
  autoIPIndex: [
    {
      value: 'true',
      check: async ({ center, chassis }) => {
        const where = { appId: 'elsewhere', environment: 'testing', serviceName: 'world' };
        center.seed({ ...where, instances: [{ instanceId: 'a', endpoints: ['rest://10.9.8.7:80'] }] });
        const { directory } = await chassis();
        await directory.followAll();
        expect(directory.ipIndex.byIp('10.9.8.7')?.service).to.equal('world');
      },
    },
  ],
  autoSchemaIndex: [
    {
      value: 'true',
      check: async ({ center, rig }) => {
        expect((await rig()).registry.contracts).to.not.equal(undefined);
        await center.untilAsked(isServices);
      },
    },
  ],
  'contractDiscovery.disabled': [
    {
      value: 'true',
      with: ['servicecomb.registry.autoSchemaIndex: true'],
      check: async ({ rig }) => expect((await rig()).registry.contracts).to.equal(undefined) as unknown as void,
    },
  ],
  'contractDiscovery.refreshInterval': [
    {
      value: '200s',
      with: ['servicecomb.registry.autoSchemaIndex: true'],
      check: async ({ center, rig }) => {
        const ports = fakePorts();
        await rig({ ports });
        await center.untilAsked(isServices);
        await isAskedAgainAfter(200_000, ports, () => center.asked.filter(isServices).length);
      },
    },
  ],
  uploadSchema: [
    {
      value: 'true',
      check: async ({ center, rig }) => {
        await (await rig()).register();
        await center.untilAsked(({ method, path }) => method === 'PUT' && path.endsWith('/schemas/hello'));
      },
    },
  ],
};

/** Of other registries: nothing to see at service-center. */
const OTHERS: ReadonlySet<string> = new Set(['configPath', 'serviceDiscovery.configPath']);

describe('the keys of the registry as users of go-chassis have them', () => {
  let world: World & { setUp(lines: readonly string[]): void };
  const closing: (() => Promise<unknown>)[] = [];

  beforeEach(async () => {
    const [center, other] = await Promise.all([ServiceCenterServer.start(), ServiceCenterServer.start()]);
    const listener = new SilentApplications();
    const port = await listener.open();
    closing.push(() => Promise.all([center.close(), other.close(), listener.close()]));
    let yaml = '';
    world = {
      ...{ center, other, port },
      setUp: (lines) => (yaml = `${lines.join('\n')}\n`),
      rig: async (settings = {}) => {
        const rig = await RegistryRig.open({
          ...{ address: center.url, yaml, replacesAddress: true, ...settings },
          prepare: async (folder) => {
            await mkdir(join(folder, 'caller', 'schema'), { recursive: true });
            await writeFile(join(folder, 'caller', 'schema', 'hello.yaml'), 'swagger: "2.0"\n');
          },
        });
        closing.unshift(() => rig.close());
        return rig;
      },
      chassis: async () => {
        const confDir = await mkdtemp(join(tmpdir(), 'mesher-sc-'));
        closing.unshift(() => rm(confDir, { recursive: true, force: true }));
        const identity = 'servicecomb.service: { name: caller, app: shop, environment: testing }\n';
        const chassis = await chassisWithRegistry(serviceCenterRegistry, confDir, { yaml, identity });
        closing.unshift(() => chassis.close());
        await chassis.start();
        return chassis;
      },
    };
  });

  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });

  for (const [key, effects] of Object.entries(KEYS)) {
    it(`${key} has its effect, under its old name too`, async () => {
      for (const prefix of PREFIXES) {
        for (const effect of effects) {
          const { center, other } = world;
          for (const { steering } of [center, other]) steering.asked.length = 0;
          center.steering.holdsAnswers = false;
          center.registry.forget();
          const own = `${prefix}.${key}: ${effect.value.replace('{url}', other.url)}`;
          const address = key === 'address' ? [] : [`servicecomb.registry.address: ${center.url}`];
          world.setUp([...address, ...(effect.with ?? []), own]);
          await effect.check(world);
          while (closing.length > 1) await closing.shift()?.();
        }
      }
    });
  }

  it('are all in this table', () => {
    const documented = renderConfigurationReference().matchAll(/^\| `servicecomb\.registry\.([^`]+)` \|(.*)$/gm);
    const named = [...documented].flatMap(([, key = '', rest = '']) => (rest.includes('No effect') ? [] : [key]));
    const missing = named.filter(
      (key) => !(key in KEYS) && !OTHERS.has(key) && !/^(file|consul|servicecenter)\./.test(key),
    );
    expect(missing).to.deep.equal([]);
    expect(Object.keys(KEYS).filter((key) => !named.includes(key))).to.deep.equal([]);
  });
});
