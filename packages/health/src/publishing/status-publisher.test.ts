import { expect } from 'chai';
import type { InstanceStatus, Lease } from '@mesher/core';
import { RecordingLogger, fakePorts, settle, type FakeTime } from '@mesher/core/testing';
import { StatusPublisher } from './status-publisher.js';

/** A lease whose registry fails or stays silent as a test says. */
class FakeLease implements Lease {
  readonly sent: InstanceStatus[] = [];
  mood: 'good' | 'failing' | 'silent' = 'good';

  setStatus(status: InstanceStatus): Promise<void> {
    this.sent.push(status);
    if (this.mood === 'silent') return new Promise(() => {});
    return this.mood === 'good' ? Promise.resolve() : Promise.reject(new Error('500'));
  }

  release(): Promise<void> {
    return Promise.resolve();
  }
}

interface Rig {
  readonly publisher: StatusPublisher;
  readonly lease: FakeLease;
  readonly time: FakeTime;
}

function rig(): Rig {
  const { time, ...ports } = fakePorts();
  const options = { timeoutMs: 10_000, firstWaitMs: 500, mostWaitMs: 30_000 };
  return { publisher: new StatusPublisher(ports, new RecordingLogger(), () => options), lease: new FakeLease(), time };
}

describe('the publisher of the status', () => {
  it('says nothing that the registration has said', async () => {
    const { publisher, lease } = rig();
    publisher.follow(lease, 'UP');
    publisher.want('UP');
    await settle();
    expect(lease.sent).to.deep.equal([]);
  });

  it('says after a late registration what has changed meanwhile', async () => {
    const { publisher, lease } = rig();
    publisher.want('DOWN');
    publisher.follow(lease, 'STARTING');
    await settle();
    expect([lease.sent, publisher.published]).to.deep.equal([['DOWN'], 'DOWN']);
  });

  it('repeats what the registry did not take, ever more slowly, until it does', async () => {
    const { publisher, lease, time } = rig();
    publisher.follow(lease, 'UP');
    lease.mood = 'failing';
    publisher.want('DOWN');
    await time.advanceAsync(120_000, 50);
    const tried = lease.sent.length;
    expect(tried).to.be.within(6, 40);
    expect(publisher.failures).to.equal(tried);
    lease.mood = 'good';
    await time.advanceAsync(30_000, 50);
    expect([lease.sent.length, publisher.published]).to.deep.equal([tried + 1, 'DOWN']);
  });

  it('goes on when the registry does not answer at all, and sends the latest status only', async () => {
    const { publisher, lease, time } = rig();
    publisher.follow(lease, 'UP');
    lease.mood = 'silent';
    publisher.want('DOWN');
    publisher.want('UP');
    publisher.want('DOWN');
    publisher.want('UP');
    lease.mood = 'good';
    await time.advanceAsync(11_000, 50);
    // UP once more: the DOWN that got no answer may have arrived.
    expect([lease.sent, publisher.published]).to.deep.equal([['DOWN', 'UP'], 'UP']);
  });

  it('does not keep news waiting for the repetition of the status before', async () => {
    const { publisher, lease, time } = rig();
    publisher.follow(lease, 'UP');
    lease.mood = 'failing';
    publisher.want('DOWN');
    await time.advanceAsync(120_000, 50);
    lease.mood = 'good';
    publisher.want('UP');
    await settle();
    expect(lease.sent.at(-1)).to.equal('UP');
  });

  it('tells a registration that took the place of another one, whatever the other still answers', async () => {
    const { publisher, lease } = rig();
    publisher.follow(lease, 'UP');
    let answered!: () => void;
    lease.setStatus = (status) => {
      lease.sent.push(status);
      return new Promise((resolve) => (answered = resolve));
    };
    publisher.want('DOWN');
    const next = new FakeLease();
    publisher.follow(next, 'UP');
    answered();
    await settle();
    expect([lease.sent, next.sent, publisher.published]).to.deep.equal([['DOWN'], ['DOWN'], 'DOWN']);
  });

  it('is silent once the instance leaves', async () => {
    const { publisher, lease, time } = rig();
    publisher.follow(lease, 'UP');
    lease.mood = 'failing';
    publisher.want('DOWN');
    await settle();
    publisher.stop();
    publisher.want('UP');
    await time.advanceAsync(60_000, 1_000);
    expect([lease.sent, time.pendingTimers]).to.deep.equal([['DOWN'], 0]);
  });
});
