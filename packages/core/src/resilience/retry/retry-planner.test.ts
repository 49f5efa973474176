import { expect } from 'chai';
import type { AttemptFailure, Invocation } from '../../invocation.js';
import { FakeCall, type FakeCallFacts } from '../../testing/fake-call.js';
import { fakePorts, settle } from '../../testing/fake-ports.js';
import { answerOf, executorOf, retryRig, type RetryRig } from '../../testing/retry-rig.js';
import { DEFAULT_EXECUTOR_SETTINGS, type ExecutorSettings } from '../timeout/executor-settings.js';
import type { NextAttempt } from './retry-planner.js';
import type { RetryRule } from './retry-rule.js';

const AT_ONCE = 'backoff.kind: zero';

const FAILURES = {
  connect: { code: 'MESH_ERR_CONNECT', sent: false, reusedConnection: false },
  draining: { code: 'MESH_ERR_DRAINING', sent: false, reusedConnection: false },
  reset: { code: 'MESH_ERR_UPSTREAM_RESET', sent: true, reusedConnection: false },
  'reset unsent': { code: 'MESH_ERR_UPSTREAM_RESET', sent: false, reusedConnection: false },
  stale: { code: 'MESH_ERR_UPSTREAM_RESET', sent: true, reusedConnection: true },
  timeout: { code: 'MESH_ERR_TRY_TIMEOUT', sent: true, reusedConnection: false },
} as const;

type Failure = keyof typeof FAILURES;

function failOf(name: Failure): AttemptFailure {
  return { ...FAILURES[name], message: name };
}

/** Reports one failure as a handler does. */
function fail(rig: RetryRig, call: Invocation, name: Failure): NextAttempt {
  call.failedAttempts++;
  return rig.planner.again(call, rig.plan, failOf(name));
}

const POST: FakeCallFacts = { method: 'POST', idempotent: false };

function verdict(settings: ExecutorSettings, what: Failure | number, facts: FakeCallFacts, isBodyThere = true): string {
  const rig = retryRig(settings);
  const call = new FakeCall(facts);
  rig.begin(call);
  call.bodyReplayable = isBodyThere;
  const next = typeof what === 'number' ? rig.planner.answered(call, rig.plan, answerOf(what)) : fail(rig, call, what);
  const [reason = 'no'] = Object.keys(rig.withheld());
  return next === undefined ? reason : 'again';
}

describe('the decision about another attempt', () => {
  const whats: readonly (Failure | number)[] = [...(Object.keys(FAILURES) as Failure[]), 500, 503, 429, 409, 200];
  const tables: readonly (readonly [name: string, yaml: string, Readonly<Record<string, string>>])[] = [
    [
      'with nothing configured',
      'loadbalance.retryEnabled: false',
      { connect: '++', draining: '++', reset: '+m', 'reset unsent': '++', stale: '+m', timeout: '--' },
    ],
    [
      'with retries and their default conditions',
      `loadbalance: {retryEnabled: true, retryOnNext: 1, ${AT_ONCE}}`,
      { connect: '++', draining: '++', reset: '+m', 'reset unsent': '++', stale: '+m', timeout: '+m', '503': '+m' },
    ],
    [
      'with all methods',
      `loadbalance: {retryEnabled: true, retryOnNext: 1, retryMethods: all, ${AT_ONCE}}`,
      { connect: '++', draining: '++', reset: '++', 'reset unsent': '++', stale: '++', timeout: '++', '503': '++' },
    ],
    [
      'with 5xx',
      `loadbalance: {retryEnabled: true, retryOnNext: 1, retryOn: 5xx, ${AT_ONCE}}`,
      {
        connect: '++',
        draining: '++',
        reset: '+m',
        'reset unsent': '++',
        stale: '+m',
        timeout: '+m',
        '500': '+m',
        '503': '+m',
      },
    ],
    [
      'with two statuses',
      `loadbalance: {retryEnabled: true, retryOnNext: 1, retryOn: "409, 429", ${AT_ONCE}}`,
      {
        connect: '++',
        draining: '++',
        reset: '+m',
        'reset unsent': '++',
        stale: '+m',
        timeout: '--',
        '409': '+m',
        '429': '+m',
      },
    ],
    [
      'with retries that allow no further instance',
      `loadbalance: {retryEnabled: true, ${AT_ONCE}}`,
      { connect: '++', draining: '++', reset: '+-', 'reset unsent': '++', stale: '+m', timeout: '--', '503': '--' },
    ],
  ];
  const WORDS: Readonly<Record<string, string>> = { '+': 'again', m: 'method', '-': 'no' };

  for (const [name, yaml, expected] of tables) {
    it(`${name} is right for each failure and status, idempotent methods and others, and without the body`, async () => {
      const settings = await executorOf(yaml);
      for (const what of whats) {
        const [get = '-', post = '-'] = expected[what] ?? '--';
        expect(verdict(settings, what, {}), `GET ${what}`).to.equal(WORDS[get]);
        expect(verdict(settings, what, POST), `POST ${what}`).to.equal(WORDS[post]);
        const without = verdict(settings, what, {}, false);
        expect(without, `GET ${what} without its body`).to.equal(get === '+' ? 'body' : WORDS[get]);
      }
    });
  }
});

