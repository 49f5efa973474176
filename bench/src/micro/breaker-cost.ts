/**
 * What breakers and bulkheads cost: CPU per call of the policy, and memory per breaker.
 * Run: `npx tsc -b bench && node --expose-gc bench/dist/micro/breaker-cost.js`
 */
import { createRequire } from 'node:module';
import { bizkeeperConsumer } from '../../../packages/core/dist/resilience/bizkeeper-policy.js';
import { Breaker } from '../../../packages/core/dist/resilience/breaker.js';
import type { BreakerSettings } from '../../../packages/core/dist/resilience/breaker-settings.js';
import { steadyBalancing } from '../../../packages/core/dist/loadbalance/steady-balancing.js';
import { systemPorts } from '../../../packages/core/dist/ports/system.js';
import { ServicePlan } from '../../../packages/core/dist/registry/service-plan.js';
import { FakeCall } from '../../../packages/core/dist/testing/fake-call.js';
import { policyContext } from '../../../packages/core/dist/testing/policy-context.js';

const CALLS = 2_000_000;
const ROUNDS = 5;
const BREAKERS = 10_000;

const ENABLED = '    Consumer:\n      enabled: true\n';

const CONFIGURATIONS: readonly (readonly [string, string])[] = [
  ['bulkhead alone (the default)', ''],
  ['and a breaker per service', `cse:\n  circuitBreaker:\n    scope: service\n${ENABLED}`],
  ['and a breaker per API: GET /users/{id}/orders/{id}', `cse:\n  circuitBreaker:\n    scope: api\n${ENABLED}`],
  ['refused: the breaker is open', `cse:\n  circuitBreaker:\n    scope: service\n${ENABLED}`],
];

/** Nanoseconds per call, best of the rounds: whatever disturbs only adds. */
async function costOf(label: string, yaml: string): Promise<number> {
  const context = { ...(await policyContext({ files: { 'circuit_breaker.yaml': yaml } })), ports: systemPorts() };
  const policy = bizkeeperConsumer(context);
  const plan = new ServicePlan('world', context.ports, steadyBalancing(context.ports), () => undefined);
  const paths = Array.from({ length: 1000 }, (_, i) => `/users/${i * 7919}/orders/${i}?expand=items`);
  const calls = paths.map((path) => {
    const call = new FakeCall({ path });
    call.plan = plan;
    return call;
  });
  const success = { status: 200, code: undefined, aborted: false, durationMs: 3 } as const;
  const isOpen = label.startsWith('refused');
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    for (let i = 0; isOpen && i < 40; i++) {
      const call = calls[i] as FakeCall;
      call.startedAt = context.ports.clock.now();
      if (policy.before?.(call) === undefined) policy.after?.(call, { ...success, status: 503 });
    }
    const startedAt = context.ports.clock.now();
    const before = process.cpuUsage();
    for (let i = 0; i < CALLS; i++) {
      const call = calls[i % 1000] as FakeCall;
      call.startedAt = startedAt + i / 1000;
      if (policy.before?.(call) === undefined) policy.after?.(call, success);
    }
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, ((user + system) * 1000) / CALLS);
  }
  return best;
}

/** What the library costs when each call goes through it. */
async function costOfFire(): Promise<number> {
  const calls = CALLS / 20;
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const circuit = rawOpossum();
    const before = process.cpuUsage();
    for (let i = 0; i < calls; i++) await circuit.fire();
    const { user, system } = process.cpuUsage(before);
    circuit.shutdown();
    best = Math.min(best, ((user + system) * 1000) / calls);
  }
  return best;
}

interface RawCircuit {
  fire(): Promise<unknown>;
  shutdown(): void;
}

function rawOpossum(): RawCircuit {
  const require = createRequire(new URL('../../../packages/core/package.json', import.meta.url));
  const CircuitBreaker = require('opossum') as new (action: () => Promise<void>, options: object) => RawCircuit;
  return new CircuitBreaker(() => Promise.resolve(), {
    timeout: false,
    rollingPercentilesEnabled: false,
    enableSnapshots: false,
    volumeThreshold: 20,
  });
}

const SETTINGS: BreakerSettings = {
  window: { kind: 'time', lengthMs: 10_000, buckets: 10 },
  minCalls: 1,
  failurePercentage: 50,
  slowMs: Infinity,
  slowPercentage: 100,
  sleepMs: 15_000,
  jitter: 0.1,
  probes: 3,
  successes: 2,
  probeTimeoutMs: 30_000,
  forceClosed: false,
};

/** Bytes per object, heap and buffers, after garbage was collected. */
function bytesOf(make: () => unknown): number {
  const collect = globalThis.gc;
  if (collect === undefined) throw new Error('run node with --expose-gc');
  const used = (): number => {
    collect();
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const kept: unknown[] = new Array<unknown>(BREAKERS).fill(undefined);
  make();
  const before = used();
  for (let i = 0; i < BREAKERS; i++) kept[i] = make();
  const bytes = (used() - before) / BREAKERS;
  if (kept.length !== BREAKERS) throw new Error('the objects were collected');
  return bytes;
}

function breaker(): Breaker {
  const name = { service: 'world', part: 'GET /' };
  const made = new Breaker(name, SETTINGS, systemPorts(), { changed: () => undefined });
  made.record('success', 1, 1);
  return made;
}

function tripped(): Breaker {
  const made = breaker();
  made.record('failure', 2, 1);
  return made;
}

const lines: string[] = ['| what | CPU per call |', '|---|---|'];
for (const [label, yaml] of CONFIGURATIONS) lines.push(`| ${label} | ${(await costOf(label, yaml)).toFixed(0)} ns |`);
lines.push(`| opossum's own \`fire\`, for comparison | ${(await costOfFire()).toFixed(0)} ns |`, '');
lines.push('| what | memory |', '|---|---|');
lines.push(`| a breaker, closed | ${bytesOf(breaker).toFixed(0)} B |`);
lines.push(`| a breaker, open: opossum's state machine exists | ${bytesOf(tripped).toFixed(0)} B |`);
lines.push(`| an opossum circuit as it is, closed | ${bytesOf(rawOpossum).toFixed(0)} B and a timer |`);
process.stdout.write(`${lines.join('\n')}\n`);
process.exit(0);
