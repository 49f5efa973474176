import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { LiveConfiguration } from '../config/live/live-configuration.js';
import { loadbalanceSchema } from '../config/sections/loadbalance.js';
import type { InstalledPlugins } from '../plugin/installed-plugins.js';
import { NO_PLUGINS } from '../plugin/installed-plugins.js';
import { ServicePlan } from '../registry/service-plan.js';
import { FakeCall } from '../testing/fake-call.js';
import { fakePorts } from '../testing/fake-ports.js';
import { httpInstance } from '../testing/instances.js';
import { loadFiles, NAMED } from '../testing/load-files.js';
import { codeBlocks } from '../testing/markdown-blocks.js';
import { meshDocument } from '../testing/policy-context.js';
import { RecordingLogger } from '../testing/recording-logger.js';
import { BalanceReports } from './balance-reports.js';
import { readBalanceRules } from './balance-rules.js';
import { checkBalancing, LiveBalancing, type Balance } from './balancing.js';
import { ownMetadata } from './here.js';
import { roundRobin } from './round-robin.js';
import { PLAIN_RULES } from './steady-balancing.js';

/** Plugins with one strategy, `first-only`. */
const WITH_PLUGIN: InstalledPlugins = {
  find: ((kind: string, name: string) =>
    kind === 'load-balancer' && name === 'first-only' ? roundRobin : undefined) as InstalledPlugins['find'],
  names: (kind) => (kind === 'load-balancer' ? ['first-only'] : []),
};

async function document(yaml: string) {
  return await meshDocument({ 'load_balancing.yaml': yaml });
}

async function balancingOf(yaml: string, plugins = NO_PLUGINS) {
  const logger = new RecordingLogger();
  const configuration = new LiveConfiguration(await document(yaml), logger);
  const ports = fakePorts();
  const balancing = new LiveBalancing({ ports, configuration, plugins, reports: new BalanceReports() });
  return { balancing, configuration, logger, ports };
}

describe('the rules of a service', () => {
  it('are the defaults when nothing is configured', async () => {
    const { balancing } = await balancingOf('');
    const { strategy, panicThreshold, overprovisioning, slowStart, outlier, near, session } = balancing.of('world');
    expect([strategy.name, panicThreshold, overprovisioning]).to.deep.equal(['RoundRobin', 0.5, 1.4]);
    expect([slowStart, outlier, near, session]).to.deep.equal([undefined, undefined, undefined, undefined]);
  });

  it('are the same for those who have no configuration at all', async () => {
    const section = (await document('')).section('cse.loadbalance', loadbalanceSchema);
    const nowhere = { region: undefined, zone: undefined };
    expect(readBalanceRules(section, 'secret', nowhere)).to.deep.equal(PLAIN_RULES);
  });

  it('are the global ones, key by key, but for those that it sets itself', async () => {
    const { balancing } = await balancingOf(`
cse:
  loadbalance:
    strategy: {name: SessionStickiness}
    SessionStickinessRule: {sessionTimeoutInSeconds: 60, successiveFailedTimes: 3}
    outlier: {enabled: true, consecutive5xx: 7}
    slowStart: {window: 20s}
    world:
      SessionStickinessRule: {sessionTimeoutInSeconds: 90}
      outlier: {interval: 3s}
    stock:
      strategy: {name: Random}
      outlier: {enabled: false}
`);
    const world: Balance = balancing.of('world');
    expect(world.strategy.name).to.equal('SessionStickiness');
    expect([world.session?.timeoutS, world.session?.failures]).to.deep.equal([90, 3]);
    expect([world.outlier?.intervalMs, world.outlier?.consecutive5xx]).to.deep.equal([3000, 7]);
    expect(world.slowStart?.windowMs).to.equal(20_000);
    const stock = balancing.of('stock');
    expect([stock.strategy.name, stock.session, stock.outlier]).to.deep.equal(['Random', undefined, undefined]);
    expect(balancing.of('other').session?.timeoutS).to.equal(60);
  });

  it('know where this process runs: from region, else from the properties of the instance', async () => {
    const zoneaware = 'cse: {loadbalance: {serverListFilters: zoneaware}}\n';
    const region = await balancingOf(`${zoneaware}region: {name: eu, availableZone: eu-1}\n`);
    expect(region.balancing.of('world').near).to.deep.equal({ region: 'eu', zone: 'eu-1' });
    const properties = await balancingOf(`${zoneaware}servicecomb: {service: {instanceProperties: {zone: b}}}\n`);
    expect(properties.balancing.of('world').near).to.deep.equal({ region: undefined, zone: 'b' });
  });

  it('take what is hashed from one place: a service that says something of it says all', async () => {
    const { balancing } = await balancingOf(`
cse.loadbalance:
  hash: {cookie: shard, cookieTtl: 1h}
  world: {strategy: {name: RingHash}, hash: {header: x-user}}
  stock: {strategy: {name: Maglev}}
`);
    expect(balancing.of('world').hash).to.include({ header: 'x-user', cookie: undefined });
    expect(balancing.of('stock').hash).to.include({ header: undefined, cookie: 'shard', cookieTtlS: 3600 });
  });
});

