import type { CallExplanation } from '../../explain/explainer.js';
import {
  CODE_FIELD,
  INSTANCE_FIELD,
  type CallExpectation,
  type Count,
  type ExplainExpectation,
  type ObservedAnswer,
  type ReceivedRequest,
  type TextMatcher,
} from './cases.js';

/** What is wrong with the answers and arrivals of a step; empty when it is as expected. */
export function checkCalls(
  expected: CallExpectation,
  answers: readonly ObservedAnswer[],
  received: readonly ReceivedRequest[],
): readonly string[] {
  return [
    ...checkStatuses('status', expected.status, answers, ({ status }) => status),
    ...checkStatuses('gRPC status', expected.grpcStatus, answers, ({ grpcStatus }) => grpcStatus ?? NO_GRPC_STATUS),
    ...checkCodes(expected, answers),
    ...checkAnswerers(expected, answers),
    ...checkArrivals(expected, received),
    ...answers.flatMap((answer, index) =>
      checkAnswer(expected, answer).map((problem) => `answer ${index}: ${problem}`),
    ),
    ...received.flatMap((request, index) =>
      checkRequest(expected, request).map((problem) => `request ${index}, to ${request.instance}: ${problem}`),
    ),
  ];
}

export function checkExplanation(expected: ExplainExpectation, explained: CallExplanation): readonly string[] {
  const problems: string[] = [];
  if (expected.sent !== undefined && expected.sent !== explained.sent) {
    problems.push(`expected sent: ${expected.sent}, but it is ${explained.sent} (${explained.answer?.code ?? ''})`);
  }
  if (expected.code !== undefined) problems.push(...mismatch('code', expected.code, explained.answer?.code));
  for (const [stage, matcher] of expected.steps) {
    const lines = explained.steps
      .filter((step) => step.stage === stage)
      .flatMap(({ decision, details }) => [decision, ...details]);
    const holds = matcher === null ? lines.length === 0 : lines.some((line) => fits(matcher, line));
    if (!holds) problems.push(`expected ${stage} to say ${String(matcher)}, but it says: ${lines.join(' | ')}`);
  }
  if (problems.length > 0) {
    problems.push(
      ...explained.steps.map(({ stage, decision, details }) => `  ${stage}: ${[decision, ...details].join(' | ')}`),
    );
  }
  return problems;
}

/** Stands for an answer without a gRPC status. */
const NO_GRPC_STATUS = -1;

function checkStatuses(
  what: string,
  status: CallExpectation['status'],
  answers: readonly ObservedAnswer[],
  read: (answer: ObservedAnswer) => number,
): readonly string[] {
  const got = answers.map(read);
  if (status === undefined) return [];
  if (status instanceof Map) return compareCounts(what, status, tally(got));
  const wanted = typeof status === 'number' ? got.map(() => status) : (status as readonly number[]);
  const same = wanted.length === got.length && wanted.every((one, index) => one === got[index]);
  return same ? [] : [`expected ${what} ${String(status)}, but got ${got.join(', ')}${bodiesOf(answers)}`];
}

function bodiesOf(answers: readonly ObservedAnswer[]): string {
  const failed = answers.find(({ status, grpcStatus = 0 }) => status >= 400 || grpcStatus > 0);
  if (failed?.grpcStatus !== undefined) return `: ${failed.headers['grpc-message'] ?? ''}`;
  return failed === undefined ? '' : `: ${failed.body.trim().slice(0, 300)}`;
}

function checkCodes({ code, codes }: CallExpectation, answers: readonly ObservedAnswer[]): readonly string[] {
  const got = answers.map(({ headers }) => headers[CODE_FIELD]);
  const ofAll = code === undefined ? [] : got.flatMap((one) => mismatch('code', code, one));
  return [
    ...ofAll,
    ...(codes === undefined ? [] : compareCounts('code', codes, tally(got.filter((one) => one !== undefined)))),
  ];
}

