import { AttemptLedger } from '../chain/attempt-ledger.js';
import { Attempts } from '../chain/attempts.js';
import type { CallHandler, Verdict } from '../chain/call-handler.js';
import { CallRecorder } from '../chain/call-recorder.js';
import { CallerMarks } from '../chain/caller-marks.js';
import { InboundHandler } from '../chain/inbound-handler.js';
import { LocalPorts } from '../chain/local-ports.js';
import { LoopGuard } from '../chain/loop-guard.js';
import { OutboundHandler } from '../chain/outbound-handler.js';
import type { Policy } from '../chain/policy.js';
import { PolicyChain } from '../chain/policy-chain.js';
import { RequestIds } from '../chain/request-ids.js';
import type { ServicePort } from '../config/service-ports.js';
import { LocalGate } from '../health/local-gate.js';
import type { AttemptFailure, Destination, Direction, Invocation, Outcome } from '../invocation.js';
import { steadyBalancing } from '../loadbalance/steady-balancing.js';
import { DEFAULT_DIRECTORY_OPTIONS, type DirectoryOptions } from '../registry/directory-options.js';
import { Endpoint } from '../registry/endpoint.js';
import { ServiceDirectory } from '../registry/service-directory.js';
import { CallDeadlines } from '../resilience/timeout/call-deadlines.js';
import { DEFAULT_EXECUTOR_SETTINGS, type ExecutorSettings } from '../resilience/timeout/executor-settings.js';
import { RetryPlanner } from '../resilience/retry/retry-planner.js';
import { RetryReport } from '../resilience/retry/retry-report.js';
import type { Egress } from '../routing/egress/egress.js';
import type { DestinationResolver } from '../resolver/contracts.js';
import { CallMetrics } from '../telemetry/call-metrics.js';
import { MeshEvents } from '../telemetry/mesh-events.js';
import { PolicyMetrics } from '../telemetry/policy-metrics.js';
import { fakePorts, type FakeTime } from './fake-ports.js';
import { RecordingLogger } from './recording-logger.js';
import { ScriptedDiscovery } from './scripted-discovery.js';

export interface HandlerRigSettings {
  readonly policies?: readonly Policy[];
  readonly resolver?: DestinationResolver;
  /** What is configured about attempts and their time; the defaults when left out. */
  readonly executor?: ExecutorSettings;
  readonly directory?: Partial<DirectoryOptions>;
  /** Hosts outside the mesh; none when left out. */
  readonly egress?: Egress;
  readonly servicePorts?: readonly ServicePort[];
  readonly isOwnPort?: (port: number) => boolean;
}

/** Both handlers of one sidecar, over a scripted registry and a clock that stands still. */
export interface HandlerRig {
  readonly outbound: CallHandler;
  readonly inbound: CallHandler;
  readonly directory: ServiceDirectory;
  readonly discovery: ScriptedDiscovery;
  readonly retries: RetryPlanner;
  readonly deadlines: CallDeadlines;
  readonly events: MeshEvents;
  readonly policyMetrics: PolicyMetrics;
  readonly metrics: CallMetrics;
  readonly localGate: LocalGate;
  readonly logger: RecordingLogger;
  readonly time: FakeTime;
}

/** The host is the service, a port behind it the port: enough of a resolver for tests. */
const BY_HOST: DestinationResolver = {
  resolve({ authority }): Destination | undefined {
    const [service = '', port] = authority.split(':');
    if (service === '') return undefined;
    return port === undefined ? { service } : { service, port: Number(port) };
  },
};

export function handlerRig(settings: HandlerRigSettings = {}): HandlerRig {
  const { time, ...ports } = fakePorts();
  const discovery = new ScriptedDiscovery();
  const logger = new RecordingLogger();
  const metrics = new CallMetrics();
  const options = { ...DEFAULT_DIRECTORY_OPTIONS, ...settings.directory };
  const directory = new ServiceDirectory(discovery, ports, logger, steadyBalancing(ports), options);
  const resolver = settings.resolver ?? BY_HOST;
  const attempts = new Attempts(ports);
  const executor = settings.executor ?? DEFAULT_EXECUTOR_SETTINGS;
  const events = new MeshEvents(ports.clock);
  const policyMetrics = new PolicyMetrics();
  const retries = new RetryPlanner(ports, executor, new RetryReport(policyMetrics, events));
  const deadlines = new CallDeadlines(ports.clock, 'orders', executor);
  const policies = new PolicyChain(settings.policies ?? [], logger);
  const requestIds = new RequestIds();
  const recorder = new CallRecorder(metrics);
  const outbound = new OutboundHandler({
    requestIds,
    loopGuard: new LoopGuard('self', 'outbound'),
    resolvers: { http: resolver, grpc: resolver, tcp: resolver },
    directory,
    ...(settings.egress === undefined ? {} : { egress: settings.egress }),
    callerMarks: new CallerMarks('orders'),
    policies,
    deadlines,
    retries,
    ledger: new AttemptLedger(ports.clock, policies),
    attempts,
    recorder,
  });
  const localGate = new LocalGate();
  const inbound = new InboundHandler('orders', {
    requestIds,
    loopGuard: new LoopGuard('self', 'inbound'),
    localGate,
    policies,
    localPorts: new LocalPorts(settings.servicePorts ?? [], settings.isOwnPort ?? (() => false)),
    deadlines,
    attempts,
    recorder,
  });
  const measured = { events, policyMetrics, metrics, logger, time };
  return { outbound, inbound, directory, discovery, retries, deadlines, localGate, ...measured };
}

/** Waits for the decision about a call, and does what a wire does with it. */
export async function place(handler: CallHandler, call: Invocation): Promise<Verdict> {
  const verdict = await handler.begin(call);
  if (verdict instanceof Endpoint) call.endpoint = verdict;
  return verdict;
}

/** Reports a failed attempt as a wire does; the default is a connection that was refused. */
export async function failAttempt(
  handler: CallHandler,
  call: Invocation,
  facts: Partial<AttemptFailure> = {},
): Promise<Verdict> {
  const message = `connect ECONNREFUSED ${call.endpoint?.key ?? ''}`;
  const failure: AttemptFailure = { code: 'MESH_ERR_CONNECT', message, sent: false, reusedConnection: false, ...facts };
  const verdict = await handler.again(call, failure);
  if (verdict instanceof Endpoint) call.endpoint = verdict;
  return verdict;
}

/** How a call ended, as a wire reports it; the default is a quick 200. */
export function outcome(facts: Partial<Outcome> = {}): Outcome {
  return { status: 200, code: undefined, aborted: false, durationMs: 1, ...facts };
}

/** Calls under way by service, for those services that ever had one. */
export function inFlight(metrics: CallMetrics, direction: Direction): Record<string, number> {
  const found: Record<string, number> = {};
  for (let slot = 0; slot < metrics.slotCount; slot++) {
    const { service, direction: of } = metrics.slotAt(slot);
    if (of === direction) found[service] = metrics.inFlightOf(slot);
  }
  return found;
}
