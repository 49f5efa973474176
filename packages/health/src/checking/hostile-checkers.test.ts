import { expect } from 'chai';
import { silentLogger, type HealthChecker, type HealthResult, type LocalHealthCheckConfig } from '@mesher/core';
import { fakePorts, settle, type FakeTime } from '@mesher/core/testing';
import { checkConfig } from '../testing/scripted-checker.js';
import { LocalHealth } from './local-health.js';

const WELL: HealthResult = { healthy: true, detail: 'well' };

interface Rig {
  readonly health: LocalHealth;
  readonly time: FakeTime;
  pass(ms: number): Promise<void>;
  /** What the only check says. */
  said(): string;
}

async function rig(checker: HealthChecker, ...configs: LocalHealthCheckConfig[]): Promise<Rig> {
  const { time, ...ports } = fakePorts();
  const health = new LocalHealth({
    ports,
    logger: silentLogger(),
    checkers: { find: () => checker, names: () => ['rest'] },
    onChange: () => undefined,
  });
  health.configure(configs.length === 0 ? [checkConfig()] : configs);
  await settle();
  return {
    health,
    time,
    pass: (ms) => time.advanceAsync(ms, 50),
    said: () => health.view.checks[0]?.detail ?? '',
  };
}

/** A checker as people write them in JavaScript. */
function checkerThat(check: () => unknown): HealthChecker {
  return { check: check as HealthChecker['check'] };
}

describe('a checker of somebody', () => {
  it('that throws before it makes a promise has failed', async () => {
    const { health, said } = await rig(
      checkerThat(() => {
        throw new Error('no such queue');
      }),
    );
    expect([health.state, said()]).to.deep.equal(['down', 'no such queue']);
    health.close();
  });

  it('that throws something other than an error has failed all the same', async () => {
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- JavaScript lets plugins do it
    const { health, said } = await rig(checkerThat(() => Promise.reject('plain text')));
    expect([health.state, said()]).to.deep.equal(['down', 'plain text']);
    health.close();
  });

  for (const [what, answer] of Object.entries({
    nothing: undefined,
    null: null,
    'a word': 'ok',
    'an object without healthy': { status: 'UP' },
    'a healthy that is no boolean': { healthy: 'yes', detail: '' },
  })) {
    it(`that answers ${what} has failed, and the detail says what is expected`, async () => {
      const { health, said } = await rig(checkerThat(() => Promise.resolve(answer)));
      expect(health.state).to.equal('down');
      expect(said()).to.include('{ healthy: true or false, detail }');
      health.close();
    });
  }

  it('that answers without a promise or a detail is understood', async () => {
    const { health, said } = await rig(checkerThat(() => ({ healthy: true })));
    expect([health.state, said()]).to.deep.equal(['up', '']);
    health.close();
  });

  it('that writes a book is quoted with one short line', async () => {
    const detail = `first\r\nsecond\u001b[31m\u2028${'x'.repeat(5_000_000)}`;
    const { health, said } = await rig(checkerThat(() => Promise.resolve({ healthy: false, detail })));
    expect(said()).to.have.length(303);
    expect(said()).to.match(/^first second \[31m x+\.\.\.$/);
    expect(health.view.reasons[0]).to.equal(`rest:8080: ${said()}`);
    health.close();
  });

  it('that hangs fails when its time is over, and other checks go on', async () => {
    const asked: number[] = [];
    const { health, pass } = await rig(
      {
        check: ({ port }) => {
          asked.push(port);
          return port === 1 ? new Promise(() => {}) : Promise.resolve(WELL);
        },
      },
      checkConfig({ port: 1, timeout: 1_000 }),
      checkConfig({ port: 2 }),
    );
    await pass(31_000);
    expect(health.view.checks.map(({ state }) => state)).to.deep.equal(['down', 'up']);
    expect([asked.filter((port) => port === 1).length, asked.filter((port) => port === 2).length]).to.deep.equal([
      1, 4,
    ]);
    health.close();
  });
});

describe('a checker that has to load something first', () => {
  it('is not asked before it is there, and the time does not count', async () => {
    let loaded!: () => void;
    const { health, time, pass } = await rig(
      { prepare: () => new Promise<void>((resolve) => (loaded = resolve)), check: () => Promise.resolve(WELL) },
      checkConfig({ timeout: 100 }),
    );
    await pass(5_000);
    expect([health.state, health.view.checks[0]?.detail]).to.deep.equal(['unknown', 'not checked yet']);
    loaded();
    await settle();
    expect(health.view.checks[0]).to.include({ state: 'up', lastDurationMs: 0, lastAt: time.wallTime() });
    health.close();
  });

  it('and cannot has failed; it is tried again with the next check, and never once it is there', async () => {
    let attempts = 0;
    const prepare = (): Promise<void> =>
      ++attempts < 3 ? Promise.reject(new Error('Cannot find package axios')) : Promise.resolve();
    const { health, pass, said } = await rig({ prepare, check: () => Promise.resolve(WELL) });
    expect([health.state, said()]).to.deep.equal(['down', 'the checker cannot be loaded: Cannot find package axios']);
    await pass(500 + 1_000);
    expect(health.state).to.equal('up');
    await pass(60_000);
    expect(attempts).to.equal(3);
    health.close();
  });

  it('and hangs keeps nobody waiting for ever', async () => {
    let attempts = 0;
    const prepare = (): Promise<void> => {
      attempts++;
      return new Promise(() => {});
    };
    const { health, time, pass, said } = await rig({ prepare, check: () => Promise.resolve(WELL) });
    await pass(10_000);
    expect([health.state, said()]).to.deep.equal(['down', 'the checker is not ready: no answer within 10s']);
    await pass(60_000);
    expect(attempts).to.equal(1);
    health.close();
    expect(time.pendingTimers).to.equal(0);
  });
});

describe('many checks of one application', () => {
  it('all begin at once, and are spread over a part of the interval from then on', async () => {
    const starts: number[] = [];
    let now = (): number => 0;
    const configs = Array.from({ length: 100 }, (_one, index) => checkConfig({ port: 1_000 + index, jitter: 0.5 }));
    const { health, time, pass } = await rig(
      checkerThat(() => {
        starts.push(now());
        return WELL;
      }),
      ...configs,
    );
    now = () => time.now();
    expect(starts).to.have.length(100);
    await pass(10_000);
    const second = starts.slice(100, 200);
    expect(second).to.have.length(100);
    expect(Math.max(...second) - Math.min(...second)).to.be.greaterThan(3_000);
    const crowd = Math.max(...[...new Set(second)].map((at) => second.filter((other) => other === at).length));
    expect(crowd, 'checks that begin together').to.be.lessThan(10);
    health.close();
  });
});
