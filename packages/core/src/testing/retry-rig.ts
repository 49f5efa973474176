import { RetryPlanner } from '../resilience/retry/retry-planner.js';
import { RetryReport } from '../resilience/retry/retry-report.js';
import { executorSettings, type ExecutorSettings } from '../resilience/timeout/executor-settings.js';
import { Endpoint } from '../registry/endpoint.js';
import type { ServicePlan } from '../registry/service-plan.js';
import type { AnswerView, Invocation } from '../invocation.js';
import { MeshEvents } from '../telemetry/mesh-events.js';
import { PolicyMetrics } from '../telemetry/policy-metrics.js';
import { fakePorts, type FakeTime } from './fake-ports.js';
import { meshDocument } from './policy-context.js';

/** What the configuration says about attempts when `cse` of chassis.yaml is `yaml`. */
export async function executorOf(yaml: string): Promise<ExecutorSettings> {
  const lines = yaml.trim().split('\n');
  return executorSettings(
    await meshDocument({ 'chassis.yaml': ['cse:', ...lines.map((line) => `  ${line}`)].join('\n') }),
  );
}

/** A planner over a service with a fixed set of instances, picked in their order. */
export interface RetryRig {
  readonly planner: RetryPlanner;
  readonly plan: ServicePlan;
  readonly endpoints: readonly Endpoint[];
  readonly events: MeshEvents;
  readonly time: FakeTime;
  /** Why attempts were not repeated, with how often. */
  withheld(): Record<string, number>;
  /** Does what a handler does with the first attempt of a call. */
  begin(call: Invocation): Endpoint;
}

export function retryRig(settings: ExecutorSettings, instances = 3): RetryRig {
  const { time, ...ports } = fakePorts();
  const metrics = new PolicyMetrics();
  const events = new MeshEvents(ports.clock);
  const planner = new RetryPlanner(ports, settings, new RetryReport(metrics, events));
  const endpoints = Array.from({ length: instances }, (_, index) => new Endpoint('10.0.0.1', 8000 + index));
  // Of a plan, the planner only asks for its name, its endpoints and the next one.
  const plan = {
    service: 'world',
    candidates: () => ({ endpoints }),
    pick: (_call: Invocation, tried: readonly Endpoint[] | undefined) =>
      endpoints.find((endpoint) => tried?.includes(endpoint) !== true),
  } as unknown as ServicePlan;
  return {
    planner,
    plan,
    endpoints,
    events,
    time,
    withheld: () =>
      Object.fromEntries(
        metrics
          .counter('retriesWithheld')
          .samples()
          .map(({ labels, value }) => [(labels as Record<string, string>)['reason'] ?? '', value]),
      ),
    begin(call) {
      call.startedAt = time.now();
      call.plan = plan;
      planner.begin(call, planner.of(plan));
      const endpoint = plan.pick(call, undefined) as Endpoint;
      call.endpoint = endpoint;
      call.underWay = endpoint;
      return endpoint;
    },
  };
}

/** The head of an answer. */
export function answerOf(status: number, fields: Readonly<Record<string, string>> = {}): AnswerView {
  return { status, header: (name) => fields[name] };
}
