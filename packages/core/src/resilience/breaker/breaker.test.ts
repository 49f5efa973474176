import { expect } from 'chai';
import fc from 'fast-check';
import { Rejection } from '../../errors.js';
import { fakePorts } from '../../testing/fake-ports.js';
import type { Judgement } from './breaker-outcomes.js';
import type { Probe } from './breaker-probes.js';
import type { BreakerSettings } from './breaker-settings.js';
import { Breaker } from './breaker.js';

const SETTINGS: BreakerSettings = {
  window: { kind: 'time', lengthMs: 1000, buckets: 10 },
  minCalls: 4,
  failurePercentage: 50,
  slowMs: Infinity,
  slowPercentage: 100,
  sleepMs: 5000,
  jitter: 0,
  probes: 3,
  successes: 2,
  probeTimeoutMs: 2000,
  forceClosed: false,
};

interface Under {
  readonly startedAt: number;
  readonly probe: Probe | undefined;
}

function rig(settings: Partial<BreakerSettings> = {}, seed = 1) {
  const ports = fakePorts(seed);
  ports.time.advance(100_000);
  const states: string[] = [];
  const breaker = new Breaker({ service: 'world', part: 'GET /' }, { ...SETTINGS, ...settings }, ports, {
    changed: (_breaker, to) => states.push(to),
  });
  /** A call that begins now; undefined when it is refused. */
  function begin(): Under | undefined {
    const verdict = breaker.admit(ports.clock);
    if (verdict instanceof Rejection) return undefined;
    return { startedAt: ports.clock.now(), probe: verdict };
  }
  function end(
    call: Under | undefined,
    judgement: Judgement,
    durationMs = ports.clock.now() - (call?.startedAt ?? 0),
  ): void {
    if (call === undefined) return;
    if (call.probe === undefined) breaker.record(judgement, call.startedAt, durationMs);
    else breaker.endProbe(call.probe, judgement, durationMs);
  }
  const make = (...judgements: Judgement[]): void => judgements.forEach((judgement) => end(begin(), judgement));
  const trip = (): void => make('failure', 'failure', 'failure', 'failure');
  /** Open, with the sleep window over. */
  const due = (): void => {
    trip();
    ports.time.advance(5000);
  };
  return { breaker, ports, time: ports.time, states, begin, end, make, trip, due };
}

