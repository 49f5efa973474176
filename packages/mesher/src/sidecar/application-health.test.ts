import { expect } from 'chai';
import {
  Chassis,
  Rejection,
  type PluginCatalog,
  definePlugin,
  isMeshError,
  type HealthResult,
  type LocalTarget,
} from '@mesher/core';
import {
  FakeCall,
  RecordingLogger,
  ScriptedDiscovery,
  ScriptedRegistrator,
  fakePorts,
  httpInstance,
  settle,
} from '@mesher/core/testing';
import { loadFiles } from '../testing/conf-folder.js';
import { ApplicationHealth } from './application-health.js';

const WELL: HealthResult = { healthy: true, detail: 'well' };
const SICK: HealthResult = { healthy: false, detail: 'status 500' };

const CHECK = 'localHealthCheck: [{port: 8080, protocol: scripted, interval: 10s, jitter: 0, unhealthyThreshold: 1}]\n';
const REFUSE = 'mesher.health.refuseWhileDown: true\n';

/** A chassis whose application is as a test says. */
class Rig {
  result: HealthResult | undefined = WELL;
  readonly asked: LocalTarget[] = [];
  readonly registrator = new ScriptedRegistrator();
  readonly ports = fakePorts();
  readonly logger = new RecordingLogger();
  chassis!: Chassis;
  catalog!: PluginCatalog;
  health!: ApplicationHealth;

  static async open(mesherYaml: string, result: HealthResult | 'silence' = WELL, status = 'UP'): Promise<Rig> {
    const rig = new Rig();
    rig.result = result === 'silence' ? undefined : result;
    rig.chassis = await rig.#makeChassis(mesherYaml, status);
    rig.health = new ApplicationHealth(rig.chassis, {
      catalog: rig.catalog,
      isOwnPort: (port) => port === 30_101,
      ports: rig.ports,
      logger: rig.logger,
    });
    rig.health.start();
    await settle();
    return rig;
  }

  async #makeChassis(mesherYaml: string, status: string): Promise<Chassis> {
    const files = {
      'chassis.yaml': 'servicecomb.registry.type: scripted\n',
      'microservice.yaml': `servicecomb.service: {name: world, status: ${status}}\n`,
      'mesher.yaml': mesherYaml,
    };
    const { configuration, catalog } = await loadFiles(files);
    if (configuration.document === undefined) throw new Error('the configuration is wrong');
    const registry = { discovery: new ScriptedDiscovery(), registrator: this.registrator };
    catalog.add(definePlugin({ kind: 'registry', name: 'scripted', create: () => registry }));
    const check = (target: LocalTarget): Promise<HealthResult> => {
      this.asked.push(target);
      return this.result === undefined ? new Promise(() => {}) : Promise.resolve(this.result);
    };
    catalog.add(definePlugin({ kind: 'health-checker', name: 'scripted', create: () => ({ check }) }));
    this.catalog = catalog;
    const { document } = configuration;
    return await Chassis.create({
      ...{ document, catalog, confDir: '.', ports: this.ports },
      servicePorts: [{ protocol: 'rest', port: 8080 }],
    });
  }

  async register(): Promise<void> {
    const { status } = this.health;
    const lease = await this.chassis.register({ ...httpInstance('127.0.0.1'), status });
    if (lease !== undefined) this.health.follow(lease, status);
    await settle();
  }

  async reload(mesherYaml: string): Promise<void> {
    const { document } = (await loadFiles({ 'mesher.yaml': mesherYaml })).configuration;
    if (document === undefined) throw new Error('the configuration is wrong');
    this.chassis.reconfigure(document);
    await settle();
  }

  /** Lets the next check have this result. */
  async becomes(result: HealthResult): Promise<void> {
    this.result = result;
    await this.ports.time.advanceAsync(10_000, 100);
  }

  async inboundCode(): Promise<string | undefined> {
    const verdict = await this.chassis.inbound.begin(new FakeCall({ direction: 'inbound' }));
    return verdict instanceof Rejection ? verdict.code : undefined;
  }

  async close(): Promise<void> {
    this.health.close();
    await this.chassis.close();
  }
}

