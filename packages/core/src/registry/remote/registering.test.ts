import { expect } from 'chai';
import { fakePorts, RecordingLogger } from '../../testing/index.js';
import { registerOrGiveUp, registerUntilDone, type RefusalKind } from './registering.js';

describe('registering in a registry on the network', () => {
  const pauses = { minRetryDelay: 100, maxRetryDelay: 10_000 };

  /** Refuses once, and tells after which pause it was asked again. */
  async function pauseAfter(kind: RefusalKind, random: number): Promise<number> {
    const ports = fakePorts();
    const asked: number[] = [];
    const problems: (string | undefined)[] = [];
    const work = registerUntilDone(
      {
        ...{ service: 'web', registry: 'Remote', pauses, logger: new RecordingLogger() },
        ports: { timers: ports.timers, random: { next: () => random } },
        attempt: () => {
          asked.push(ports.clock.now());
          return asked.length > 1 ? Promise.resolve() : Promise.reject(new Error('not now'));
        },
        judge: () => kind,
        onProblem: (problem) => problems.push(problem),
      },
      new AbortController().signal,
    );
    await ports.time.advanceAsync(20_000, 50);
    await work;
    expect(problems).to.deep.equal(['web is not registered: not now', undefined]);
    return (asked[1] ?? 0) - (asked[0] ?? 0);
  }

  it('is repeated soon, and after about the longest pause where only people can help: not by all clients at once', async () => {
    expect(await pauseAfter('passing', 0.5)).to.equal(50);
    expect(await pauseAfter('slow', 0)).to.equal(8_000);
    expect(await pauseAfter('slow', 0.5)).to.equal(10_000);
  });

  it('ends with what is final', async () => {
    const error: unknown = await pauseAfter('final', 0).catch((reason: unknown) => reason);
    expect(error).to.include({ message: 'not now' });
  });

  it('is released when it is given up, also when it came true all the same', async () => {
    const giveUp = new AbortController();
    let released = 0;
    const registration = {
      register: () => {
        giveUp.abort(new Error('leaving'));
        return Promise.resolve();
      },
      release: () => Promise.resolve(void released++),
    };
    const error: unknown = await registerOrGiveUp(giveUp.signal, registration).catch((reason: unknown) => reason);
    expect([released, (error as Error).message]).to.deep.equal([1, 'leaving']);
  });
});