describe('the instance of another attempt', () => {
  const order = (rig: RetryRig, call: Invocation, names: readonly Failure[]): (string | number)[] => {
    const seen: (string | number)[] = [rig.endpoints.indexOf(rig.begin(call))];
    for (const name of names) {
      const next = fail(rig, call, name);
      if (next === undefined || next instanceof Promise) return [...seen, 'end'];
      seen.push(rig.endpoints.indexOf(next));
      call.endpoint = next;
    }
    return seen;
  };
  const timeouts = (count: number): Failure[] => Array.from({ length: count }, (): Failure => 'timeout');

  it('is the same one retryOnSame times, then the next one, up to retryOnNext of them', async () => {
    const settings = await executorOf(`loadbalance: {retryEnabled: true, retryOnSame: 2, retryOnNext: 1, ${AT_ONCE}}`);
    expect(order(retryRig(settings), new FakeCall(), timeouts(6))).to.deep.equal([0, 0, 0, 1, 1, 1, 'end']);
  });

  it('is not one that is passed over by now, while there is another', async () => {
    const settings = await executorOf(`loadbalance: {retryEnabled: true, retryOnSame: 3, retryOnNext: 1, ${AT_ONCE}}`);
    const rig = retryRig(settings, 2);
    const call = new FakeCall();
    rig.begin(call).bar('ejected');
    expect(fail(rig, call, 'timeout')).to.equal(rig.endpoints[1]);
  });

  it('is none beyond retryOnNext, also when an instance was left early', async () => {
    const settings = await executorOf(`loadbalance: {retryEnabled: true, retryOnSame: 1, retryOnNext: 1, ${AT_ONCE}}`);
    const names: Failure[] = ['connect', 'timeout', 'timeout'];
    expect(order(retryRig(settings), new FakeCall(), names)).to.deep.equal([0, 1, 1, 'end']);
  });

  it('may be any of as many as retryOnNext says after failures that are safe, beyond safeAttempts', async () => {
    const settings = await executorOf(`loadbalance: {retryEnabled: true, retryOnNext: 4, ${AT_ONCE}}`);
    const names: Failure[] = ['reset', 'connect', 'reset', 'reset', 'reset'];
    expect(order(retryRig(settings, 9), new FakeCall(), names)).to.deep.equal([0, 1, 2, 3, 4, 'end']);
  });

  it('is always another one with retryOnSame 0', async () => {
    const settings = await executorOf(`loadbalance: {retryEnabled: true, retryOnNext: 5, ${AT_ONCE}}`);
    expect(order(retryRig(settings), new FakeCall(), timeouts(3))).to.deep.equal([0, 1, 2, 'end']);
  });

  it('is never waited for when it cannot be reached, as long as there is another one', async () => {
    const settings = await executorOf(`loadbalance: {retryEnabled: true, retryOnSame: 1, retryOnNext: 1, ${AT_ONCE}}`);
    const names: Failure[] = ['connect', 'connect', 'connect', 'connect'];
    expect(order(retryRig(settings, 2), new FakeCall(), names)).to.deep.equal([0, 1, 1, 'end']);
    expect(order(retryRig(settings, 1), new FakeCall(), names)).to.deep.equal([0, 0, 'end']);
  });

  it('may be the same one after a dead pooled connection, of which one repetition is always allowed', () => {
    expect(order(retryRig(DEFAULT_EXECUTOR_SETTINGS, 1), new FakeCall(), ['stale'])).to.deep.equal([0, 0]);
    const once = { maxAttempts: 1 };
    const call = new FakeCall();
    call.route = { name: 'r', timeoutMs: undefined, retry: once };
    expect(order(retryRig(DEFAULT_EXECUTOR_SETTINGS), call, ['stale', 'stale'])).to.deep.equal([0, 0, 'end']);
  });

  it('ends with safeAttempts for what is safe, without retries too', async () => {
    const names: Failure[] = ['connect', 'connect', 'connect', 'connect'];
    const five = retryRig(DEFAULT_EXECUTOR_SETTINGS, 5);
    expect(order(five, new FakeCall(), names)).to.deep.equal([0, 1, 2, 'end']);
    expect(five.withheld()).to.deep.equal({ attempts: 1 });
    const settings = await executorOf('loadbalance.safeAttempts: 1');
    expect(order(retryRig(settings), new FakeCall(), names)).to.deep.equal([0, 'end']);
  });
});

