import { expect } from 'chai';
import { LookupQueue } from './lookup-queue.js';

interface Question {
  readonly host: string;
  answer(addresses: readonly string[]): void;
  fail(error: Error): void;
}

/** A queue over a name server that answers when it is told to. */
function queueOf(asked: Question[]): LookupQueue {
  return new LookupQueue(
    (host) => new Promise((answer, fail) => void asked.push({ host, answer, fail } satisfies Question)),
  );
}

/** Lets all promises that can go on do so. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe('questions to DNS', () => {
  it('are asked two at a time, so that threads are left for files, and in the order in which they came', async () => {
    const asked: Question[] = [];
    const queue = queueOf(asked);
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((host) => queue.ask(host).addresses);
    expect(asked.map(({ host }) => host)).to.deep.equal(['a', 'b']);
    asked[1]?.answer(['10.0.0.2']);
    expect(await b).to.deep.equal(['10.0.0.2']);
    await settled();
    expect(asked.map(({ host }) => host)).to.deep.equal(['a', 'b', 'c']);
    asked[0]?.fail(new Error('no answer'));
    expect(await a?.catch((error: unknown) => (error as Error).message)).to.equal('no answer');
    await settled();
    asked[3]?.answer(['10.0.0.4']);
    asked[2]?.answer(['10.0.0.3']);
    expect([await c, await d]).to.deep.equal([['10.0.0.3'], ['10.0.0.4']]);
    expect(queue.length).to.equal(0);
  });

  it('that nobody waits for any more are not asked, and do not gather', async () => {
    const asked: Question[] = [];
    const queue = queueOf(asked);
    const questions = Array.from({ length: 100 }, (_, index) => queue.ask(`host-${index}`));
    for (const question of questions) question.abandon();
    expect(queue.length).to.equal(0);
    asked[0]?.answer([]);
    await settled();
    expect(asked.map(({ host }) => host)).to.deep.equal(['host-0', 'host-1']);
    void queue.ask('later');
    expect(asked.map(({ host }) => host)).to.deep.equal(['host-0', 'host-1', 'later']);
  });
});
