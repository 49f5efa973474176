import { expect } from 'chai';
import { makeInstance, type Instance, type InstanceStatus } from '../instance.js';
import { KnownInstances } from './known-instances.js';

function instance(id: number, status: InstanceStatus = 'UP', port = 1_000 + id): Instance {
  const addresses = new Map([['rest', { host: '10.0.0.1', port, tls: false }]]);
  return makeInstance({ service: 'world', instanceId: `i${id}`, addresses, status });
}

function instances(count: number): readonly Instance[] {
  return Array.from({ length: count }, (_, id) => instance(id));
}

const GRACE = { healthCheck: false, emptyGraceMs: 60_000, healthCheckGraceMs: 600_000 };

function idsOf(list: readonly Instance[]): readonly string[] {
  return list.map(({ instanceId }) => instanceId);
}

function after(before: readonly Instance[], now: readonly Instance[], rules = GRACE): KnownInstances {
  const known = new KnownInstances(rules);
  known.take(before, true, 0);
  known.take(now, true, 1);
  return known;
}

describe('instances that are no longer listed', () => {
  it('go at once when most others stay', () => {
    expect(after(instances(10), instances(3)).held).to.deep.equal([]);
  });

  it('are counted as news once, and an answer that says what the last one said is none', () => {
    const known = new KnownInstances(GRACE);
    const listed = instances(10);
    known.take([], false, 0);
    expect(known.changes).to.equal(1);
    known.take(listed, true, 1);
    known.take([...listed].reverse(), true, 2);
    expect(known.changes).to.equal(2);
    known.take([], true, 3);
    known.take([], true, 4);
    expect([known.changes, known.held.length]).to.deep.equal([3, 10]);
  });

  it('are kept when nothing is left', () => {
    expect(idsOf(after(instances(2), []).instances)).to.deep.equal(['i0', 'i1']);
  });

  it('are kept when four fifths of more than five go at once, and not of fewer', () => {
    expect(after(instances(10), instances(2)).held).to.have.length(8);
    expect(after(instances(5), instances(1)).held).to.deep.equal([]);
  });

  it('are kept when those that took calls go at once, whoever else is listed', () => {
    expect(idsOf(after([instance(0), instance(1, 'DOWN')], [instance(1, 'DOWN')]).held)).to.deep.equal(['i0']);
  });

  it('go when an event said so, even where the answer after it was older', () => {
    const known = new KnownInstances(GRACE);
    known.take(instances(1), true, 0);
    known.said('i0', true);
    known.take(instances(1), true, 1);
    known.take([], true, 2);
    expect(known.instances).to.deep.equal([]);
  });

  it('are kept when an event said that they are gone, and another that they are back', () => {
    const known = new KnownInstances(GRACE);
    known.take(instances(1), true, 0);
    known.said('i0', true);
    known.said('i0', false);
    known.take([], true, 1);
    expect(known.held).to.have.length(1);
  });

  it('go when they took no calls anyway', () => {
    expect(after([instance(0, 'DOWN')], []).held).to.deep.equal([]);
  });

  it('go when another instance has their address', () => {
    const known = after(instances(1), []);
    known.take([instance(7, 'UP', 1_000)], true, 2);
    expect(idsOf(known.instances)).to.deep.equal(['i7']);
    expect(idsOf(after(instances(1), [instance(7, 'UP', 1_000)]).instances)).to.deep.equal(['i7']);
  });

  it('go when their time is over, or they refuse connections', () => {
    const known = after(instances(2), []);
    expect([known.refused('i0'), known.refused('i0')]).to.deep.equal([true, false]);
    expect([known.expire(60_000), known.expire(60_001), known.instances.length]).to.deep.equal([false, true, 0]);
  });

  it('are kept one by one with healthCheck, and longer', () => {
    const known = after(instances(10), instances(9), { ...GRACE, healthCheck: true });
    expect(known.held).to.have.length(1);
    expect([known.expire(600_000), known.expire(600_001)]).to.deep.equal([false, true]);
  });

  it('are never kept with a grace of nothing', () => {
    expect(after(instances(2), [], { ...GRACE, emptyGraceMs: 0 }).held).to.deep.equal([]);
  });

  it('make a service exist that the registry does not know any more', () => {
    const known = new KnownInstances(GRACE);
    expect(known.exists).to.equal(undefined);
    known.take(instances(1), true, 0);
    known.take([], false, 1);
    expect(known.exists).to.equal(true);
    known.refused('i0');
    expect(known.exists).to.equal(false);
  });
});