describe('the wait before another attempt of a call', () => {
  const CONSTANT = 'backoff: {kind: constant, minMs: 200}';

  async function rigOf(more = ''): Promise<RetryRig> {
    return retryRig(
      await executorOf(`loadbalance: {retryEnabled: true, retryOnNext: 2, retryOn: 5xx, ${CONSTANT}${more}}`),
    );
  }

  it('lasts as long as the backoff says, and none for an instance that could not be reached', async () => {
    const rig = await rigOf();
    const call = new FakeCall();
    rig.begin(call);
    expect(fail(rig, call, 'connect')).to.equal(rig.endpoints[1]);
    call.endpoint = rig.endpoints[1];
    const next = fail(rig, call, 'reset') as Promise<unknown>;
    let arrived: unknown;
    void next.then((endpoint) => (arrived = endpoint));
    await rig.time.advanceAsync(199);
    expect(arrived).to.equal(undefined);
    await rig.time.advanceAsync(1);
    expect(arrived).to.equal(rig.endpoints[2]);
  });

  it('is there for the only instance after a failed connect: it may be starting', async () => {
    const rig = retryRig(await executorOf(`loadbalance: {retryEnabled: true, retryOnSame: 1, ${CONSTANT}}`), 1);
    const call = new FakeCall();
    rig.begin(call);
    expect(fail(rig, call, 'connect')).to.be.an.instanceof(Promise);
  });

  it('grows with each attempt that may have been work', async () => {
    const backoff = 'backoff: {kind: jittered, minMs: 100, maxMs: 10000}';
    const rig = retryRig(await executorOf(`loadbalance: {retryEnabled: true, retryOnSame: 9, ${backoff}}`));
    const random = fakePorts().random;
    const call = new FakeCall();
    rig.begin(call);
    for (const bound of [200, 400, 800]) {
      const wait = 100 + random.next() * (bound - 100);
      const next = fail(rig, call, 'timeout') as Promise<unknown>;
      let isOver = false;
      void next.then(() => (isOver = true));
      await rig.time.advanceAsync(wait - 0.01);
      expect(isOver, `less than ${wait}`).to.equal(false);
      await rig.time.advanceAsync(0.02);
      expect(isOver, `more than ${wait}`).to.equal(true);
    }
  });

  it('is not begun when it would last beyond the deadline', async () => {
    const rig = await rigOf();
    const call = new FakeCall();
    rig.begin(call);
    call.deadlineAt = 200;
    expect(fail(rig, call, 'reset')).to.equal(undefined);
    call.deadlineAt = 201;
    expect(fail(rig, call, 'reset')).to.be.an.instanceof(Promise);
    expect(rig.withheld()).to.deep.equal({ deadline: 1 });
  });

  it('ends within 30 s of the start of the call when no time was set, which bounds the attempts after the first', async () => {
    const rig = await rigOf();
    const call = new FakeCall();
    rig.begin(call);
    expect(call.deadlineAt).to.equal(Infinity);
    rig.time.advance(29_799);
    expect(fail(rig, call, 'reset')).to.be.an.instanceof(Promise);
    expect(call.deadlineAt).to.equal(30_000);
    rig.time.advance(1);
    const late = new FakeCall();
    rig.begin(late);
    late.startedAt = 0;
    expect(fail(rig, late, 'reset')).to.equal(undefined);
    expect(rig.withheld()).to.deep.equal({ deadline: 1 });
  });

  it('may come as late as the time of the route lets it, also beyond that of the service', async () => {
    const rig = retryRig(
      await executorOf(
        'loadbalance: {retryEnabled: true, retryOnNext: 1}\nisolation.Consumer.timeoutInMilliseconds: 300',
      ),
    );
    const call = new FakeCall();
    rig.begin(call);
    call.route = { name: 'r', timeoutMs: 5_000, retry: undefined };
    call.deadlineAt = 5_000;
    rig.time.advance(500);
    expect(fail(rig, call, 'reset')).to.not.equal(undefined);
    expect(rig.withheld()).to.deep.equal({});
  });

  it('may come after an upload that took longer than the time of the service, which began with its end', async () => {
    const rig = retryRig(
      await executorOf(
        'loadbalance: {retryEnabled: true, retryOnNext: 1}\nisolation.Consumer.timeoutInMilliseconds: 300',
      ),
    );
    const call = new FakeCall();
    rig.begin(call);
    call.deadlineIsOurs = true;
    call.deadlineAt = 1_300;
    rig.time.advance(1_100);
    expect(fail(rig, call, 'reset')).to.not.equal(undefined);
  });

  it('leads nowhere when the call is over by then', async () => {
    const rig = await rigOf();
    const call = new FakeCall();
    rig.begin(call);
    const next = fail(rig, call, 'reset') as Promise<unknown>;
    call.ended = true;
    rig.time.advance(200);
    expect(await next).to.equal(undefined);
  });

  it('leads to another instance when the chosen one is gone by then', async () => {
    const rig = await rigOf();
    const call = new FakeCall();
    rig.begin(call);
    const next = fail(rig, call, 'reset') as Promise<unknown>;
    const [, second] = rig.endpoints;
    if (second !== undefined) {
      second.retired = true;
      call.tried?.push(second);
    }
    rig.time.advance(200);
    await settle();
    expect(await next).to.equal(rig.endpoints[2]);
  });

  it('is as long as retry-after asks, if that is longer and not longer than allowed', async () => {
    const rig = await rigOf();
    const answered = (fields: Record<string, string>): NextAttempt => {
      const call = new FakeCall();
      rig.begin(call);
      return rig.planner.answered(call, rig.plan, answerOf(503, fields));
    };
    const next = answered({ 'retry-after': '1' }) as Promise<unknown>;
    let isOver = false;
    void next.then(() => (isOver = true));
    await rig.time.advanceAsync(999);
    expect(isOver).to.equal(false);
    await rig.time.advanceAsync(1);
    expect(isOver).to.equal(true);
    expect(answered({ 'retry-after': '2' })).to.equal(undefined);
    const inHalfAMinute = new Date(rig.time.wallTime() + 30_000).toUTCString();
    expect(answered({ 'retry-after': inHalfAMinute })).to.equal(undefined);
    expect(answered({ 'retry-after': 'soon' })).to.be.an.instanceof(Promise);
    expect(rig.withheld()).to.deep.equal({ 'retry-after': 2 });
  });
});

