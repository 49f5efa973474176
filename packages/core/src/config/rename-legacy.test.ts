import { expect } from 'chai';
import { composeSections } from './compose-sections.js';
import { LEGACY_KEYS } from './legacy-keys.js';
import { formatProblems } from './problem.js';
import { LegacyRenamer } from './rename-legacy.js';
import { knownKeys } from './schema/reference.js';
import { CORE_SECTIONS } from './sections/index.js';
import { parseYaml } from './yaml/parse-yaml.js';

function rename(yaml: string) {
  const { entries, notices } = new LegacyRenamer(LEGACY_KEYS).rename(parseYaml(yaml, 'f.yaml').entries);
  return { keys: entries.map(({ path }) => path.join('.')), notices: formatProblems(notices) };
}

describe('old spellings', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['cse.protocols.http.listenAddress', 'servicecomb.protocols.http.listenAddress'],
    ['cse.service.registry.address', 'servicecomb.registry.address'],
    ['cse.service.Registry.registrator.type', 'servicecomb.registry.registrator.type'],
    ['servicecomb.service.registry.watch', 'servicecomb.registry.watch'],
    ['servicecomb.service.config.client.serverUri', 'servicecomb.config.client.serverUri'],
    ['cse.config.client.type', 'servicecomb.config.client.type'],
    ['cse.handler.chain.Consumer.default', 'servicecomb.handler.chain.Consumer.default'],
    ['cse.service.registry.refeshInterval', 'servicecomb.registry.refreshInterval'],
    ['cse.service.registry.serviceDiscovery.refeshInterval', 'servicecomb.registry.serviceDiscovery.refreshInterval'],
    ['APPLICATION_ID', 'servicecomb.service.app'],
    ['service_description.name', 'servicecomb.service.name'],
    ['service_description.version', 'servicecomb.service.version'],
    ['service_description.properties.allowCrossApp', 'servicecomb.service.properties.allowCrossApp'],
    ['service_description.instance_properties.zone', 'servicecomb.service.instanceProperties.zone'],
    ['instance_description.environment', 'servicecomb.service.environment'],
    ['servicecomb.loadbalance.strategy.name', 'cse.loadbalance.strategy.name'],
    ['servicecomb.isolation.Consumer.timeoutInMilliseconds', 'cse.isolation.Consumer.timeoutInMilliseconds'],
    ['servicecomb.circuitBreaker.scope', 'cse.circuitBreaker.scope'],
    ['servicecomb.fallback.Consumer.enabled', 'cse.fallback.Consumer.enabled'],
    ['servicecomb.fallbackpolicy.Consumer.policy', 'cse.fallbackpolicy.Consumer.policy'],
    ['servicecomb.flowcontrol.Provider.qps.enabled', 'cse.flowcontrol.Provider.qps.enabled'],
    [
      'servicecomb.governance.Consumer.a.policy.fault.protocols.rest.abort.percent',
      'cse.governance.Consumer.a.policy.fault.protocols.rest.abort.percent',
    ],
    ['cse.profile.enable', 'servicecomb.profile.enable'],
    ['cse.metrics.enable', 'servicecomb.metrics.enable'],
    ['cse.credentials.accessKey', 'servicecomb.credentials.accessKey'],
    ['servicecomb.protocols.rest.failure', 'servicecomb.transport.failure.rest'],
    ['cse.protocols.rest.failure', 'servicecomb.transport.failure.rest'],
    ['cse.loadbalance.backoff.MinMs', 'cse.loadbalance.backoff.minMs'],
    ['servicecomb.loadbalance.Server.backoff.MaxMs', 'cse.loadbalance.Server.backoff.maxMs'],
    ['writers', 'logWriters'],
    ['logger_level', 'logLevel'],
    ['log_rotate_date', 'logRotateAge'],
    ['routeRule.Server', 'servicecomb.routeRule.Server'],
    ['plugin.destinationResolver', 'plugin.destinationResolver.http'],
  ];

  for (const [old, now] of cases) {
    it(`read ${old} as ${now}`, () => {
      expect(rename(`${old}: x`).keys).to.deep.equal([now]);
    });
  }

  it('leave present spellings alone', () => {
    const yaml =
      'servicecomb.registry.address: x\ncse.loadbalance.strategy.name: y\nplugin.destinationResolver.http: host';
    const { keys, notices } = rename(yaml);
    expect(keys).to.deep.equal([
      'servicecomb.registry.address',
      'cse.loadbalance.strategy.name',
      'plugin.destinationResolver.http',
    ]);
    expect(notices).to.equal('');
  });

  it('are named once per group, at the old group', () => {
    expect(rename('cse:\n  service:\n    registry:\n      address: a\n      scope: full').notices).to.equal(
      "f.yaml:3:5  servicecomb.registry  'cse.service.registry' still works; its present name is 'servicecomb.registry'",
    );
  });

  it('lead to keys that are known', () => {
    const known = knownKeys(composeSections(CORE_SECTIONS));
    const groups = new Set(
      known.flatMap((key) => key.split('.').map((_, index, parts) => parts.slice(0, index + 1).join('.'))),
    );
    const renamer = new LegacyRenamer(LEGACY_KEYS);
    const dead = LEGACY_KEYS.map(({ now }) => renamer.presentPath(now.split('.')))
      .map((path) => path.join('.'))
      .filter((key) => !groups.has(key) && !groups.has(key.replace(/[^.]+$/, '{setting}')) && !key.includes('*'));
    expect(dead).to.deep.equal([]);
  });
});

describe('LegacyRenamer', () => {
  it('stops when a table runs in circles', () => {
    const renamer = new LegacyRenamer([
      { old: 'a', now: 'b' },
      { old: 'b', now: 'a' },
    ]);
    expect(renamer.presentPath(['a', 'x'])).to.deep.equal(['a', 'x']);
  });

  it('refuses a rule that carries over what it does not match', () => {
    expect(() => new LegacyRenamer([{ old: 'a', now: 'b.*' }])).to.throw(TypeError);
  });
});