describe('the metadata of the own instance', () => {
  it('says where it runs, so that others find out what is near', async () => {
    const doc = await document(
      'region: {name: eu, availableZone: eu-1}\nservicecomb: {service: {instanceProperties: {zone: mine, stage: blue}}}\n',
    );
    expect(ownMetadata(doc)).to.deep.equal({ region: 'eu', zone: 'mine', stage: 'blue' });
    expect(ownMetadata(await document(''))).to.deep.equal({});
  });
});

describe('a strategy that nobody knows', () => {
  it('keeps the chassis from being made, and the message names the known ones, those of plugins too', async () => {
    const doc = await document('cse: {loadbalance: {world: {strategy: {name: Quickest}}}}');
    expect(() => checkBalancing(doc, WITH_PLUGIN)).to.throw(
      /cse\.loadbalance\.world .*'Quickest'.*RoundRobin.*first-only/,
    );
  });

  it('of a new configuration is refused: services are balanced as before, and the log says so', async () => {
    const { balancing, configuration, logger } = await balancingOf('cse: {loadbalance: {strategy: {name: Random}}}');
    const bad = await document('cse: {loadbalance: {strategy: {name: Quickest}}}');
    expect(() => configuration.check(bad)).to.throw("'Quickest'");
    configuration.swap(bad);
    expect(balancing.of('world').strategy.name).to.equal('Random');
    expect(logger.lines.some(({ level }) => level === 'error')).to.equal(true);
  });

  it('may be one of a plugin, in any case', async () => {
    const { balancing } = await balancingOf('cse: {loadbalance: {strategy: {name: FirstOnly}}}', WITH_PLUGIN);
    expect(balancing.of('world').strategy.name).to.equal('first-only');
  });
});

describe('a change of the configuration', () => {
  const START = 'cse: {loadbalance: {outlier: {enabled: true, consecutive5xx: 2}, world: {strategy: {name: Random}}}}';

  async function planOf() {
    const { balancing, configuration, ports } = await balancingOf(START);
    const plan = new ServicePlan('world', ports, balancing, () => undefined);
    const instances = [1, 2, 3].map((n) => httpInstance(`10.0.0.${n}:80`));
    plan.apply({ service: 'world', exists: true, revision: 'a', instances }, 0);
    const [first] = plan.candidates('http').endpoints;
    const fail = (): void => {
      for (let i = 0; i < 2; i++) {
        plan.observe(new FakeCall(), first as never, { status: 500, code: undefined, aborted: false, durationMs: 1 });
      }
    };
    return { plan, configuration, first, fail, time: ports.time };
  }

  it('that does not touch a service leaves its candidates as they are', async () => {
    const { plan, configuration } = await planOf();
    const before = plan.candidates('http');
    configuration.swap(await document(`${START.slice(0, -2)}, other: {strategy: {name: Random}}}}`));
    expect(plan.candidates('http')).to.equal(before);
  });

  it('of the strategy takes effect with the next call, and what is known of endpoints stays', async () => {
    const { plan, configuration, first, fail } = await planOf();
    plan.started(first as never);
    plan.started(first as never);
    plan.started(first as never);
    fail();
    configuration.swap(await document(START.replace('Random', 'LeastRequest')));
    const candidates = plan.candidates('http');
    expect(candidates.balance.strategy.name).to.equal('LeastRequest');
    expect(candidates.endpoints[0]).to.equal(first);
    expect([first?.inFlight, first?.barred]).to.deep.equal([1, 1]);
  });

  it('that turns ejection off lets the ejected return', async () => {
    const { plan, configuration, first, fail, time } = await planOf();
    fail();
    expect(first?.isOut).to.equal(true);
    configuration.swap(await document(START.replace('enabled: true', 'enabled: false')));
    plan.candidates('http');
    expect(first?.isOut).to.equal(false);
    expect(time.pendingTimers).to.equal(0);
  });

  it('of the rules of ejection keeps who is ejected, and lets it return in time', async () => {
    const { plan, configuration, first, fail, time } = await planOf();
    fail();
    configuration.swap(await document(START.replace('consecutive5xx: 2', 'consecutive5xx: 9')));
    plan.pick(new FakeCall(), undefined);
    expect(first?.isOut).to.equal(true);
    time.advance(60_000);
    expect(first?.isOut).to.equal(false);
  });
});

describe('the section cse.loadbalance', () => {
  it('takes the example of the guide as it stands', async () => {
    const guide = readFileSync(new URL('../../../../docs/guides/load-balancing.md', import.meta.url), 'utf8');
    const example = codeBlocks(guide).find(({ language }) => language === 'yaml')?.text ?? '';
    const { errors, notices, said } = await loadFiles({ ...NAMED, 'load_balancing.yaml': example });
    expect(said(errors)).to.deep.equal([]);
    expect(said(notices)).to.deep.equal([]);
  });

  it('says where a value is wrong', async () => {
    const { errors, said } = await loadFiles({
      ...NAMED,
      'load_balancing.yaml': 'cse:\n  loadbalance:\n    panicThreshold: 120\n    serverListFilters: zonaware\n',
    });
    expect(said(errors).join('\n')).to.include('panicThreshold').and.to.include("did you mean 'zoneaware'");
  });
});
