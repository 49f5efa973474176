import { expect } from 'chai';
import { fakePorts, settle } from '../../testing/fake-ports.js';
import { RecordingLogger } from '../../testing/recording-logger.js';
import type { ConfigSource, SourceSnapshot } from './config-source.js';
import { SourceFollower } from './source-follower.js';

const MAX_RETRY_MS = 8_000;

/** Says what the test tells it to; `fail` ends the present watch. */
class ScriptedSource implements ConfigSource {
  readonly name = 'scripted';
  watches = 0;
  isAborted = false;
  readonly #queue: (SourceSnapshot | Error)[] = [];
  #wake: () => void = () => {};

  say(revision: string, entries: Readonly<Record<string, string>> = {}): void {
    this.#put({ revision, entries: new Map(Object.entries(entries)) });
  }

  fail(message: string): void {
    this.#put(new Error(message));
  }

  async *watch(signal: AbortSignal): AsyncIterable<SourceSnapshot> {
    this.watches++;
    const wake = (): void => this.#wake();
    signal.addEventListener('abort', wake);
    try {
      for (;;) {
        while (this.#queue.length === 0 && !signal.aborted) {
          await new Promise<void>((resolve) => (this.#wake = resolve));
        }
        if (signal.aborted) {
          this.isAborted = true;
          return;
        }
        const next = this.#queue.shift() as SourceSnapshot | Error;
        if (next instanceof Error) throw next;
        yield next;
      }
    } finally {
      signal.removeEventListener('abort', wake);
    }
  }

  #put(next: SourceSnapshot | Error): void {
    this.#queue.push(next);
    this.#wake();
  }
}

function follow() {
  const { time, ...ports } = fakePorts();
  const source = new ScriptedSource();
  const logger = new RecordingLogger();
  const told: (string | undefined)[] = [];
  const follower: SourceFollower = new SourceFollower(source, ports, logger, MAX_RETRY_MS, () =>
    told.push(follower.state.revision),
  );
  return { time, source, logger, told, follower };
}

describe('following a config source', () => {
  it('tells of each new content once, and keeps the last one', async () => {
    const { source, told, follower } = follow();
    source.say('1', { a: 'x' });
    await follower.start();
    source.say('1', { a: 'x' });
    source.say('2', { a: 'y', b: 'z' });
    await settle();
    expect(told).to.deep.equal(['1', '2']);
    expect(follower.layer).to.deep.equal({
      name: 'scripted',
      entries: new Map([
        ['a', 'y'],
        ['b', 'z'],
      ]),
    });
    expect(follower.state).to.include({ state: 'following', revision: '2', keys: 2, lastError: undefined });
    follower.close();
    await settle();
    expect(source.isAborted).to.equal(true);
  });

  it('lets the start go on when it fails, and tries again for ever with growing pauses', async () => {
    const { time, source, logger, told, follower } = follow();
    source.fail('nobody there');
    await follower.start();
    expect(follower.layer).to.equal(undefined);
    expect(follower.state).to.include({ state: 'waiting', lastError: 'nobody there' });
    for (let attempt = 2; attempt <= 12; attempt++) {
      source.fail('still nobody');
      await time.advanceAsync(MAX_RETRY_MS);
      expect(source.watches).to.equal(attempt);
    }
    expect(logger.messages('warn')).to.deep.equal([
      'the config source does not answer: the files count alone; it is asked again and again',
    ]);
    source.say('1', { a: 'x' });
    await time.advanceAsync(MAX_RETRY_MS);
    expect(told).to.deep.equal(['1']);
    expect(logger.messages('info')).to.deep.equal(['the config source answers again']);
    follower.close();
  });

  it('waits a second at first, twice as long each time, and never longer than it may; less by chance', async () => {
    const { time, source, follower } = follow();
    source.fail('1');
    await follower.start();
    for (const full of [1_000, 2_000, 4_000, 8_000, 8_000]) {
      const before = source.watches;
      source.fail('again');
      await time.advanceAsync(full * 0.69);
      expect(source.watches, `${full} ms, too early`).to.equal(before);
      await time.advanceAsync(full * 0.31);
      expect(source.watches, `${full} ms, too late`).to.equal(before + 1);
      // What is left of the next pause must not count for it.
      expect(time.pendingTimers).to.equal(1);
    }
    follower.close();
    expect(time.pendingTimers).to.equal(0);
  });

  it('keeps what was said last through an outage', async () => {
    const { time, source, told, follower } = follow();
    source.say('1', { a: 'x' });
    await follower.start();
    source.fail('gone');
    await settle();
    expect(follower.state).to.include({ state: 'retrying', revision: '1', lastError: 'gone' });
    expect(follower.layer?.entries.get('a')).to.equal('x');
    source.say('1', { a: 'x' });
    await time.advanceAsync(1_000);
    expect(follower.state.state).to.equal('following');
    expect(told).to.deep.equal(['1']);
    follower.close();
  });

  it('ends at once, in a pause as well as in a watch, and tells nothing any more', async () => {
    const { time, source, told, follower } = follow();
    source.fail('gone');
    await follower.start();
    follower.close();
    source.say('1');
    await time.advanceAsync(MAX_RETRY_MS);
    expect([source.watches, told]).to.deep.equal([1, []]);
    expect(follower.state.state).to.equal('closed');
  });
});
