import { expect } from 'chai';
import { LeaseWatch } from './lease-watch.js';

describe('A lease as a reader sees it', () => {
  const LEASE = 15_000;
  const WALL_AT_ZERO = 1_700_000_000_000;
  const at = (monotonic: number) => ({ monotonic, wall: WALL_AT_ZERO + monotonic });
  const mtime = (monotonic: number) => WALL_AT_ZERO + monotonic;

  it('ends one lease after the last sign of life', () => {
    const lease = new LeaseWatch(mtime(0), LEASE, at(2_000));
    expect(lease.checkAt).to.equal(15_000);
    lease.observe(mtime(0), at(14_999));
    expect(lease.alive).to.equal(true);
    lease.observe(mtime(0), at(15_000));
    expect(lease.alive).to.equal(false);
  });

  it('goes on with each sign of life, counted from the moment that the owner gave it', () => {
    const lease = new LeaseWatch(mtime(0), LEASE, at(0));
    lease.observe(mtime(12_000), at(15_000));
    expect(lease.alive).to.equal(true);
    expect(lease.endsAt).to.equal(27_000);
  });

  it('is over at the first look at an old file', () => {
    expect(new LeaseWatch(mtime(0), LEASE, at(15_000)).alive).to.equal(false);
  });

  it('comes back with the next sign of life, and is looked for as often as an owner beats', () => {
    const lease = new LeaseWatch(mtime(0), LEASE, at(60_000));
    expect(lease.checkAt).to.equal(65_000);
    lease.observe(mtime(64_000), at(65_000));
    expect(lease.alive).to.equal(true);
  });

  it('of an owner whose clock is an hour behind begins with its first visible beat and then lasts', () => {
    const behind = -3_600_000;
    const lease = new LeaseWatch(mtime(behind), LEASE, at(0));
    expect(lease.alive).to.equal(false);
    for (let beat = 5_000; beat <= 60_000; beat += 5_000) {
      lease.observe(mtime(behind + beat), at(beat));
      expect(lease.alive, `at ${beat}`).to.equal(true);
    }
    lease.observe(mtime(behind + 60_000), at(75_000));
    expect(lease.alive).to.equal(false);
  });

  it('of an owner whose clock is an hour ahead ends one lease after its last visible beat all the same', () => {
    const ahead = 3_600_000;
    const lease = new LeaseWatch(mtime(ahead), LEASE, at(0));
    expect(lease.alive).to.equal(true);
    lease.observe(mtime(ahead + 5_000), at(10_000));
    lease.observe(mtime(ahead + 5_000), at(25_000));
    expect(lease.alive).to.equal(false);
  });

  it('is not ended by a jump of the wall clock', () => {
    const lease = new LeaseWatch(mtime(0), LEASE, at(0));
    lease.observe(mtime(5_000), { monotonic: 6_000, wall: WALL_AT_ZERO + 86_400_000 });
    expect(lease.alive).to.equal(true);
    lease.observe(mtime(-86_400_000), { monotonic: 12_000, wall: WALL_AT_ZERO - 86_400_000 });
    expect(lease.alive).to.equal(true);
  });

  it('is granted anew when the reader was held up, but only to who was alive', () => {
    const alive = new LeaseWatch(mtime(0), LEASE, at(0));
    alive.forgive(at(100_000));
    alive.observe(mtime(0), at(100_000));
    expect(alive.alive).to.equal(true);
    expect(alive.endsAt).to.equal(115_000);
    const dead = new LeaseWatch(mtime(0), LEASE, at(50_000));
    dead.forgive(at(100_000));
    expect(dead.alive).to.equal(false);
  });
});
