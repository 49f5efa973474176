import { expect } from 'chai';
import { CHASSIS_SECTIONS } from '../../composition/chassis-sections.js';
import { composeSections } from '../compose-sections.js';
import { knownKeys } from '../schema/reference.js';
import { CORE_SECTIONS } from '../sections/index.js';
import { RESTART_KEYS, restartKeyOf } from './restart-keys.js';

/** Keys of packages above core, which this test cannot load. */
const ELSEWHERE: readonly string[] = [
  'mesher.proxy.maxHeaderFields',
  'mesher.proxy.forwarding',
  'mesher.statsd',
  'transparent',
];

describe('the table of keys that need a restart', () => {
  it('names keys that exist, each once and none below another', () => {
    const keys = knownKeys(composeSections({ ...CORE_SECTIONS, ...CHASSIS_SECTIONS }));
    for (const { prefix } of RESTART_KEYS) {
      const exists = ELSEWHERE.includes(prefix) || keys.some((key) => restartKeyOf(key)?.prefix === prefix);
      expect(exists, prefix).to.equal(true);
      expect(
        RESTART_KEYS.filter((other) => restartKeyOf(prefix, [other]) !== undefined),
        prefix,
      ).to.have.lengthOf(1);
    }
  });

  it('means whole keys, not beginnings of names', () => {
    expect(restartKeyOf('plugins[0]')?.prefix).to.equal('plugins');
    expect(restartKeyOf('plugin.settings.kie.token')?.prefix).to.equal('plugin');
    expect(restartKeyOf('region.availableZone')?.prefix).to.equal('region');
    expect(restartKeyOf('administrator')).to.equal(undefined);
    expect(restartKeyOf('servicecomb.routeRule.orders')).to.equal(undefined);
    expect(restartKeyOf('cse.isolation.Consumer.maxConcurrentRequests')).to.equal(undefined);
  });
});
