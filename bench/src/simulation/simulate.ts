import {
  ServicePlan,
  makeInstance,
  steadyBalancing,
  type Instance,
  type Random,
  type SteadySettings,
} from '@mesher/core';
import { FakeCall, FakeTime, SeededRandom } from '@mesher/core/testing';
import { Backend, type BackendNature } from './backend.js';

/** What is simulated. */
export interface Scenario {
  readonly id: string;
  readonly title: string;
  /** What is the matter with which backends. */
  readonly text: string;
  readonly backends: readonly BackendNature[];
  /** Sidecars, each of which decides by what it has seen itself. */
  readonly clients: number;
  /** Requests per second of all clients together; they come at random times (Poisson). */
  readonly rate: number;
  readonly durationMs: number;
  /** Time that passes before anything is counted. */
  readonly warmUpMs: number;
  /** Index of the backend whose share is shown. */
  readonly watched: number;
}

/** One request that was counted. */
export interface Sample {
  readonly startedAt: number;
  readonly durationMs: number;
  readonly status: number;
  readonly backend: number;
}

const PORT = 80;

/** Time in which the longest queue is worked off. */
const DRAIN_MS = 300_000;

/** Runs a scenario with the balancing of Mesher itself: the same plans, strategies and ejection as in a sidecar. */
export function simulate(scenario: Scenario, settings: SteadySettings, seed: number): readonly Sample[] {
  const time = new FakeTime();
  const random = (salt: number): Random => new SeededRandom(seed * 1_000_003 + salt);
  const backends = scenario.backends.map((nature, index) => new Backend(nature, time, random(index + 1)));
  const samples: Sample[] = [];
  for (let client = 0; client < scenario.clients; client++) {
    const ports = { clock: time, timers: time, random: random(1000 + client) };
    const plan = new ServicePlan('world', ports, steadyBalancing(ports, settings), () => undefined);
    publishAll(plan, scenario, time);
    const arrivals = random(2000 + client);
    const gap = (): number => (-Math.log(1 - arrivals.next()) * 1000 * scenario.clients) / scenario.rate;
    const arrive = (): void => {
      if (time.now() >= scenario.durationMs) return;
      time.after(gap(), arrive);
      send(plan, backends, time, (sample) => {
        if (sample.startedAt >= scenario.warmUpMs) samples.push(sample);
      });
    };
    time.after(gap(), arrive);
  }
  // Whatever waits is answered in the end: what an overloaded backend did not get to must not be left out.
  time.advance(scenario.durationMs + DRAIN_MS);
  return samples;
}

function send(plan: ServicePlan, backends: readonly Backend[], time: FakeTime, done: (sample: Sample) => void): void {
  const call = new FakeCall();
  const endpoint = plan.pick(call, undefined);
  if (endpoint === undefined) return;
  const backend = Number(endpoint.host);
  const startedAt = time.now();
  plan.started(endpoint);
  (backends[backend] as Backend).handle((status) => {
    const durationMs = time.now() - startedAt;
    plan.observe(call, endpoint, { status, code: undefined, aborted: false, durationMs });
    done({ startedAt, durationMs, status, backend });
  });
}

/** Each moment at which a backend appears gives a new snapshot. */
function publishAll(plan: ServicePlan, { backends }: Scenario, time: FakeTime): void {
  for (const moment of new Set(backends.map(({ appearsAt }) => appearsAt))) {
    time.after(moment, () => {
      const instances = backends.flatMap(({ appearsAt, weight }, index) =>
        appearsAt <= moment ? [instanceOf(index, weight)] : [],
      );
      plan.apply({ service: 'world', exists: true, revision: String(moment), instances }, time.now());
    });
  }
}

function instanceOf(index: number, weight: number): Instance {
  const host = String(index);
  const addresses = new Map([['rest', { host, port: PORT, tls: false }]]);
  return makeInstance({ service: 'world', instanceId: host, weight, addresses });
}
