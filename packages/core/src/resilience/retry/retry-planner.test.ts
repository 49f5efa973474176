import { expect } from 'chai';
import type { Invocation } from '../../invocation.js';
import { FakeCall, type FakeCallFacts } from '../../testing/fake-call.js';
import { answerOf, executorOf, retryRig, type RetryRig } from '../../testing/retry-rig.js';
import { DEFAULT_EXECUTOR_SETTINGS, type ExecutorSettings } from '../timeout/executor-settings.js';
import { AT_ONCE, FAILURES, POST, fail, type Failure } from './testing/failing-attempts.js';

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
      { connect: '++', draining: '++', reset: '+m', 'reset unsent': '++', stale: '+m', garbage: '+m', timeout: '--' },
    ],
    [
      'with retries and their default conditions',
      `loadbalance: {retryEnabled: true, retryOnNext: 1, ${AT_ONCE}}`,
      {
        connect: '++',
        draining: '++',
        reset: '+m',
        'reset unsent': '++',
        stale: '+m',
        garbage: '+m',
        timeout: '+m',
        '503': '+m',
      },
    ],
    [
      'with all methods',
      `loadbalance: {retryEnabled: true, retryOnNext: 1, retryMethods: all, ${AT_ONCE}}`,
      {
        connect: '++',
        draining: '++',
        reset: '++',
        'reset unsent': '++',
        stale: '++',
        garbage: '++',
        timeout: '++',
        '503': '++',
      },
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
        garbage: '+m',
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
        garbage: '+m',
        timeout: '--',
        '409': '+m',
        '429': '+m',
      },
    ],
    [
      'with retries that allow no further instance',
      `loadbalance: {retryEnabled: true, ${AT_ONCE}}`,
      {
        connect: '++',
        draining: '++',
        reset: '+-',
        'reset unsent': '++',
        stale: '+m',
        garbage: '+-',
        timeout: '--',
        '503': '--',
      },
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

  it('is asked after half an answer on a pooled connection, too', async () => {
    const rig = retryRig(await executorOf(TIGHT.replace('50', '0')));
    const repeated = (['stale', 'garbage'] as const).map((name) => {
      const call = new FakeCall();
      rig.begin(call);
      return fail(rig, call, name) !== undefined;
    });
    expect(repeated).to.deep.equal([true, false]);
    expect(rig.withheld()).to.deep.equal({ budget: 1 });
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
