import { expect } from 'chai';
import fc from 'fast-check';
import { Rejection } from '../../errors.js';
import { FakeCall } from '../../testing/fake-call.js';
import { fakePorts, settle } from '../../testing/fake-ports.js';
import { outcome } from '../../testing/handler-rig.js';
import { Bulkhead, type BulkheadSettings, type WaitingEnd } from './bulkhead.js';

const SETTINGS: BulkheadSettings = {
  maxConcurrent: 2,
  maxQueue: 3,
  queueTimeoutMs: 100,
  adaptive: undefined,
  key: 'the key',
};

function rig(settings: Partial<BulkheadSettings> = {}) {
  const ports = fakePorts();
  const refusals: string[] = [];
  const of = (changed: Partial<BulkheadSettings>): BulkheadSettings => ({ ...SETTINGS, ...settings, ...changed });
  const bulkhead = new Bulkhead('world', of({}), ports, { refused: (_bulkhead, reason) => refusals.push(reason) });
  const ends = new Map<FakeCall, string>();
  /** A call that begins now; what became of it stands in `ends`. */
  function enter(): FakeCall {
    const call = new FakeCall({ startedAt: ports.time.now() });
    const decision = bulkhead.enter(call);
    if (decision instanceof Promise) {
      ends.set(call, 'waits');
      void decision.then((end: WaitingEnd) => ends.set(call, end instanceof Rejection ? end.message : end));
    } else ends.set(call, decision instanceof Rejection ? 'refused' : 'entered');
    return call;
  }
  /** The caller leaves, as handlers say it. */
  const abandon = (call: FakeCall): void => {
    call.ended = true;
    call.wake?.();
  };
  const leave = (): void => bulkhead.leave(undefined, ports.time.now());
  const seen = (...calls: FakeCall[]): (string | undefined)[] => calls.map((call) => ends.get(call));
  const adopt = (changed: Partial<BulkheadSettings>): void => bulkhead.adopt(of(changed));
  return { bulkhead, time: ports.time, refusals, enter, abandon, leave, seen, adopt };
}

