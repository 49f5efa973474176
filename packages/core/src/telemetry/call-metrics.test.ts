import { expect } from 'chai';
import { CallMetrics, COUNTED_CODES, OTHER_SERVICE, STATUS_CLASSES, UNKNOWN_SERVICE } from './call-metrics.js';
import type { StatusClass } from './call-metrics.js';
import { durationBucket } from './duration-buckets.js';

function requests(metrics: CallMetrics, slot: number, statusClass: StatusClass): number {
  return metrics.requestsOf(slot, STATUS_CLASSES.indexOf(statusClass));
}

describe('CallMetrics', () => {
  it('gives a service the same slot again, and another one per direction', () => {
    const metrics = new CallMetrics();
    const slot = metrics.slotFor('outbound', 'world');
    expect(metrics.slotFor('outbound', 'world')).to.equal(slot);
    expect(metrics.slotFor('inbound', 'world')).not.to.equal(slot);
    expect(metrics.slotAt(slot)).to.deep.equal({ direction: 'outbound', service: 'world' });
  });

  it('counts calls by status class', () => {
    const metrics = new CallMetrics();
    const slot = metrics.slotFor('outbound', 'world');
    for (const status of [101, 200, 204, 301, 404, 429, 500, 511, 599]) metrics.record(slot, status, 1, false);
    expect(STATUS_CLASSES.map((name) => [name, requests(metrics, slot, name)])).to.deep.equal([
      ['none', 0],
      ['1xx', 1],
      ['2xx', 2],
      ['3xx', 1],
      ['4xx', 2],
      ['5xx', 3],
    ]);
  });

  it('counts aborted calls and calls without a valid status as none', () => {
    const metrics = new CallMetrics();
    const slot = metrics.slotFor('outbound', 'world');
    metrics.record(slot, 200, 1, true);
    for (const status of [0, 99, 600, Number.NaN]) metrics.record(slot, status, 1, false);
    expect(requests(metrics, slot, 'none')).to.equal(5);
    expect(requests(metrics, slot, '2xx')).to.equal(0);
  });

  it('puts durations into their bucket and adds them up in seconds', () => {
    const metrics = new CallMetrics();
    const slot = metrics.slotFor('inbound', 'world');
    const ok = STATUS_CLASSES.indexOf('2xx');
    metrics.record(slot, 200, 4, false);
    metrics.record(slot, 200, 1500, false);
    metrics.record(slot, 200, 90_000, false);
    for (const duration of [4, 1500, 90_000]) expect(metrics.bucketOf(slot, ok, durationBucket(duration))).to.equal(1);
    expect(metrics.secondsOf(slot, ok)).to.be.closeTo(91.504, 1e-9);
  });

  it('keeps the sum a number when a duration is none', () => {
    const metrics = new CallMetrics();
    const slot = metrics.slotFor('inbound', 'world');
    const ok = STATUS_CLASSES.indexOf('2xx');
    metrics.record(slot, 200, Number.NaN, false);
    metrics.record(slot, 200, -5, false);
    metrics.record(slot, 200, 1000, false);
    expect(metrics.secondsOf(slot, ok)).to.equal(1);
    expect(metrics.requestsOf(slot, ok)).to.equal(3);
  });

  it('knows how many calls are in flight', () => {
    const metrics = new CallMetrics();
    const slot = metrics.slotFor('outbound', 'world');
    metrics.started(slot);
    metrics.started(slot);
    expect(metrics.inFlightOf(slot)).to.equal(2);
    metrics.record(slot, 200, 1, false);
    expect(metrics.inFlightOf(slot)).to.equal(1);
    metrics.record(slot, 0, 1, true);
    expect(metrics.inFlightOf(slot)).to.equal(0);
  });

  it('counts rejections and retries apart, each by error code', () => {
    const metrics = new CallMetrics();
    const slot = metrics.slotFor('outbound', 'world');
    const other = metrics.slotFor('outbound', 'other');
    const connect = COUNTED_CODES.indexOf('MESH_ERR_CONNECT');
    const last = COUNTED_CODES.length - 1;
    metrics.countRetry(slot, 'MESH_ERR_CONNECT');
    metrics.countRejection(slot, 'MESH_ERR_CONNECT');
    metrics.countRejection(slot, 'MESH_ERR_CONNECT');
    metrics.countRejection(slot, COUNTED_CODES[last]!);
    expect(metrics.retriesOf(slot, connect)).to.equal(1);
    expect(metrics.rejectionsOf(slot, connect)).to.equal(2);
    expect(metrics.rejectionsOf(slot, last)).to.equal(1);
    expect(COUNTED_CODES.map((_, code) => metrics.rejectionsOf(other, code))).to.deep.equal(COUNTED_CODES.map(() => 0));
  });

  it('adds up the bytes of bodies', () => {
    const metrics = new CallMetrics();
    const slot = metrics.slotFor('outbound', 'world');
    metrics.countBytes(slot, 10, 2 ** 40);
    metrics.countBytes(slot, 5, 1);
    expect(metrics.requestBytesOf(slot)).to.equal(15);
    expect(metrics.responseBytesOf(slot)).to.equal(2 ** 40 + 1);
  });

  it('sends services beyond the cap to _other and counts how often', () => {
    const metrics = new CallMetrics({ maxServices: 2 });
    const first = metrics.slotFor('outbound', 'a');
    metrics.slotFor('outbound', 'b');
    const dropped = metrics.slotFor('outbound', 'c');
    expect(metrics.slotAt(dropped).service).to.equal(OTHER_SERVICE);
    expect(metrics.slotFor('outbound', 'd')).to.equal(dropped);
    expect(metrics.seriesDropped).to.equal(2);
    expect(metrics.slotFor('outbound', 'a')).to.equal(first);
    expect(metrics.slotAt(metrics.slotFor('inbound', 'a')).service).to.equal('a');
    expect(metrics.seriesDropped).to.equal(2);
  });

  it('does not count the series of unknown and other services against the cap', () => {
    const metrics = new CallMetrics({ maxServices: 1 });
    metrics.slotFor('outbound', UNKNOWN_SERVICE);
    metrics.slotFor('outbound', OTHER_SERVICE);
    expect(metrics.slotAt(metrics.slotFor('outbound', 'a')).service).to.equal('a');
    expect(metrics.slotAt(metrics.slotFor('outbound', 'b')).service).to.equal(OTHER_SERVICE);
  });

  it('keeps all numbers when the arrays grow', () => {
    const metrics = new CallMetrics();
    const slots = Array.from({ length: 100 }, (_, index) => {
      const slot = metrics.slotFor('outbound', `service-${index}`);
      metrics.started(slot);
      metrics.started(slot);
      metrics.record(slot, 200, index, false);
      metrics.countRetry(slot, 'MESH_ERR_CONNECT');
      metrics.countRejection(slot, 'MESH_ERR_PLUGIN');
      metrics.countBytes(slot, index, 2 * index);
      return slot;
    });
    for (const [index, slot] of slots.entries()) {
      expect(requests(metrics, slot, '2xx')).to.equal(1);
      expect(metrics.secondsOf(slot, STATUS_CLASSES.indexOf('2xx'))).to.equal(index / 1000);
      expect(metrics.inFlightOf(slot)).to.equal(1);
      expect(metrics.retriesOf(slot, COUNTED_CODES.indexOf('MESH_ERR_CONNECT'))).to.equal(1);
      expect(metrics.rejectionsOf(slot, COUNTED_CODES.indexOf('MESH_ERR_PLUGIN'))).to.equal(1);
      expect(metrics.requestBytesOf(slot)).to.equal(index);
      expect(metrics.responseBytesOf(slot)).to.equal(2 * index);
    }
  });

  it('ignores a call whose slot is not known yet', () => {
    const metrics = new CallMetrics();
    const slot = metrics.slotFor('outbound', 'world');
    metrics.started(-1);
    metrics.record(-1, 200, 1, false);
    metrics.countRejection(-1, 'MESH_ERR_NO_ROUTE');
    metrics.countRetry(-1, 'MESH_ERR_NO_ROUTE');
    metrics.countBytes(-1, 1, 1);
    expect(requests(metrics, slot, '2xx')).to.equal(0);
    expect(metrics.inFlightOf(slot)).to.equal(0);
  });

  it('refuses to name a slot that does not exist', () => {
    expect(() => new CallMetrics().slotAt(0)).to.throw(RangeError);
  });
});
