import { BalanceReports } from '../loadbalance/balance-reports.js';
import { steadyBalancing, type SteadySettings } from '../loadbalance/steady-balancing.js';
import type { Endpoint } from '../registry/endpoint.js';
import type { Instance } from '../registry/instance.js';
import { ServicePlan } from '../registry/service-plan.js';
import { MeshEvents } from '../telemetry/mesh-events.js';
import { FakeCall } from './fake-call.js';
import { fakePorts, type FakeTime } from './fake-ports.js';
import { httpInstance } from './instances.js';

/** A plan of the service `world` with rules of its own, over a clock that stands still. */
export interface BalanceRig {
  readonly plan: ServicePlan;
  readonly time: FakeTime;
  readonly events: MeshEvents;
  /** Publishes a snapshot. */
  publish(...instances: Instance[]): void;
  /** The endpoint at `10.0.0.{n}:80`. */
  at(n: number): Endpoint;
  /** Sends calls and answers them; counts where they went, by the last number of the address. */
  send(calls: number, status?: number | ((endpoint: Endpoint) => number)): Record<number, number>;
}

/** An instance at `10.0.0.{n}:80`. */
export function numbered(n: number, facts: Partial<Instance> = {}): Instance {
  return httpInstance(`10.0.0.${n}:80`, facts);
}

export function balanceRig(settings: SteadySettings, ...instances: Instance[]): BalanceRig {
  const { time, ...ports } = fakePorts();
  const events = new MeshEvents(ports.clock);
  const balancing = steadyBalancing(ports, { reports: new BalanceReports(events), ...settings });
  const plan = new ServicePlan('world', ports, balancing, () => undefined);
  let revision = 0;
  const publish = (...list: Instance[]): void => {
    plan.apply({ service: 'world', exists: true, revision: String(revision++), instances: list }, time.now());
  };
  publish(...instances);
  return {
    plan,
    time,
    events,
    publish,
    at: (n) => plan.candidates('http').endpoints.find(({ host }) => host === `10.0.0.${n}`) as Endpoint,
    send(calls, status = 200) {
      const counts: Record<number, number> = {};
      for (let i = 0; i < calls; i++) {
        const call = new FakeCall();
        const endpoint = plan.pick(call, undefined) as Endpoint;
        const n = Number(endpoint.host.split('.')[3]);
        counts[n] = (counts[n] ?? 0) + 1;
        plan.started(endpoint);
        const answer = typeof status === 'number' ? status : status(endpoint);
        plan.observe(call, endpoint, { status: answer, code: undefined, aborted: false, durationMs: 1 });
      }
      return counts;
    },
  };
}