describe('a bulkhead', () => {
  it('lets calls wait in their order, and refuses those beyond the queue', async () => {
    const { enter, leave, seen, bulkhead } = rig();
    const calls = Array.from({ length: 6 }, enter);
    expect(seen(...calls)).to.deep.equal(['entered', 'entered', 'waits', 'waits', 'waits', 'refused']);
    leave();
    await settle();
    expect(seen(...calls)).to.deep.equal(['entered', 'entered', 'entered', 'waits', 'waits', 'refused']);
    expect(bulkhead).to.include({ inUse: 2, queued: 2 });
  });

  it('does not let a new call pass those that wait', async () => {
    const { enter, leave, seen, adopt } = rig({ maxConcurrent: 1 });
    const [, second] = [enter(), enter()];
    adopt({ maxConcurrent: 1 });
    const third = enter();
    leave();
    await settle();
    expect(seen(second, third)).to.deep.equal(['entered', 'waits']);
  });

  it('refuses a call that has waited for too long, and no other', async () => {
    const { enter, seen, time, refusals, bulkhead } = rig();
    enter();
    enter();
    const early = enter();
    time.advance(60);
    const late = enter();
    time.advance(40);
    await settle();
    expect(seen(early)[0]).to.equal('The call waited 100 ms for one of the 2 places of world (the key)');
    expect(seen(late)).to.deep.equal(['waits']);
    time.advance(60);
    await settle();
    expect(seen(late)[0]).to.contain('waited');
    expect(refusals).to.deep.equal(['timeout', 'timeout']);
    expect(bulkhead.queued).to.equal(0);
    expect(time.pendingTimers).to.equal(0);
  });

  it('has no more than one timer, and none while nobody waits', async () => {
    const { enter, leave, time } = rig();
    for (let i = 0; i < 5; i++) enter();
    expect(time.pendingTimers).to.equal(1);
    for (let i = 0; i < 3; i++) leave();
    await settle();
    expect(time.pendingTimers).to.equal(0);
  });

  it('gives the turn of a caller that left to the next one', async () => {
    const { enter, abandon, leave, seen, bulkhead } = rig();
    const [, , third, fourth] = Array.from({ length: 4 }, enter) as [FakeCall, FakeCall, FakeCall, FakeCall];
    abandon(third);
    expect(bulkhead.queued).to.equal(1);
    leave();
    await settle();
    expect(seen(third, fourth)).to.deep.equal(['left', 'entered']);
    expect(bulkhead.inUse).to.equal(2);
  });

  it('gives the place in a full queue of each caller that left to the next one', async () => {
    const { enter, abandon, seen, time } = rig();
    const waiting = Array.from({ length: 5 }, enter).slice(2);
    const next: FakeCall[] = [];
    for (const call of waiting) {
      abandon(call);
      next.push(enter());
    }
    await settle();
    expect(seen(...waiting, ...next)).to.deep.equal(['left', 'left', 'left', 'waits', 'waits', 'waits']);
    for (const call of next) abandon(call);
    expect(time.pendingTimers).to.equal(0);
  });

  it('keeps the place of a caller that leaves in the very turn in which it gets one: it is given back by its end', async () => {
    const { enter, abandon, leave, seen, bulkhead } = rig();
    const third = Array.from({ length: 3 }, enter)[2] as FakeCall;
    leave();
    abandon(third);
    await settle();
    expect(seen(third)).to.deep.equal(['entered']);
    expect(bulkhead.inUse).to.equal(2);
  });

  it('takes over another limit at once, for those that wait, too', async () => {
    const { enter, seen, adopt, bulkhead } = rig();
    const calls = Array.from({ length: 5 }, enter);
    adopt({ maxConcurrent: 4 });
    await settle();
    expect(seen(...calls)).to.deep.equal(['entered', 'entered', 'entered', 'entered', 'waits']);
    adopt({ maxConcurrent: 1, maxQueue: 0 });
    expect(seen(enter())).to.deep.equal(['refused']);
    expect(bulkhead.refusal?.code).to.equal('MESH_ERR_BULKHEAD_FULL');
    adopt({ maxConcurrent: Infinity });
    await settle();
    expect(bulkhead.inUse).to.equal(5);
    expect(bulkhead.refusal).to.equal(undefined);
  });

  const adaptive = {
    enabled: true,
    minLimit: 1,
    maxLimit: 50,
    initialLimit: 3,
    tolerance: 1.5,
    sampleWindowInMilliseconds: 100,
    baselineWindowInMilliseconds: 60_000,
  };

  it('does not take calls with too little time for quick ones: its limit grows in spite of them', () => {
    const { bulkhead, enter, time } = rig({ maxConcurrent: 10, maxQueue: 0, adaptive });
    for (let i = 0; i < 200; i++) {
      const calls = Array.from({ length: bulkhead.limit }, enter);
      time.advance(20);
      for (const call of calls) bulkhead.left(call, outcome({ durationMs: 20 }));
      const hurried = enter();
      time.advance(1);
      bulkhead.left(hurried, outcome({ status: 504, code: 'MESH_ERR_TIMEOUT', durationMs: 1 }));
    }
    expect(bulkhead.limit).to.equal(10);
  });

  it('takes timeouts for slow calls', () => {
    const { bulkhead, enter, time } = rig({ maxConcurrent: 10, maxQueue: 0, adaptive });
    const round = (durationMs: number, facts: Parameters<typeof outcome>[0]): void => {
      const calls = Array.from({ length: bulkhead.limit }, enter);
      time.advance(durationMs);
      for (const call of calls) bulkhead.left(call, outcome({ durationMs, ...facts }));
    };
    for (let i = 0; i < 200; i++) round(20, {});
    for (let i = 0; i < 20; i++) round(500, { status: 504, code: 'MESH_ERR_TIMEOUT' });
    expect(bulkhead.limit).to.be.lessThan(8);
  });

  it('finds its limit by itself when it is adaptive, and fixes it again', () => {
    const { bulkhead, adopt, enter, time } = rig({ maxConcurrent: 10, maxQueue: 0, adaptive });
    expect(bulkhead.limit).to.equal(3);
    for (let i = 0; i < 200; i++) {
      const calls = Array.from({ length: bulkhead.limit }, enter);
      time.advance(20);
      for (const call of calls) bulkhead.left(call, outcome({ durationMs: 20 }));
    }
    expect(bulkhead.limit).to.equal(10);
    adopt({ adaptive: undefined });
    expect(bulkhead.limit).to.equal(10);
    expect(bulkhead.isAdaptive).to.equal(false);
  });

  it('never lets more calls in than its limit, loses no place and forgets nobody, whatever happens in which order', async () => {
    const step = fc.constantFrom('enter', 'enter', 'leave', 'abandon', 'pause', 'more', 'less');
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 120 }), async (steps) => {
        const { bulkhead, enter, abandon, leave, seen, adopt, time } = rig();
        const calls: FakeCall[] = [];
        let inside = 0;
        let limit = 2;
        const count = async (): Promise<void> => {
          await settle();
          inside = calls.filter((call) => seen(call)[0] === 'entered').length - left;
        };
        let left = 0;
        for (const one of steps) {
          const before = bulkhead.inUse;
          if (one === 'enter') calls.push(enter());
          else if (one === 'leave' && inside > 0) {
            left++;
            leave();
          } else if (one === 'abandon') {
            const waiting = calls.find((call) => seen(call)[0] === 'waits' && !call.ended);
            if (waiting !== undefined) abandon(waiting);
          } else if (one === 'pause') time.advance(40);
          else if (one === 'more') adopt({ maxConcurrent: ++limit });
          else if (one === 'less' && limit > 1) adopt({ maxConcurrent: --limit });
          await count();
          expect(bulkhead.inUse).to.equal(inside);
          if (bulkhead.inUse > before) expect(bulkhead.inUse).to.be.at.most(limit);
        }
        time.advance(100);
        await count();
        while (inside > 0) {
          left++;
          leave();
          await count();
        }
        expect(calls.filter((call) => seen(call)[0] === 'waits')).to.deep.equal([]);
        expect(time.pendingTimers).to.equal(0);
      }),
      { numRuns: 60 },
    );
  });
});