describe('the time of one attempt', () => {
  it('is for requests that can be sent again, and for connecting', async () => {
    const timeOf = (settings: ExecutorSettings, facts: FakeCallFacts): number => {
      const rig = retryRig(settings);
      const call = new FakeCall(facts);
      rig.begin(call);
      return call.tryTimeout;
    };
    const some = await executorOf('loadbalance: {retryEnabled: true, retryOnNext: 1, perTryTimeoutMs: 90}');
    const all = await executorOf('loadbalance: {retryEnabled: true, perTryTimeoutMs: 90, retryMethods: all}');
    const off = await executorOf('loadbalance: {perTryTimeoutMs: 90}');
    const tcp: FakeCallFacts = { protocol: 'tcp', idempotent: false };
    expect([timeOf(some, {}), timeOf(some, POST), timeOf(some, tcp)]).to.deep.equal([90, Infinity, 90]);
    expect([timeOf(all, POST), timeOf(off, {})]).to.deep.equal([90, Infinity]);
  });
});

describe('the budget of repetitions', () => {
  const TIGHT = `loadbalance: {retryEnabled: true, retryOnNext: 1, ${AT_ONCE}, retryBudget: {percent: 50, minPerSecond: 0}}`;

  it('bounds what may have been work for the service, and nothing else', async () => {
    const rig = retryRig(await executorOf(TIGHT));
    const outcomes: string[] = [];
    for (let i = 0; i < 4; i++) {
      const call = new FakeCall();
      rig.begin(call);
      for (const name of ['connect', 'stale', 'timeout'] as const) {
        const one = new FakeCall();
        one.endpoint = call.endpoint;
        outcomes.push(`${name} ${fail(rig, one, name) === undefined ? '-' : '+'}`);
      }
    }
    expect(outcomes.filter((line) => line.endsWith('-'))).to.deep.equal(['timeout -', 'timeout -']);
    expect(rig.withheld()).to.deep.equal({ budget: 2 });
  });

  it('is reported once when it is used up, not with each call', async () => {
    const rig = retryRig(await executorOf(TIGHT));
    for (let i = 0; i < 10; i++) {
      const call = new FakeCall();
      rig.begin(call);
      void fail(rig, call, 'timeout');
    }
    expect(rig.events.latest.map(({ kind, service }) => `${kind} ${service}`)).to.deep.equal([
      'retry-budget-exhausted world',
    ]);
  });

  it('goes on through a change of the configuration, and the next call keeps to the new numbers', async () => {
    const rig = retryRig(await executorOf(TIGHT));
    for (let i = 0; i < 10; i++) rig.begin(new FakeCall());
    expect([...rig.planner.budgets([rig.plan])]).to.deep.equal([['world', 5]]);
    rig.planner.configure(await executorOf(TIGHT.replace('50', '100')));
    rig.planner.of(rig.plan);
    expect([...rig.planner.budgets([rig.plan])]).to.deep.equal([['world', 10]]);
  });
});

