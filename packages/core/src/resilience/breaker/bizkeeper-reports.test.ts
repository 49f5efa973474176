import { expect } from 'chai';
import { BREAKER, FAILED, bizkeeperRig, times } from '../../testing/bizkeeper-rig.js';

describe('the numbers of bizkeeper', () => {
  it('keeps its series and its breakers bounded, whatever paths callers ask for', async () => {
    const yaml = `${BREAKER.replace('scope: service', 'scope: api').replace('Threshold: 4', 'Threshold: 1')}      maxApis: 2000\n`;
    const { make, metrics } = await bizkeeperRig(yaml);
    for (let i = 0; i < 10_000; i++)
      make({ path: `/p${i.toString(26).replace(/\d/g, 'z')}-x`, method: `M${i % 5}` }, FAILED);
    const series: Record<string, number> = {};
    for (const family of metrics.families()) {
      for await (const samples of family.slices()) series[family.definition.name] = samples.length;
    }
    expect(series['mesher_breaker_state']).to.equal(500);
    expect(series['mesher_breaker_transitions_total']).to.be.within(500, 1001);
    expect(series['mesher_breaker_rejections_total']).to.be.within(1, 1001);
  });

  it('shows its numbers', async () => {
    const yaml = `${BREAKER}  isolation:\n    Consumer:\n      maxConcurrentRequests: 5\n`;
    const { make, call, begin, metrics } = await bizkeeperRig(yaml);
    times(4, () => make({}, FAILED));
    make();
    begin(call({ service: 'other' }));
    const values: Record<string, number> = {};
    for (const family of metrics.families()) {
      for await (const samples of family.slices()) {
        for (const { labels, value } of samples) {
          values[`${family.definition.name} ${Object.values(labels).join(' ')}`] = value;
        }
      }
    }
    expect(values).to.include({
      'mesher_breaker_state outbound world ': 2,
      'mesher_breaker_transitions_total outbound world  open': 1,
      'mesher_breaker_rejections_total outbound world ': 1,
      'mesher_bulkhead_in_use outbound other': 1,
      'mesher_concurrency_limit outbound other': 5,
    });
  });
});
