import {
  HANDLER_NAMES,
  ServicePlan,
  silentLogger,
  steadyBalancing,
  systemPorts,
  type Policy,
  type Ports,
} from '@mesher/core';
import { FakeCall, policyContext } from '@mesher/core/testing';

/**
 * What circuit breakers and bulkheads cost: CPU per call of their policy alone, and memory per breaker.
 * Run: `npx tsc -b bench && node --expose-gc bench/dist/micro/breaker-cost.js`
 */

/** Calls per sample: some hundred milliseconds each. */
const CALLS = 2_000_000;
/** Samples; the best one counts, for whatever disturbs only adds. */
const ROUNDS = 5;
/** Breakers whose memory is measured together: enough for everything that exists once not to matter. */
const BREAKERS = 10_000;
/** Distinct paths that the calls go round. */
const PATHS = 1000;

const SUCCESS = { status: 200, code: undefined, aborted: false, durationMs: 3 } as const;
const FAILURE = { ...SUCCESS, status: 503 } as const;

function breakers(scope: string, more = ''): string {
  return `cse:\n  circuitBreaker:\n    scope: ${scope}\n    Consumer:\n      enabled: true\n${more}`;
}

interface Bench {
  readonly policy: Policy;
  readonly ports: Ports;
  readonly plan: ServicePlan;
}

async function bench(yaml: string): Promise<Bench> {
  const ports = systemPorts();
  const files = { 'circuit_breaker.yaml': yaml };
  const context = { ...(await policyContext({ files })), ports, logger: silentLogger() };
  const make = HANDLER_NAMES['bizkeeper-consumer'];
  if (typeof make !== 'function') throw new Error('there is no policy behind bizkeeper-consumer');
  return {
    ports,
    policy: make(context),
    plan: new ServicePlan('world', ports, steadyBalancing(ports), () => undefined),
  };
}

function callTo(plan: ServicePlan, path: string, startedAt: number): FakeCall {
  const call = new FakeCall({ path, startedAt });
  call.plan = plan;
  return call;
}

/** One call, begun and ended. */
function drive(policy: Policy, call: FakeCall, outcome: typeof SUCCESS | typeof FAILURE): void {
  if (policy.before?.(call) === undefined) policy.after?.(call, outcome);
}

/** Nanoseconds of CPU per call. */
async function costOf(yaml: string, isOpen: boolean): Promise<number> {
  const { policy, plan, ports } = await bench(yaml);
  const startedAt = ports.clock.now();
  const calls = Array.from({ length: PATHS }, (_, i) =>
    callTo(plan, `/users/${i * 7919}/orders/${i}?expand=items`, startedAt),
  );
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    if (isOpen) for (const call of calls) drive(policy, call, FAILURE);
    const before = process.cpuUsage();
    for (let i = 0; i < CALLS; i++) {
      const call = calls[i % PATHS] as FakeCall;
      // Time goes on as at a million calls per second, so that the window turns, too.
      call.startedAt = startedAt + i / 1000;
      drive(policy, call, SUCCESS);
    }
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, ((user + system) * 1000) / CALLS);
  }
  return best;
}

function memory(): number {
  const collect = globalThis.gc;
  if (collect === undefined) throw new Error('run node with --expose-gc');
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Bytes per API of a service with its breaker, in heap and buffers; everything that belongs to it is counted. */
async function bytesOf(outcome: typeof SUCCESS | typeof FAILURE): Promise<number> {
  const yaml = breakers('api', `      maxApis: ${BREAKERS + 1}\n      requestVolumeThreshold: 1\n`);
  const { policy, plan, ports } = await bench(yaml);
  const now = ports.clock.now();
  drive(policy, callTo(plan, '/', now), SUCCESS);
  const before = memory();
  // Without figures: each path is a template of its own.
  for (let i = 0; i < BREAKERS; i++) drive(policy, callTo(plan, `/p${letters(i)}`, now), outcome);
  return (memory() - before) / BREAKERS;
}

function letters(number: number): string {
  return [...number.toString(26)].map((digit) => String.fromCharCode(97 + Number.parseInt(digit, 26))).join('');
}

const COSTS: readonly (readonly [string, string, boolean])[] = [
  ['bulkhead alone (the default)', '', false],
  ['and a breaker per service', breakers('service'), false],
  ['and a breaker per API (`/users/{id}/orders/{id}`)', breakers('api'), false],
  ['refused by an open breaker', breakers('service'), true],
];

const lines: string[] = ['| a call | CPU |', '|---|---|'];
for (const [label, yaml, isOpen] of COSTS) lines.push(`| ${label} | ${(await costOf(yaml, isOpen)).toFixed(0)} ns |`);
lines.push('', '| an API with its breaker | memory |', '|---|---|');
lines.push(`| closed | ${(await bytesOf(SUCCESS)).toFixed(0)} B |`);
lines.push(`| open (the state machine of opossum exists) | ${(await bytesOf(FAILURE)).toFixed(0)} B |`);
process.stdout.write(`${lines.join('\n')}\n`);
