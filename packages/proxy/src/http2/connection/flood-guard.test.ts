import { expect } from 'chai';
import { fakePorts } from '@mesher/core/testing';
import { Deadlines } from '../../deadlines.js';
import { DEFAULT_HTTP2_LIMITS } from '../limits.js';
import { get, post, reset, setting, times, windowUpdate } from '../testing/server-case.js';
import { ServerRig } from '../testing/server-rig.js';
import { errorCodeOf, frame } from '../testing/wire.js';
import { FloodGuard } from './flood-guard.js';

const ENHANCE_YOUR_CALM = 11;

describe('what an HTTP/2 peer may do within resetWindow', () => {
  function newGuard(limits: Partial<typeof DEFAULT_HTTP2_LIMITS>): FloodGuard {
    const { clock, timers } = fakePorts();
    return new FloodGuard({ ...DEFAULT_HTTP2_LIMITS, ...limits }, new Deadlines(clock, timers));
  }

  it('begins anew after it', () => {
    const rig = new ServerRig({ limits: { maxControlFrames: 100, resetWindow: 1000, maxResets: 10 } });
    const client = rig.connect().greet();
    const ping = frame(6, 0, 0, Buffer.alloc(8));
    let id = 1;
    for (let i = 0; i < 20; i++) {
      client.send(...times(90, () => ping));
      for (let k = 0; k < 10; k++, id += 2) client.send(post(id), reset(id));
      expect(client.isOver, `after ${i} windows`).to.equal(false);
      rig.pass(1000);
    }
    client.send(...times(120, () => ping));
    expect(client.seen.goaways).to.deep.equal([ENHANCE_YOUR_CALM]);
  });

  it('includes a PING and two window updates for each DATA frame that we send, as gRPC clients use them', () => {
    const rig = new ServerRig({
      limits: { maxControlFrames: 100, maxWindowUpdates: 1000 },
      answer: (call) => call.reply(16_384),
    });
    const client = rig.connect().greet().send(setting(4, 1_000_000), windowUpdate(0, 1_000_000_000));
    for (let id = 1; id < 2001; id += 2) {
      client.send(get(id), frame(6, 0, 0, Buffer.alloc(8)), windowUpdate(0, 16_384), windowUpdate(0, 1));
    }
    expect(client.seen.goaways).to.deep.equal([]);
    expect(client.seen.isEnded(1999)).to.equal(true);
  });

  it('is not paid for by a long download before', () => {
    const guard = newGuard({ maxControlFrames: 100, maxWindowUpdates: 1000 });
    for (let i = 0; i < 1_000_000; i++) guard.dataSent();
    const count = (frames: number, act: () => void): number | undefined =>
      errorCodeOf(() => {
        for (let i = 0; i < frames; i++) act();
      });
    expect(count(100 + 101, () => guard.controlFrame())).to.equal(ENHANCE_YOUR_CALM);
    expect(count(1000 + 1003, () => guard.windowUpdate())).to.equal(ENHANCE_YOUR_CALM);
  });

  it('may be resets alone where most calls are answered', () => {
    const guard = newGuard({ maxResets: 10 });
    const run = (calls: number, resets: number): number | undefined =>
      errorCodeOf(() => {
        for (let i = 0; i < calls; i++) guard.call();
        for (let i = 0; i < resets; i++) guard.reset();
      });
    expect(run(100, 50)).to.equal(undefined);
    expect(run(0, 1)).to.equal(ENHANCE_YOUR_CALM);
  });
});