describe('a circuit breaker', () => {
  describe('while it is closed', () => {
    const cases: readonly (readonly [string, readonly Judgement[], Partial<BreakerSettings>, 'closed' | 'open'])[] = [
      ['stays closed below the volume', ['failure', 'failure', 'failure'], {}, 'closed'],
      ['opens at the volume', ['failure', 'failure', 'failure', 'failure'], {}, 'open'],
      ['opens at the share', ['success', 'success', 'failure', 'failure'], {}, 'open'],
      ['stays closed below the share', ['success', 'success', 'success', 'failure', 'failure'], {}, 'closed'],
      ['rounds the share, as go-chassis does', ['success', 'failure', 'success', 'failure', 'failure', 'success', 'success'], { failurePercentage: 43 }, 'open'], // prettier-ignore
      ['does not count what says nothing', ['failure', 'failure', 'failure', 'neither', 'neither'], {}, 'closed'],
      ['opens at the first failure if told so', ['failure'], { minCalls: 0, failurePercentage: 0 }, 'open'],
      ['never opens on successes', ['success', 'success', 'success', 'success', 'success'], { failurePercentage: 0 }, 'closed'], // prettier-ignore
      ['never opens when forced closed', ['failure', 'failure', 'failure', 'failure'], { forceClosed: true }, 'closed'],
    ];
    for (const [behaviour, judgements, settings, expected] of cases) {
      it(behaviour, () => {
        const { breaker, make } = rig(settings);
        make(...judgements);
        expect(breaker.state).to.equal(expected);
      });
    }

    it('forgets what is older than the window', () => {
      const { breaker, make, time } = rig();
      make('failure', 'failure', 'failure');
      time.advance(1001);
      make('failure', 'failure', 'failure');
      expect(breaker.state).to.equal('closed');
    });

    it('opens on slow calls, when it has a measure for them', () => {
      const { breaker, begin, end, time } = rig({ slowMs: 100, slowPercentage: 75 });
      for (let i = 0; i < 4; i++) {
        const call = begin();
        time.advance(i === 0 ? 100 : 101);
        end(call, 'success');
      }
      expect(breaker.state).to.equal('open');
      expect(breaker.describe()).to.contain('0 of 4 calls failed, 3 were slow');
    });
  });

  describe('while it is open', () => {
    it('refuses calls with one rejection per second', () => {
      const { breaker, trip, time, ports } = rig();
      trip();
      const first = breaker.admit(ports.clock) as Rejection;
      expect(first).to.include({ code: 'MESH_ERR_BREAKER_OPEN', retryAfterSeconds: 5 });
      expect(first.message).to.equal(
        'The circuit breaker of world (GET /) is open: 4 of 4 calls failed (100 %); the next probe is in 5 s',
      );
      expect(breaker.admit(ports.clock)).to.equal(first);
      time.advance(1000);
      expect(breaker.admit(ports.clock)).to.include({ retryAfterSeconds: 4 });
    });

    it('does not close when a call succeeds that began before', () => {
      const { breaker, begin, end, trip } = rig();
      const early = begin();
      trip();
      end(early, 'success');
      expect(breaker.state).to.equal('open');
    });

    it('waits somewhat longer than the sleep window, each time differently', () => {
      const rests = [1, 2, 3, 4].map((seed) => {
        const { breaker, trip } = rig({ jitter: 0.1 }, seed);
        trip();
        return breaker.opensProbesIn;
      });
      expect(new Set(rests).size).to.equal(4);
      for (const rest of rests) expect(rest).to.be.within(5000, 5500);
    });
  });

  describe('while it is half-open', () => {
    it('lets so many probes through at once, and refuses the others', () => {
      const { begin, due, breaker, ports } = rig();
      due();
      expect([begin(), begin(), begin()].every((call) => call?.probe !== undefined)).to.equal(true);
      const refusal = breaker.admit(ports.clock) as Rejection;
      expect(refusal).to.include({ code: 'MESH_ERR_BREAKER_OPEN', retryAfterSeconds: 1 });
      expect(refusal.message).to.contain('half-open');
    });

    const cases: readonly (readonly [string, readonly Judgement[], Partial<BreakerSettings>, string])[] = [
      ['closes after enough successes', ['success', 'success'], {}, 'closed'],
      ['goes on after one success', ['success'], {}, 'half-open'],
      ['bears as many failures as it has probes to spare', ['failure', 'success', 'success'], {}, 'closed'],
      ['opens again when the rest would not do', ['success', 'failure', 'failure'], {}, 'open'],
      ['opens again after one failure when all must succeed', ['failure'], { successes: 3 }, 'open'],
      ['closes after one success when one will do', ['failure', 'failure', 'success'], { successes: 1 }, 'closed'],
      [
        'learns nothing from clients that left',
        ['neither', 'neither', 'neither', 'neither', 'neither'],
        {},
        'half-open',
      ],
      ['goes on counting after clients have left', ['neither', 'success', 'neither', 'success'], {}, 'closed'],
    ];
    for (const [behaviour, judgements, settings, expected] of cases) {
      it(behaviour, () => {
        const { breaker, make, due } = rig(settings);
        due();
        make(...judgements);
        expect(breaker.state).to.equal(expected);
      });
    }

    it('is not closed by a client that left, and gives its place to the next call', () => {
      const { begin, end, due, breaker } = rig({ probes: 1, successes: 1 });
      due();
      const left = begin();
      expect(begin()).to.equal(undefined);
      end(left, 'neither');
      expect(breaker.state).to.equal('half-open');
      end(begin(), 'success');
      expect(breaker.state).to.equal('closed');
    });

    it('is not wedged by probes that never end', () => {
      const { begin, end, due, breaker, time } = rig();
      due();
      for (let round = 0; round < 50; round++) {
        for (let i = 0; i < 3; i++) expect(begin()?.probe).to.not.equal(undefined);
        expect(begin()).to.equal(undefined);
        time.advance(2000);
      }
      end(begin(), 'success');
      end(begin(), 'success');
      expect(breaker.state).to.equal('closed');
    });

    it('counts a probe that lost its place and ends well all the same', () => {
      const { begin, end, due, breaker, time } = rig({ probes: 1, successes: 1 });
      due();
      const slow = begin();
      time.advance(2000);
      begin();
      end(slow, 'success');
      expect(breaker.state).to.equal('closed');
    });

    it('takes a slow probe for one that failed', () => {
      const { begin, end, due, breaker } = rig({ slowMs: 100, successes: 3 });
      due();
      end(begin(), 'success', 101);
      expect(breaker.state).to.equal('open');
    });

    it('does not count probes of an earlier round', () => {
      const { begin, end, due, breaker, time } = rig();
      due();
      const early = [begin(), begin(), begin()] as const;
      end(early[0], 'failure');
      end(early[1], 'failure');
      expect(breaker.state).to.equal('open');
      time.advance(5000);
      begin();
      end(early[2], 'failure');
      end(early[2], 'failure');
      expect(breaker.describe()).to.contain('0 failed');
    });
  });

  it('begins with an empty window after it has closed, and with calls that begin from then on', () => {
    const { breaker, begin, end, make, trip, time } = rig();
    const early = Array.from({ length: 4 }, begin);
    trip();
    time.advance(5000);
    make('success', 'success');
    expect(breaker.counts).to.deep.equal({ calls: 0, failures: 0, slow: 0 });
    time.advance(1);
    for (const call of early) end(call, 'failure');
    expect(breaker.state).to.equal('closed');
    expect(breaker.counts.calls).to.equal(0);
  });

  it('is not opened any more by what was under way when it was given up', () => {
    const { breaker, begin, end, make, states } = rig();
    make('failure', 'failure', 'failure');
    const late = begin();
    breaker.dispose();
    end(late, 'failure');
    expect([breaker.state, states]).to.deep.equal(['closed', []]);
  });

  it('tells each change', () => {
    const { due, make, states, time } = rig();
    due();
    make('failure', 'failure');
    time.advance(5000);
    make('success', 'success');
    expect(states).to.deep.equal(['open', 'half-open', 'open', 'half-open', 'closed']);
  });

  it('keeps what it counted when other settings change, and begins anew with another window', () => {
    const { breaker, make } = rig();
    make('failure', 'failure', 'failure');
    breaker.adopt({ ...SETTINGS, sleepMs: 1 });
    expect(breaker.counts.calls).to.equal(3);
    breaker.adopt({ ...SETTINGS, window: { kind: 'count', size: 10 } });
    expect(breaker.counts.calls).to.equal(0);
  });

  it('has no timer of its own', () => {
    const { due, make, begin, time } = rig();
    due();
    begin();
    make('failure', 'failure');
    expect(time.pendingTimers).to.equal(0);
  });

  it('acts like the simple model of it, whatever happens in which order', () => {
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.record({ kind: fc.constant('begin' as const) }) },
      {
        weight: 5,
        arbitrary: fc.record({
          kind: fc.constant('end' as const),
          which: fc.nat({ max: 50 }),
          judgement: fc.constantFrom<Judgement>('success', 'failure', 'failure', 'neither'),
        }),
      },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('pause' as const), ms: fc.constantFrom(1, 90, 700, 2000, 5000) }) }, // prettier-ignore
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const { breaker, begin, end, time } = rig();
        const model = new Model();
        const under: { readonly real: Under; readonly model: ModelCall }[] = [];
        for (const one of steps) {
          const now = time.now();
          if (one.kind === 'pause') time.advance(one.ms);
          else if (one.kind === 'begin') {
            const [real, modelled] = [begin(), model.begin(now)];
            expect(real === undefined, `${breaker.describe()} at ${now}`).to.equal(modelled === undefined);
            if (real !== undefined && modelled !== undefined) under.push({ real, model: modelled });
          } else if (under.length > 0) {
            const [call] = under.splice(one.which % under.length, 1);
            if (call === undefined) continue;
            end(call.real, one.judgement);
            model.end(call.model, one.judgement, now);
          }
          if (one.kind !== 'pause') expect(breaker.state).to.equal(model.state);
        }
      }),
      { numRuns: 300 },
    );
  });
});

