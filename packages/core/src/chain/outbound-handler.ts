import { Rejection } from '../errors.js';
import type {
  AnswerView,
  AttemptFailure,
  CallProtocol,
  Destination,
  Direction,
  Invocation,
  Outcome,
} from '../invocation.js';
import type { Endpoint } from '../registry/endpoint.js';
import { nobody } from '../registry/nobody.js';
import type { ServiceDirectory } from '../registry/service-directory.js';
import type { ServicePlan } from '../registry/service-plan.js';
import type { CallDeadlines } from '../resilience/timeout/call-deadlines.js';
import type { RetryPlanner } from '../resilience/retry/retry-planner.js';
import { EgressPlan } from '../routing/egress/egress-plan.js';
import type { EgressTarget } from '../routing/egress/egress-plans.js';
import type { Egress } from '../routing/egress/egress.js';
import type { DestinationResolver } from '../resolver/contracts.js';
import { UNKNOWN_SERVICE } from '../telemetry/call-metrics.js';
import type { AttemptLedger } from './attempt-ledger.js';
import type { Attempts } from './attempts.js';
import { GONE, type CallHandler, type Verdict } from './call-handler.js';
import type { CallRecorder } from './call-recorder.js';
import type { CallerMarks } from './caller-marks.js';
import { FurtherAttempts } from './further-attempts.js';
import type { LoopGuard } from './loop-guard.js';
import type { PolicyChain } from './policy-chain.js';
import { unknownService, unresolved } from './refusals.js';
import type { RequestIds } from './request-ids.js';

/** The stations of an outbound call, in the order in which it passes them. */
export interface OutboundStations {
  readonly requestIds: RequestIds;
  readonly loopGuard: LoopGuard;
  readonly resolvers: Readonly<Record<CallProtocol, DestinationResolver>>;
  readonly directory: ServiceDirectory;
  /** Hosts outside the mesh; left out where nothing leads there. */
  readonly egress?: Egress;
  readonly callerMarks: CallerMarks;
  readonly policies: PolicyChain;
  readonly deadlines: CallDeadlines;
  readonly retries: RetryPlanner;
  readonly ledger: AttemptLedger;
  readonly attempts: Attempts;
  readonly recorder: CallRecorder;
}

/** Field that tells the called sidecar which port the caller wrote into the URL. */
const PORT_FIELD = 'x-forwarded-port';

/** Decides about calls of the local application: id → loop guard → destination → plan → marks → policies → endpoint. */
export class OutboundHandler implements CallHandler {
  readonly direction: Direction = 'outbound';

  readonly #further: FurtherAttempts;

  constructor(private readonly stations: OutboundStations) {
    this.#further = new FurtherAttempts(stations);
  }

