import {
  PLAIN_RULES,
  ServicePlan,
  makeInstance,
  steadyBalancing,
  type Endpoint,
  type Instance,
  type SteadySettings,
} from '@mesher/core';
import { FakeCall, fakePorts, type FakeTime } from '@mesher/core/testing';

const COUNTS = [10, 1000, 10_000] as const;

const HASH = { ...PLAIN_RULES.hash, header: 'x-user' };

/** What is measured, by the name that the table shows. */
const CASES: readonly (readonly [name: string, settings: SteadySettings, weightOf: (index: number) => number])[] = [
  ['RoundRobin', {}, () => 1],
  ['RoundRobin, weights', {}, (index) => 1 + (index % 5)],
  ['Random', { strategy: 'Random' }, () => 1],
  ['Random, weights', { strategy: 'Random' }, (index) => 1 + (index % 5)],
  ['WeightedResponse', { strategy: 'WeightedResponse' }, () => 1],
  ['LeastRequest', { strategy: 'LeastRequest' }, () => 1],
  ['LeastRequest, weights', { strategy: 'LeastRequest' }, (index) => 1 + (index % 5)],
  ['PeakEWMA', { strategy: 'PeakEWMA' }, () => 1],
  ['RingHash', { strategy: 'RingHash', hash: HASH }, () => 1],
  ['Maglev', { strategy: 'Maglev', hash: HASH }, () => 1],
  ['SessionStickiness, known client', { strategy: 'SessionStickiness' }, () => 1],
];

/** Long enough for the compiler to have done its work. */
const WARM_UP_PICKS = 200_000;
const PICKS = 1_000_000;
/** The best of some: whatever else the machine does only adds. */
const ROUNDS = 3;
const REBUILDS = 5;
/** Beyond the pause between two sortings of 10,000 endpoints. */
const PAUSE_MS = 1000;

/** A call whose header is at hand: the wire's own cost of finding it is not that of picking. */
class PlainCall extends FakeCall {
  constructor(readonly value: string) {
    super();
  }

  override header(): string {
    return this.value;
  }
}

function instances(count: number, weightOf: (index: number) => number): readonly Instance[] {
  return Array.from({ length: count }, (_, index) => {
    const host = `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
    const addresses = new Map([['rest', { host, port: 80, tls: false }]]);
    return makeInstance({ service: 'world', instanceId: host, weight: weightOf(index), addresses });
  });
}

function planOf(
  count: number,
  settings: SteadySettings,
  weightOf: (index: number) => number,
): { plan: ServicePlan; time: FakeTime } {
  const { time, ...ports } = fakePorts();
  const plan = new ServicePlan('world', ports, steadyBalancing(ports, settings), () => undefined);
  plan.apply({ service: 'world', exists: true, revision: '0', instances: instances(count, weightOf) }, 0);
  return { plan, time };
}

/** Calls of different clients; those of known clients have their cookie. */
function callsOf(plan: ServicePlan, settings: SteadySettings): readonly PlainCall[] {
  return Array.from({ length: 1024 }, (_, user) => {
    if (settings.strategy !== 'SessionStickiness') return new PlainCall(`user-${user}`);
    const first = new FakeCall();
    plan.pick(first, undefined);
    return new PlainCall(first.responseFields?.[0]?.[1].split(';')[0] ?? '');
  });
}

function now(): number {
  return Number(process.hrtime.bigint());
}

function pickNs(plan: ServicePlan, calls: readonly PlainCall[]): number {
  let best = Infinity;
  const many = (count: number): number => {
    const begin = now();
    for (let i = 0; i < count; i++) plan.pick(calls[i & 1023] as PlainCall, undefined);
    return (now() - begin) / count;
  };
  many(WARM_UP_PICKS);
  for (let round = 0; round < ROUNDS; round++) best = Math.min(best, many(PICKS));
  return best;
}

function best(times: number, measure: () => number): number {
  return Math.min(...Array.from({ length: times }, measure));
}

/** Milliseconds of the pick that follows a flip of one endpoint. */
function flipMs(plan: ServicePlan, time: FakeTime, call: PlainCall): number {
  const [endpoint] = plan.candidates('http').endpoints as [Endpoint];
  return best(2 * REBUILDS, () => {
    if (endpoint.barred === 0) endpoint.bar('breaker');
    else endpoint.lift('breaker');
    time.advance(PAUSE_MS);
    const begin = now();
    plan.pick(call, undefined);
    return (now() - begin) / 1e6;
  });
}

/** Milliseconds of a new snapshot and the pick that follows. */
function snapshotMs(plan: ServicePlan, time: FakeTime, call: PlainCall): number {
  const list = plan.snapshot?.instances ?? [];
  let revision = 0;
  return best(REBUILDS, () => {
    const begin = now();
    plan.apply({ service: 'world', exists: true, revision: `next-${revision++}`, instances: list }, time.now());
    plan.pick(call, undefined);
    return (now() - begin) / 1e6;
  });
}

function row(name: string, settings: SteadySettings, weightOf: (index: number) => number): string {
  const found = COUNTS.map((count) => {
    const { plan, time } = planOf(count, settings, weightOf);
    const calls = callsOf(plan, settings);
    const picks = pickNs(plan, calls);
    const call = calls[0] as PlainCall;
    return { picks, flip: flipMs(plan, time, call), snapshot: snapshotMs(plan, time, call) };
  });
  const most = found.at(-1) as (typeof found)[number];
  const cells = [...found.map(({ picks }) => picks.toFixed(0)), most.flip.toFixed(2), most.snapshot.toFixed(1)];
  return `| ${name} | ${cells.join(' | ')} |`;
}

process.stdout.write(
  `Node ${process.version}, ${process.arch}; best of ${ROUNDS} times ${PICKS.toLocaleString('en')} picks\n\n` +
    '| strategy | pick, ns: 10 instances | 1,000 | 10,000 | one endpoint flips among 10,000, ms | new snapshot of 10,000, ms |\n' +
    '|---|--:|--:|--:|--:|--:|\n',
);
for (const [name, settings, weightOf] of CASES) process.stdout.write(`${row(name, settings, weightOf)}\n`);