interface ModelCall {
  readonly startedAt: number;
  readonly round: number;
  place: boolean;
}

/** A breaker as one would write it down: lists of everything, looked through each time. */
class Model {
  state: 'closed' | 'open' | 'half-open' = 'closed';
  #ends: { readonly at: number; readonly failed: boolean }[] = [];
  #closedAt = -Infinity;
  #until = 0;
  #round = 0;
  #probes: ModelCall[] = [];
  #results: Judgement[] = [];

  begin(now: number): ModelCall | undefined {
    if (this.state === 'closed') return { startedAt: now, round: 0, place: false };
    if (this.state === 'open') {
      if (now < this.#until) return undefined;
      this.state = 'half-open';
      this.#round++;
      this.#probes = [];
      this.#results = [];
    }
    const places = this.#probes.filter(({ place, startedAt }) => place && now < startedAt + SETTINGS.probeTimeoutMs);
    if (places.length >= SETTINGS.probes) return undefined;
    const probe = { startedAt: now, round: this.#round, place: true };
    this.#probes.push(probe);
    return probe;
  }

  end(call: ModelCall, judgement: Judgement, now: number): void {
    call.place = false;
    if (judgement === 'neither') return;
    if (call.round > 0) {
      if (this.state === 'half-open' && call.round === this.#round) this.#probed(judgement, now);
      return;
    }
    if (this.state !== 'closed' || call.startedAt < this.#closedAt) return;
    this.#ends.push({ at: now, failed: judgement === 'failure' });
    const bucketMs = 100;
    const kept = this.#ends.filter(({ at }) => Math.floor(at / bucketMs) > Math.floor(now / bucketMs) - 10);
    const failures = kept.filter(({ failed }) => failed).length;
    const share = Math.round((100 * failures) / kept.length);
    if (judgement === 'failure' && kept.length >= SETTINGS.minCalls && share >= SETTINGS.failurePercentage) {
      this.#open(now);
    }
  }

  #probed(judgement: Judgement, now: number): void {
    this.#results.push(judgement);
    const of = (wanted: Judgement): number => this.#results.filter((one) => one === wanted).length;
    if (of('success') >= SETTINGS.successes) {
      this.state = 'closed';
      this.#ends = [];
      this.#closedAt = now;
    } else if (of('failure') > SETTINGS.probes - SETTINGS.successes) this.#open(now);
  }

  #open(now: number): void {
    this.state = 'open';
    this.#until = now + SETTINGS.sleepMs;
  }
}
