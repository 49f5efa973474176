import { Endpoint, UNKNOWN_SERVICE, type CallHandler, type Invocation, type Outcome } from '@mesher/core';
import { FakeCall, fakePorts } from '@mesher/core/testing';
import { expect } from 'chai';
import { Passages } from '../passages.js';
import { RouteContexts } from './route-contexts.js';
import { SteeredCalls } from './steered-calls.js';
import type { Steered } from './steering.js';

const OUTCOME: Outcome = { status: 200, code: undefined, aborted: false, durationMs: 10 };
const REFUSED = { code: 'MESH_ERR_CONNECT', message: 'refused', sent: false, reusedConnection: false } as const;

/** Writes down what it is asked. */
function recording(name: string, log: string[]): CallHandler {
  const endpoint = new Endpoint('10.0.0.1', 80);
  const say = (what: string) => (): Endpoint => {
    log.push(`${name} ${what}`);
    return endpoint;
  };
  return {
    direction: 'outbound',
    begin: say('begin'),
    again: say('again'),
    connected: () => undefined,
    end: (call) => {
      call.ended = true;
      log.push(`${name} end`);
    },
  };
}

describe('calls that are sent elsewhere', () => {
  function make(find: (call: Invocation) => Steered | undefined | Promise<Steered | undefined>): {
    calls: SteeredCalls;
    log: string[];
  } {
    const log: string[] = [];
    const passages = new Passages({
      maxDestinations: 16,
      own: 'shop',
      metrics: undefined,
      observation: { begin: () => void log.push('passage begin'), end: () => void log.push('passage end') },
      onForgotten: () => undefined,
    });
    const calls = new SteeredCalls(recording('otherwise', log), {
      steering: { find, report: (result) => void log.push(result) },
      mesh: recording('mesh', log),
      through: (endpoint) => passages.through(endpoint),
      mark: () => undefined,
      overHttp2: false,
    });
    return { calls, log };
  }

  function planOf(...endpoints: Endpoint[]): Steered {
    const pick = (_call: Invocation, tried: readonly Endpoint[] = []): Endpoint | undefined =>
      endpoints.find((endpoint) => !tried.includes(endpoint));
    return { kind: 'plan', plan: { service: 'x', pick } as never, destination: undefined, to: 'x' };
  }

  it('end with who began them, whoever that is', async () => {
    for (const [steered, who, said] of [
      [undefined, 'otherwise', undefined],
      [{ kind: 'mesh', destination: { service: 'orders' }, to: 'orders' }, 'mesh', 'routed'],
      [planOf(), 'otherwise', 'unresolved'],
    ] as const) {
      for (const find of [() => steered, () => Promise.resolve(steered)]) {
        const { calls, log } = make(find);
        const call = new FakeCall();
        await calls.begin(call);
        calls.end(call, OUTCOME);
        expect(log).to.deep.equal([...(said === undefined ? [] : [said]), `${who} begin`, `${who} end`]);
        if (who === 'mesh') expect(call.destination).to.deep.equal({ service: 'orders' });
      }
    }
  });

  it('begin nowhere when the caller leaves while a name is looked up, and end for nobody', async () => {
    let found: (steered: Steered) => void = () => undefined;
    const { calls, log } = make(() => new Promise((resolve) => (found = resolve)));
    const call = new FakeCall();
    const verdict = calls.begin(call);
    expect(call.waited).to.equal(true);
    calls.end(call, { ...OUTCOME, aborted: true });
    found(planOf(new Endpoint('10.0.0.2', 80)));
    expect(await verdict).to.have.property('code', 'MESH_ERR_TIMEOUT');
    expect(log).to.deep.equal([]);
  });

  it('try three endpoints that cannot be connected to, and no more; what was sent is not sent twice', () => {
    const endpoints = [1, 2, 3, 4].map((port) => new Endpoint('10.0.0.2', port));
    const { calls, log } = make(() => planOf(...endpoints));
    const call = new FakeCall();
    const keys: string[] = [];
    let verdict = calls.begin(call);
    while (verdict instanceof Endpoint) {
      keys.push(verdict.key);
      call.endpoint = verdict;
      verdict = calls.again(call, REFUSED);
    }
    expect(keys).to.deep.equal(['10.0.0.2:1', '10.0.0.2:2', '10.0.0.2:3']);
    expect(verdict).to.include({ code: 'MESH_ERR_CONNECT' });
    calls.end(call, OUTCOME);
    expect(log).to.deep.equal(['routed', 'passage begin', 'passage end']);
    const sent = new FakeCall();
    sent.endpoint = calls.begin(sent) as Endpoint;
    expect(calls.again(sent, { ...REFUSED, sent: true })).to.include({ code: 'MESH_ERR_CONNECT' });
  });

  it('count for no service when they leave the one that the program has called', () => {
    const { calls } = make(() => planOf(new Endpoint('10.0.0.2', 80)));
    const call = new FakeCall({ destination: { service: 'orders' } });
    void calls.begin(call);
    expect(call.destination?.service ?? UNKNOWN_SERVICE).to.equal(UNKNOWN_SERVICE);
  });
});

describe('remembered routes', () => {
  function make(maxContexts = 10): { contexts: RouteContexts; time: ReturnType<typeof fakePorts>['time'] } {
    const { time, ...ports } = fakePorts();
    return { contexts: new RouteContexts({ expiration: 5_000, cleanupInterval: 1_000, maxContexts }, ports), time };
  }

  it('stay while their request lasts, however long, and a while after it; then nothing is left of them', () => {
    const { contexts, time } = make();
    const call = new FakeCall();
    contexts.remember(call, 'r', 'a=b');
    time.advance(60_000);
    expect(contexts.find('r', time.now())).to.equal('a=b');
    contexts.ended(call, { ...OUTCOME, durationMs: 60_000 });
    expect(contexts.find('r', 64_999)).to.equal('a=b');
    expect(contexts.find('r', 65_000)).to.equal(undefined);
    time.advance(6_000);
    expect(contexts.size).to.equal(0);
    contexts.close();
    expect(time.pendingTimers).to.equal(0);
  });

  it('are those of the last request with an id, and are bounded in number', () => {
    const { contexts } = make(2);
    const [first, second] = [new FakeCall(), new FakeCall()];
    contexts.remember(first, 'r', 'a=b');
    contexts.remember(second, 'r', 'a=b');
    contexts.ended(first, OUTCOME);
    expect(contexts.find('r', 100_000), 'the other one goes on').to.equal('a=b');
    for (const id of ['s', 't']) contexts.remember(new FakeCall(), id, 'a=c');
    expect([contexts.size, contexts.find('r', 0), contexts.find('t', 0)]).to.deep.equal([2, undefined, 'a=c']);
  });
});
