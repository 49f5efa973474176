import { getEventListeners } from 'node:events';
import { expect } from 'chai';
import type { Random } from '../ports/ports.js';
import type { FakeTime } from '../testing/fake-ports.js';
import { fakePorts, settle } from '../testing/fake-ports.js';
import { RecordingLogger } from '../testing/recording-logger.js';
import { keepWatching } from './watch-loop.js';

const PAUSES = { minRetryDelay: 100, maxRetryDelay: 1_000 };

interface Rig {
  readonly time: FakeTime;
  readonly logger: RecordingLogger;
  readonly stop: AbortController;
  /** Times at which a watch began. */
  readonly begun: number[];
  readonly taken: unknown[];
  readonly ended: Promise<void>;
}

function run(watch: (attempt: number, signal: AbortSignal) => AsyncIterable<unknown>, random?: Random): Rig {
  const { time, ...ports } = fakePorts();
  const logger = new RecordingLogger();
  const stop = new AbortController();
  const begun: number[] = [];
  const taken: unknown[] = [];
  const task = {
    subject: 'world',
    registry: 'scripted',
    signal: stop.signal,
    watch: (signal: AbortSignal) => watch(begun.push(time.now()), signal),
    take: (value: unknown) => void taken.push(value),
  };
  const ended = keepWatching(task, { ...ports, random: random ?? ports.random }, PAUSES, logger);
  return { time, logger, stop, begun, taken, ended };
}

/** Iterables as registries of all tempers make them. */
async function* failing(): AsyncGenerator<unknown> {
  await Promise.resolve();
  throw new Error('connection lost');
}

async function* ending(...values: unknown[]): AsyncGenerator<unknown> {
  for (const value of values) yield await Promise.resolve(value);
}

function silent(): AsyncIterable<unknown> {
  return { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) };
}

const LONGEST: Random = { next: () => 1 - Number.EPSILON };
const SHORTEST: Random = { next: () => 0 };

describe('watching again and again', () => {
  it('begins a new watch after one that threw and after one that ended', async () => {
    const rig = run((attempt) => (attempt === 1 ? failing() : ending('news')), LONGEST);
    await rig.time.advanceAsync(300, 50);
    expect(rig.begun.length).to.be.at.least(3);
    expect(rig.taken[0]).to.equal('news');
    rig.stop.abort();
    await rig.ended;
  });

  it('survives a registry whose watch throws instead of returning an iterator', async () => {
    const rig = run(() => {
      throw new Error('no socket');
    }, LONGEST);
    await rig.time.advanceAsync(400, 50);
    expect(rig.begun.length).to.be.greaterThan(1);
    rig.stop.abort();
    await rig.ended;
  });

  it('doubles the longest possible pause up to its bound', async () => {
    const rig = run(failing, LONGEST);
    await rig.time.advanceAsync(6_000, 1);
    const pauses = rig.begun.slice(1).map((at, index) => Math.round((at - (rig.begun[index] ?? 0)) / 100) * 100);
    expect(pauses.slice(0, 7)).to.deep.equal([100, 200, 400, 800, 1_000, 1_000, 1_000]);
    rig.stop.abort();
    await rig.ended;
  });

  it('draws the pause from all of the range: with the smallest chance it begins again at once', async () => {
    const rig = run((attempt) => (attempt < 4 ? failing() : silent()), SHORTEST);
    await rig.time.advanceAsync(0);
    for (let i = 0; i < 4; i++) await rig.time.advanceAsync(1);
    expect(rig.begun.length).to.equal(4);
    expect(rig.begun.at(-1)).to.be.at.most(4);
    rig.stop.abort();
  });

  it('does not take an answer for a cure: a registry that answers and breaks off is asked ever less often', async () => {
    const rig = run(() => ending('news'), LONGEST);
    await rig.time.advanceAsync(10_000, 5);
    expect(rig.begun.length).to.be.at.most(14);
    rig.stop.abort();
    await rig.ended;
  });

  it('begins the pauses anew after a watch that held longer than the longest one', async () => {
    let failNow!: (error: Error) => void;
    const holding = async function* (): AsyncGenerator<unknown> {
      yield 'news';
      await new Promise((_, reject) => (failNow = reject));
    };
    const rig = run((attempt) => (attempt === 5 ? holding() : failing()), LONGEST);
    await rig.time.advanceAsync(1_500, 1);
    expect(rig.begun.length).to.equal(5);
    await rig.time.advanceAsync(1_001);
    failNow(new Error('connection lost'));
    await rig.time.advanceAsync(100);
    expect(rig.begun.length).to.equal(6);
    rig.stop.abort();
    await rig.ended;
  });

  it('says once per outage that the watch failed, and to the curious each time', async () => {
    const rig = run(failing, LONGEST);
    await rig.time.advanceAsync(3_000, 50);
    expect(rig.logger.messages('warn')).to.deep.equal(['watching failed; the last good state stays in use']);
    expect(rig.logger.messages('debug').length).to.be.greaterThan(2);
    expect(rig.logger.lines[0]?.fields).to.include({ subject: 'world', registry: 'scripted' });
    rig.stop.abort();
    await rig.ended;
  });

  it('stops at once when told so during a pause, and leaves no timer', async () => {
    const rig = run(failing, LONGEST);
    await settle();
    expect(rig.time.pendingTimers).to.equal(1);
    rig.stop.abort();
    await rig.ended;
    expect(rig.time.pendingTimers).to.equal(0);
    expect(rig.begun).to.have.lengthOf(1);
    expect(getEventListeners(rig.stop.signal, 'abort')).to.have.lengthOf(0);
  });

  it('does not pile up listeners on the signal, however long the outage', async () => {
    const rig = run(failing, LONGEST);
    await rig.time.advanceAsync(20_000, 100);
    expect(rig.begun.length).to.be.greaterThan(10);
    expect(getEventListeners(rig.stop.signal, 'abort').length).to.be.at.most(1);
    rig.stop.abort();
    await rig.ended;
  });

  it('takes nothing that comes after the stop', async () => {
    let more!: () => void;
    const late = async function* (): AsyncGenerator<unknown> {
      await new Promise<void>((resolve) => (more = resolve));
      yield 'late news';
    };
    const rig = run(late);
    await settle();
    rig.stop.abort();
    more();
    await rig.ended;
    expect(rig.taken).to.deep.equal([]);
  });

  it('watches again when the news cannot be taken', async () => {
    const { time, ...ports } = fakePorts();
    const stop = new AbortController();
    let attempts = 0;
    const task = {
      subject: 'world',
      registry: 'scripted',
      signal: stop.signal,
      watch: () => {
        attempts++;
        return ending('nonsense');
      },
      take: () => {
        throw new TypeError('instances is not iterable');
      },
    };
    const ended = keepWatching(task, ports, PAUSES, new RecordingLogger());
    await time.advanceAsync(500, 10);
    expect(attempts).to.be.greaterThan(1);
    stop.abort();
    await ended;
  });

  it('does not begin at all when it was stopped before', async () => {
    const ports = fakePorts();
    const task = {
      subject: 'world',
      registry: 'scripted',
      signal: AbortSignal.abort(),
      watch: () => expect.fail('it was stopped'),
      take: () => {},
    };
    await keepWatching(task, ports, PAUSES, new RecordingLogger());
  });
});