describe('the health of the application', () => {
  let rig: Rig;
  afterEach(async () => {
    await rig.close();
  });

  it('goes to the registry: DOWN while a check fails, and UP again', async () => {
    rig = await Rig.open(CHECK);
    await rig.register();
    expect(rig.registrator.last.self.status).to.equal('UP');
    await rig.becomes(SICK);
    expect(rig.registrator.last.statuses).to.deep.equal(['DOWN']);
    await rig.becomes(WELL);
    expect(rig.registrator.last.statuses).to.deep.equal(['DOWN', 'UP']);
    expect(rig.chassis.events.latest.map(({ kind }) => kind)).to.deep.equal(['local-up', 'local-down', 'local-up']);
  });

  it('is STARTING before the first result, and what it has become when the registration is through', async () => {
    rig = await Rig.open(CHECK, 'silence');
    expect(rig.health.status).to.equal('STARTING');
    expect(rig.health.problems).to.deep.equal(['the local health checks have no result yet']);
    await rig.register();
    await rig.ports.time.advanceAsync(2_500);
    expect(rig.health.problems).to.deep.equal(['local health check scripted:8080: no answer within 2500ms']);
    expect([rig.registrator.last.self.status, rig.registrator.last.statuses]).to.deep.equal(['STARTING', ['DOWN']]);
  });

  it('is registered as DOWN when the first check says so', async () => {
    rig = await Rig.open(CHECK, SICK);
    await rig.register();
    expect([rig.registrator.last.self.status, rig.registrator.last.statuses]).to.deep.equal(['DOWN', []]);
  });

  it('puts an instance in service as TESTING that is configured so, and never one that an operator took out', async () => {
    rig = await Rig.open(CHECK, SICK, 'TESTING');
    await rig.register();
    await rig.becomes(WELL);
    expect(rig.registrator.last.statuses).to.deep.equal(['TESTING']);
    await rig.close();
    rig = await Rig.open(CHECK, WELL, 'OUTOFSERVICE');
    expect(rig.health.status).to.equal('OUTOFSERVICE');
  });

  it('means nothing where nobody checks', async () => {
    rig = await Rig.open('');
    expect([rig.health.status, rig.health.view, rig.health.stats, rig.health.problems]).to.deep.equal([
      'UP',
      undefined,
      undefined,
      [],
    ]);
    await rig.health.whenKnown();
    expect(rig.chassis.events.latest).to.deep.equal([]);
  });

  it('is not told any more once the instance leaves', async () => {
    rig = await Rig.open(CHECK);
    await rig.register();
    rig.health.stopPublishing();
    await rig.becomes(SICK);
    expect(rig.registrator.last.statuses).to.deep.equal([]);
  });

  it('closes the gate before the application if that is asked for, also by a change of the configuration', async () => {
    rig = await Rig.open(CHECK, SICK);
    expect(await rig.inboundCode()).to.equal(undefined);
    await rig.reload(CHECK + REFUSE);
    expect(await rig.inboundCode()).to.equal('MESH_ERR_LOCAL_DOWN');
    const explained = await rig.chassis.explain({ url: 'http://world/', direction: 'inbound' });
    expect([explained.sent, explained.answer?.code]).to.deep.equal([false, 'MESH_ERR_LOCAL_DOWN']);
    await rig.becomes(WELL);
    expect(await rig.inboundCode()).to.equal(undefined);
  });

  it('tells callers some of many reasons, in a text that fits into a header field', async () => {
    const many = Array.from({ length: 50 }, (_one, index) => `{port: ${8080 + index}, protocol: scripted}`);
    rig = await Rig.open(`localHealthCheck: [${many.join()}]\n${REFUSE}`, {
      healthy: false,
      detail: 'x'.repeat(5_000),
    });
    const reason = rig.chassis.localGate.closedBecause ?? '';
    expect(reason).to.match(/^The local application is down: scripted:8080: x+\.\.\.; .*; and 47 more$/);
    expect(reason.length).to.be.lessThan(1_200);
    expect(rig.health.view?.reasons).to.have.length(50);
  });

  it('follows the configuration: checks that are taken away speak against nobody', async () => {
    rig = await Rig.open(CHECK + REFUSE, SICK);
    await rig.register();
    await rig.reload(REFUSE);
    expect([rig.registrator.last.statuses, await rig.inboundCode()]).to.deep.equal([['UP'], undefined]);
    expect(rig.health.view).to.equal(undefined);
  });

  it('cannot be asked of this very sidecar, neither at the start nor later', async () => {
    rig = await Rig.open(CHECK);
    const own = 'localHealthCheck: [{port: 30101}]\n';
    const failure = await rig.reload(own).catch((error: unknown) => error);
    expect(isMeshError(failure, 'MESH_ERR_HEALTH_PORT')).to.equal(true);
    await rig.close();
    const start = await Rig.open(own).catch((error: unknown) => error);
    expect(isMeshError(start, 'MESH_ERR_HEALTH_PORT')).to.equal(true);
  });

  it('has numbers for the metrics page', async () => {
    rig = await Rig.open(CHECK);
    await rig.becomes(SICK);
    expect(rig.health.stats).to.deep.include({ state: 'down', changes: { up: 1, down: 1 }, publishFailures: 0 });
    expect(rig.health.stats?.checks[0]).to.include({ name: 'scripted:8080', passed: 1, failed: 1 });
  });
});
