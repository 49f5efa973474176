import { expect } from 'chai';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fakePorts, settle, type FakeTime } from '../../../testing/fake-ports.js';
import { RecordingLogger } from '../../../testing/recording-logger.js';
import { IdSource } from '../id-source.js';
import { askSamplingServer } from './ask-sampling-server.js';
import { samplerFor } from './operation-sampler.js';
import { RemoteSampler } from './remote-sampler.js';
import { parseStrategy } from './sampling-strategy.js';

const ALL = JSON.stringify({ strategyType: 'PROBABILISTIC', probabilisticSampling: { samplingRate: 1 } });
const NONE = JSON.stringify({ strategyType: 'PROBABILISTIC', probabilisticSampling: {} });
const BY_OPERATION = JSON.stringify({
  strategyType: 'PROBABILISTIC',
  operationSampling: {
    defaultSamplingProbability: 0,
    defaultLowerBoundTracesPerSecond: 1,
    perOperationStrategies: [
      { operation: '/users/{id}', probabilisticSampling: { samplingRate: 1 } },
      { operation: 'GET /never', probabilisticSampling: { samplingRate: 0 } },
    ],
  },
});

interface Rig {
  readonly sampler: RemoteSampler;
  readonly time: FakeTime;
  readonly logger: RecordingLogger;
  readonly asked: string[];
  /** The next answers; an error where the list has one. */
  readonly answers: (string | Error)[];
  taken(): boolean;
}

function rigOf(...answers: (string | Error)[]): Rig {
  const { time, ...ports } = fakePorts();
  const logger = new RecordingLogger();
  const asked: string[] = [];
  const ask = (url: URL, service: string): Promise<string> => {
    asked.push(`${url.href} ${service}`);
    const answer = answers.shift() ?? new Error('ECONNREFUSED');
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  };
  const options = { service: 'shop', initialShare: 0.001, refreshMs: 60_000, maxOperations: 2 };
  const sampler = new RemoteSampler({ ports, logger, ask }, { url: new URL('http://agent:5778/sampling'), ...options });
  // An id in the middle: a share of a half and above takes it.
  const taken = (): boolean => sampler.decide('8'.repeat(32), time.now(), '');
  return { sampler, time, logger, asked, answers, taken };
}

describe('a remote sampler', () => {
  it('takes one trace in a thousand until the server has answered, and then what it says', async () => {
    const { sampler, taken, asked, answers, time } = rigOf(ALL);
    const ids = new IdSource();
    const share = Array.from({ length: 20_000 }, () => sampler.decide(ids.traceId(), 0, '')).filter(Boolean).length;
    expect(share).to.be.within(1, 80);
    sampler.start();
    await settle();
    expect(asked).to.deep.equal(['http://agent:5778/sampling shop']);
    expect(taken()).to.equal(true);
    answers.push(NONE);
    await time.advanceAsync(60_000);
    expect(taken()).to.equal(false);
    sampler.stop();
    await time.advanceAsync(600_000);
    expect(asked).to.have.length(2);
    expect(time.pendingTimers).to.equal(0);
  });

  it('keeps what was said last while the server is away or talks nonsense, says so once, and asks again', async () => {
    const { sampler, taken, asked, answers, time, logger } = rigOf(
      ALL,
      new Error('ECONNREFUSED'),
      '[]',
      '{"strategyType":7}',
    );
    sampler.start();
    await settle();
    await time.advanceAsync(60_000);
    await time.advanceAsync(1_000);
    await time.advanceAsync(2_000);
    expect(asked).to.have.length(4);
    expect(taken()).to.equal(true);
    expect(logger.messages('warn')).to.have.length(1);
    answers.push(NONE);
    await time.advanceAsync(4_000);
    expect(taken()).to.equal(false);
    sampler.stop();
  });

  it('goes on with a limit per second when the same answer comes again', async () => {
    const limit = JSON.stringify({ strategyType: 1, rateLimitingSampling: { maxTracesPerSecond: 0.001 } });
    const { sampler, taken, time } = rigOf(limit, limit);
    sampler.start();
    await settle();
    expect([taken(), taken()]).to.deep.equal([true, false]);
    await time.advanceAsync(60_000);
    expect(taken()).to.equal(false);
    sampler.stop();
  });

  it('gives each operation its share, by the name of the span with its method or without, and some of each', () => {
    const sampler = samplerFor(parseStrategy(BY_OPERATION), 3);
    const decide = (operation: string): boolean => sampler.decide('8'.repeat(32), 0, operation);
    expect([1, 2, 3].map(() => decide('GET /users/{id}'))).to.deep.equal([true, true, true]);
    expect([1, 2, 3].map(() => decide('GET /never'))).to.deep.equal([true, false, false]);
    expect([1, 2].map(() => decide('GET /other'))).to.deep.equal([true, false]);
    // More names than are told apart: the default share alone.
    expect(decide('GET /one-too-many')).to.equal(false);
  });

  it('asks over HTTP', async () => {
    const server = createServer((request, response) => {
      if (request.url === '/sampling?x=1&service=default.app') response.end(ALL);
      else response.writeHead(404).end('no such service');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const never = new AbortController();
    expect(await askSamplingServer(new URL(`${base}/sampling?x=1`), 'default.app', never.signal)).to.equal(ALL);
    const refused = await askSamplingServer(new URL(`${base}/x`), 's', never.signal).catch((error: unknown) =>
      String(error),
    );
    expect(refused).to.contain('404: no such service');
    server.close();
  });
});