describe('a route or a mark', () => {
  it('overrides the retries of the service, and switches them on', () => {
    const rig = retryRig(DEFAULT_EXECUTOR_SETTINGS);
    const call = new FakeCall();
    call.route = { name: 'r', timeoutMs: undefined, retry: { maxAttempts: 2, retryOn: ['500'], perTryTimeoutMs: 70 } };
    rig.begin(call);
    expect([call.tryTimeout, call.watchesAnswer]).to.deep.equal([70, true]);
    expect(rig.planner.answered(call, rig.plan, answerOf(503))).to.equal(undefined);
    expect(rig.planner.answered(call, rig.plan, answerOf(500))).to.be.an.instanceof(Promise);
    call.failedAttempts = 1;
    expect(rig.planner.answered(call, rig.plan, answerOf(500))).to.equal(undefined);
  });

  it('that says what to repeat and not how often repeats it once, or as often as the service does', async () => {
    const attemptsOf = (settings: ExecutorSettings, retry: RetryRule): number => {
      const rig = retryRig(settings, 9);
      const call = new FakeCall();
      call.route = { name: 'r', timeoutMs: undefined, retry };
      rig.begin(call);
      return rig.planner.of(rig.plan).retryOf(call).maxAttempts;
    };
    const four = await executorOf('loadbalance.retryOnNext: 3');
    expect(attemptsOf(DEFAULT_EXECUTOR_SETTINGS, { retryOn: ['5xx'] })).to.equal(2);
    expect(attemptsOf(DEFAULT_EXECUTOR_SETTINGS, { retryOnSame: 2 })).to.equal(3);
    expect(attemptsOf(four, { retryOn: ['5xx'] })).to.equal(4);
    expect(attemptsOf(four, { maxAttempts: 1 })).to.equal(1);
  });

  it('has the first word over a mark, and a mark over the service', async () => {
    const settings = {
      ...DEFAULT_EXECUTOR_SETTINGS,
      retriesByMark: new Map([['gold', { retryOn: ['500'], maxAttempts: 4 }]]),
    };
    const rig = retryRig(settings);
    const call = new FakeCall();
    call.marks = ['silver', 'gold'];
    rig.begin(call);
    expect(rig.planner.isFailure(call, rig.plan, 500)).to.equal(true);
    call.route = { name: 'r', timeoutMs: undefined, retry: { retryOn: ['503'], maxAttempts: 2 } };
    expect([500, 503].map((status) => rig.planner.isFailure(call, rig.plan, status))).to.deep.equal([false, true]);
    expect(rig.planner.isFailure(new FakeCall(), rig.plan, 500)).to.equal(false);
  });
});