  begin(call: Invocation): Verdict | Promise<Verdict> {
    const { loopGuard, requestIds, resolvers } = this.stations;
    requestIds.apply(call);
    const loop = loopGuard.check(call);
    if (loop !== undefined) return this.#refuse(call, loop);
    const destination = call.destination ?? resolvers[call.protocol].resolve(call);
    if (!(destination instanceof Promise)) return this.#planned(call, destination);
    call.waited = true;
    return destination.then((later) => (call.ended ? GONE : this.#planned(call, later)));
  }

  again(call: Invocation, failure: AttemptFailure): Verdict | Promise<Verdict> {
    return this.#further.again(call, failure);
  }

  answered(call: Invocation, answer: AnswerView): Endpoint | Promise<Verdict> | undefined {
    return this.#further.answered(call, answer);
  }

  hedge(call: Invocation): Endpoint | undefined {
    return this.#further.hedge(call);
  }

  isFailure(call: Invocation, answer: AnswerView): boolean {
    return this.#further.isFailure(call, answer);
  }

  lost(call: Invocation, endpoint: Endpoint, failure: AttemptFailure | undefined): void {
    this.#further.lost(call, endpoint, failure);
  }

  begun(call: Invocation, status: number, grpcStatus?: number): void {
    this.stations.policies.begun(call, status, grpcStatus);
  }

  instead(call: Invocation, rejection: Rejection): Rejection {
    return this.stations.policies.instead(call, rejection);
  }

  connected(endpoint: Endpoint): void {
    this.stations.attempts.reached(endpoint);
  }

  end(call: Invocation, outcome: Outcome): void {
    call.ended = true;
    call.outcome = outcome;
    const { attempts, ledger, policies, recorder } = this.stations;
    const { endpoint, plan } = call;
    call.wake?.();
    policies.end(call, outcome);
    recorder.ended(call, outcome);
    if (plan === undefined) return;
    plan.calls--;
    plan.lastUsedAt = call.startedAt + outcome.durationMs;
    // A pooled connection has served the call, so nobody reports a new one: the endpoint is there.
    if (endpoint !== undefined && endpoint.connectFailures !== 0 && outcome.code === undefined && !outcome.aborted) {
      attempts.reached(endpoint);
    }
    ledger.end(call, outcome);
  }

  #planned(call: Invocation, destination: Destination | undefined): Verdict | Promise<Verdict> {
    const { deadlines, directory, egress, retries } = this.stations;
    const outside = egress?.planFor(call, destination);
    if (outside !== undefined) return this.#outside(call, destination, outside);
    if (destination === undefined || destination.service === '')
      return this.#unknown(call, destination, unresolved(call));
    call.destination = destination;
    const plan = directory.plan(destination.service);
    if (plan === undefined) {
      return this.#refuse(
        call,
        new Rejection(
          'MESH_ERR_OVERLOADED',
          'Too many different services are called; raise mesher.directory.maxServices',
        ),
      );
    }
    // From here on the plan is in use: it is not given up while the call waits, goes on or is tried again.
    call.plan = plan;
    plan.calls++;
    plan.lastUsedAt = call.startedAt;
    if (plan.state !== 'pending') return this.#admitted(call, plan);
    call.waited = true;
    deadlines.wait(call, retries.of(plan));
    return directory.whenKnown(plan.service).then(() => (call.ended ? GONE : this.#admitted(call, plan)));
  }

  /** The name is that of no service: it may be a host outside the mesh. */
  #unknown(call: Invocation, destination: Destination | undefined, otherwise: Rejection): Verdict | Promise<Verdict> {
    const outside = this.stations.egress?.planForUnknown(call, destination);
    if (outside === undefined) return this.#refuse(call, otherwise);
    if (call.plan !== undefined) call.plan.calls--;
    call.plan = undefined;
    return this.#outside(call, destination, outside);
  }

  /** A call that leaves the mesh, as soon as its host is known. */
  #outside(
    call: Invocation,
    destination: Destination | undefined,
    target: EgressTarget | Promise<EgressTarget>,
  ): Verdict | Promise<Verdict> {
    if (target instanceof Promise) {
      call.waited = true;
      return target.then((later) => (call.ended ? GONE : this.#outside(call, destination, later)));
    }
    if (target instanceof Rejection) return this.#refuse(call, target);
    call.destination = destination ?? { service: target.service };
    call.plan = target;
    target.calls++;
    target.lastUsedAt = call.startedAt;
    return this.#admitted(call, target);
  }

  #admitted(call: Invocation, plan: ServicePlan): Verdict | Promise<Verdict> {
    if (plan.state === 'absent') return this.#unknown(call, call.destination, unknownService(plan));
    if (plan.state !== 'known') return this.#refuse(call, unknownService(plan));
    const { callerMarks, deadlines, policies, recorder, retries } = this.stations;
    if (plan.metricsSlot < 0) plan.metricsSlot = recorder.slot(call, plan.service);
    recorder.started(call, plan.metricsSlot);
    if (!(plan instanceof EgressPlan)) {
      // Nobody outside the mesh has to know who calls here.
      callerMarks.apply(call);
      const port = call.destination?.port;
      if (port !== undefined) call.setHeader(PORT_FIELD, String(port));
    }
    // Before the policies: one of them may let the call wait, and that must not last longer than the call may.
    const late = deadlines.begin(call, retries.of(plan));
    if (late !== undefined) return policies.instead(call, late);
    const rejection = policies.admit(call);
    if (rejection === undefined) return this.#first(call, plan);
    if (!(rejection instanceof Promise)) return policies.instead(call, rejection);
    return rejection.then((later) => {
      if (call.ended) return GONE;
      return later === undefined ? this.#first(call, plan) : policies.instead(call, later);
    });
  }

  /** Where the first attempt goes. */
  #first(call: Invocation, plan: ServicePlan): Verdict {
    const { deadlines, ledger, policies, retries } = this.stations;
    const attempts = retries.of(plan);
    retries.begin(call, attempts);
    const late = deadlines.admit(call, attempts);
    if (late !== undefined) return policies.instead(call, late);
    const endpoint = plan.pick(call, undefined);
    if (endpoint === undefined)
      return policies.instead(call, nobody(plan.service, plan.snapshot?.instances ?? [], call));
    return ledger.first(call, plan, endpoint);
  }

  /** Refuses a call before it is known for which service it counts. */
  #refuse(call: Invocation, rejection: Rejection): Rejection {
    const { recorder } = this.stations;
    recorder.started(call, recorder.slot(call, UNKNOWN_SERVICE));
    return this.instead(call, rejection);
  }
}