function checkAnswerers({ by, share, same }: CallExpectation, answers: readonly ObservedAnswer[]): readonly string[] {
  const got = answers.map(({ headers }) => headers[INSTANCE_FIELD] ?? 'none');
  const problems: string[] = [];
  if (by !== undefined && [...new Set(got)].sort().join() !== [...by].sort().join()) {
    problems.push(`expected answers by ${by.join(', ')}, but they came from ${describeTally(tally(got))}`);
  }
  if (same && new Set(got).size !== 1) problems.push(`expected one instance, but got ${describeTally(tally(got))}`);
  if (share !== undefined) problems.push(...compareCounts('instance', share, tally(got)));
  return problems;
}

function checkArrivals({ received: wanted }: CallExpectation, received: readonly ReceivedRequest[]): readonly string[] {
  if (wanted === undefined) return [];
  const got = tally(received.map(({ instance }) => instance));
  if (wanted instanceof Map) return compareCounts('requests at', wanted, got);
  const count = wanted as Count;
  return inRange(count, received.length)
    ? []
    : [
        `expected ${describeCount(count)} requests at instances, but they got ${received.length}: ${describeTally(got)}`,
      ];
}

function checkAnswer(expected: CallExpectation, { headers, body, durationMs }: ObservedAnswer): readonly string[] {
  const problems = [...expected.headers].flatMap(([name, matcher]) => mismatch(name, matcher, headers[name]));
  if (expected.body !== undefined) problems.push(...mismatch('body', expected.body, body));
  const { atLeastMs, withinMs } = expected;
  const tooFast = atLeastMs !== undefined && durationMs < atLeastMs - CLOCK_GRAIN_MS;
  if (tooFast) problems.push(`took ${durationMs.toFixed(1)} ms, expected at least ${atLeastMs}`);
  if (withinMs !== undefined && durationMs > withinMs)
    problems.push(`took ${durationMs.toFixed(1)} ms, expected at most ${withinMs}`);
  return problems;
}

/** Timers of Node round; a call of "100 ms" may be measured as 99.2. */
const CLOCK_GRAIN_MS = 2;

function checkRequest({ sent, path }: CallExpectation, request: ReceivedRequest): readonly string[] {
  return [
    ...[...sent].flatMap(([name, matcher]) => mismatch(name, matcher, request.headers[name])),
    ...(path === undefined ? [] : mismatch('path', path, request.path)),
  ];
}

function mismatch(what: string, matcher: TextMatcher, value: string | undefined): readonly string[] {
  const holds = matcher === null ? value === undefined : value !== undefined && fits(matcher, value);
  const shown = value === undefined ? 'there is none' : `it is ${JSON.stringify(value)}`;
  return holds ? [] : [`expected ${what} ${matcher === null ? 'to be absent' : String(matcher)}, but ${shown}`];
}

function fits(matcher: string | RegExp, value: string): boolean {
  return typeof matcher === 'string' ? matcher === value : matcher.test(value);
}

function tally<T extends string | number>(values: readonly T[]): ReadonlyMap<T, number> {
  const counts = new Map<T, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

function compareCounts<T extends string | number>(
  what: string,
  wanted: ReadonlyMap<T, Count>,
  got: ReadonlyMap<T, number>,
): readonly string[] {
  const names = new Set([...wanted.keys(), ...got.keys()]);
  const wrong = [...names].filter((name) => !inRange(wanted.get(name) ?? { min: 0, max: 0 }, got.get(name) ?? 0));
  if (wrong.length === 0) return [];
  const expected = [...wanted].map(([name, count]) => `${name}: ${describeCount(count)}`).join(', ');
  return [`expected ${what} ${expected}, but got ${describeTally(got)}`];
}

function inRange({ min, max }: Count, value: number): boolean {
  return value >= min && value <= max;
}

function describeCount({ min, max }: Count): string {
  return min === max ? String(min) : `${min}..${max}`;
}

function describeTally(counts: ReadonlyMap<string | number, number>): string {
  return [...counts].map(([name, count]) => `${name}: ${count}`).join(', ');
}
