import { expect } from 'chai';
import { fakePorts, settle } from '@mesher/core/testing';
import { AddressPool } from './address-pool.js';

const [A, B, C] = ['http://a:30100', 'http://b:30100', 'http://c:30100'] as const;

interface Rig {
  readonly pool: AddressPool;
  readonly well: Set<string>;
  readonly probed: string[];
  readonly time: ReturnType<typeof fakePorts>['time'];
}

function rig(bases: readonly string[] = [A, B, C]): Rig {
  const ports = fakePorts();
  const well = new Set<string>();
  const probed: string[] = [];
  const pool = new AddressPool(bases, ports, 1_000, (base) => {
    probed.push(base);
    return Promise.resolve(well.has(base));
  });
  return { pool, well, probed, time: ports.time };
}

describe('the addresses of service-center', () => {
  it('are taken in turn', () => {
    const { pool } = rig();
    const firsts = Array.from({ length: 6 }, () => pool.order()[0]);
    expect(new Set(firsts.slice(0, 3))).to.deep.equal(new Set([A, B, C]));
    expect(firsts.slice(3)).to.deep.equal(firsts.slice(0, 3));
  });

  it('rest after a failure until a probe finds them well', async () => {
    const { pool, well, probed, time } = rig();
    pool.failed(A);
    expect(Array.from({ length: 3 }, () => pool.order()[0])).to.not.include(A);
    expect(pool.order()[2]).to.equal(A);
    await time.advanceAsync(1_200);
    expect([probed, pool.resting]).to.deep.equal([[A], [A]]);
    well.add(A);
    await time.advanceAsync(1_200);
    expect(pool.resting).to.deep.equal([]);
    expect(time.pendingTimers).to.equal(0);
  });

  it('are tried all the same when all of them rest', () => {
    const { pool } = rig();
    for (const base of [A, B, C]) pool.failed(base);
    expect(new Set(pool.order())).to.deep.equal(new Set([A, B, C]));
  });

  it('come back at once when one answers in spite of its rest', () => {
    const { pool, time } = rig([A]);
    pool.failed(A);
    pool.succeeded(A);
    expect([pool.resting, time.pendingTimers]).to.deep.equal([[], 0]);
  });

  it('are preferred in the own zone, then as service-center says, then as configured', () => {
    const { pool } = rig([A]);
    pool.discovered(new Map([[B, 'other-zone'] as const, [C, 'own-zone'] as const]));
    expect([pool.order(), pool.order()]).to.deep.equal([
      [C, B, A],
      [C, B, A],
    ]);
    pool.failed(C);
    expect(pool.order()).to.deep.equal([B, A, C]);
  });

  it('that service-center no longer names are forgotten, and configured ones are not', () => {
    const { pool, time } = rig([A]);
    pool.discovered(new Map([[B, 'other-zone'] as const]));
    pool.failed(B);
    pool.discovered(new Map([[C, 'other-zone'] as const]));
    expect([pool.order(), time.pendingTimers]).to.deep.equal([[C, A], 0]);
  });

  it('leave no timer behind', async () => {
    const { pool, time, probed } = rig();
    pool.failed(A);
    pool.close();
    pool.failed(B);
    await time.advanceAsync(10_000);
    await settle();
    expect([time.pendingTimers, probed]).to.deep.equal([0, []]);
  });
});
