import { CallMetrics, METRICS, metricFamilies, type MetricFamily, type Sample } from '@mesher/core';
import { fakePorts } from '@mesher/core/testing';
import { expect } from 'chai';
import { DeltaReader } from './delta-reader.js';
import { StatNames } from './stat-names.js';

describe('what was counted since the last look', () => {
  function rig(): { calls: CallMetrics; look: () => string[] } {
    const calls = new CallMetrics();
    const families = metricFamilies({
      clock: fakePorts().clock,
      identity: { service: 'shop', app: 'default', version: '1' },
      build: { version: '1' },
      calls,
      process: false,
      compatibility: false,
    });
    const reader = new DeltaReader(new StatNames('', 'none'));
    const read = (family: MetricFamily): string[] =>
      [...(family.slices() as Iterable<readonly Sample[]>)].flatMap((samples) =>
        reader.read(family.definition, samples),
      );
    const look = (): string[] => families.filter(({ definition }) => definition.group === 'calls').flatMap(read);
    return { calls, look };
  }

  it('is each call once', () => {
    const { calls, look } = rig();
    const slot = calls.slotFor('outbound', 'orders');
    const call = { direction: 'outbound', path: '/' } as const;
    for (const [status, ms] of [
      [200, 4],
      [200, 4],
      [503, 30],
    ] as const) {
      calls.started(slot);
      calls.record(slot, status, ms, false);
      calls.responses.count(status, call);
    }
    calls.countRetry(slot, 'MESH_ERR_TRY_TIMEOUT');
    const first = look();
    expect(first).to.include.members([
      'requests.outbound.orders.2xx:2|c',
      'requests.outbound.orders.5xx:1|c',
      'request_duration.outbound.orders.2xx:4|ms|@0.5',
      'request_duration.outbound.orders.5xx:30|ms',
      'requests_in_flight.outbound.orders:0|g',
      'retries.outbound.orders.MESH_ERR_TRY_TIMEOUT:1|c',
      'outbound.200:2|c',
      'outbound.503:1|c',
    ]);
    expect(look().filter((line) => !line.includes('|g'))).to.deep.equal([]);
    calls.started(slot);
    calls.record(slot, 200, 9, false);
    calls.responses.count(200, call);
    expect(look().filter((line) => !line.includes('|g'))).to.deep.equal([
      'requests.outbound.orders.2xx:1|c',
      'request_duration.outbound.orders.2xx:9|ms',
      'outbound.200:1|c',
    ]);
  });

  it('takes a counter that went back for one that began anew', () => {
    const reader = new DeltaReader(new StatNames('', 'none'));
    const at = (value: number): string[] => reader.read(METRICS.seriesDropped, [{ labels: {}, value }]);
    expect([at(5), at(7), at(2)].flat()).to.deep.equal([
      'series_dropped:5|c',
      'series_dropped:2|c',
      'series_dropped:2|c',
    ]);
  });
});
