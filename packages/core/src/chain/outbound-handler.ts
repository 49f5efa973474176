import { Rejection } from '../errors.js';
import type { AttemptFailure, CallProtocol, Destination, Direction, Invocation, Outcome } from '../invocation.js';
import type { Clock } from '../ports/ports.js';
import type { Endpoint } from '../registry/endpoint.js';
import type { ServiceDirectory } from '../registry/service-directory.js';
import type { ServicePlan } from '../registry/service-plan.js';
import type { DestinationResolver } from '../resolver/contracts.js';
import { UNKNOWN_SERVICE } from '../telemetry/call-metrics.js';
import type { Attempts } from './attempts.js';
import type { CallHandler, Verdict } from './call-handler.js';
import type { CallRecorder } from './call-recorder.js';
import type { CallerMarks } from './caller-marks.js';
import type { LoopGuard } from './loop-guard.js';
import type { PolicyChain } from './policy-chain.js';
import type { RequestIds } from './request-ids.js';

/** The stations of an outbound call, in the order in which it passes them. */
export interface OutboundStations {
  readonly loopGuard: LoopGuard;
  readonly resolvers: Readonly<Record<CallProtocol, DestinationResolver>>;
  readonly directory: ServiceDirectory;
  readonly requestIds: RequestIds;
  readonly callerMarks: CallerMarks;
  readonly policies: PolicyChain;
  readonly attempts: Attempts;
  readonly recorder: CallRecorder;
  readonly clock: Clock;
}

/** Field that tells the called sidecar which port the caller wrote into the URL. */
const PORT_FIELD = 'x-forwarded-port';

/** The verdict about a call whose caller left while it was being decided; nobody reads it. */
const GONE: Rejection = new Rejection('MESH_ERR_TIMEOUT');

/** Decides about calls of the local application: loop guard → destination → plan → marks → policies → endpoint. */
export class OutboundHandler implements CallHandler {
  readonly direction: Direction = 'outbound';

  constructor(private readonly stations: OutboundStations) {}

  begin(call: Invocation): Verdict | Promise<Verdict> {
    const { recorder, loopGuard, resolvers } = this.stations;
    const loop = loopGuard.check(call);
    const destination = loop === undefined ? (call.destination ?? resolvers[call.protocol].resolve(call)) : undefined;
    if (destination === undefined) {
      recorder.started(call, recorder.slot(call, UNKNOWN_SERVICE));
      return loop ?? this.#unresolved(call);
    }
    if (!(destination instanceof Promise)) return this.#planned(call, destination);
    return destination.then((later) => {
      if (call.ended) return GONE;
      if (later !== undefined) return this.#planned(call, later);
      recorder.started(call, recorder.slot(call, UNKNOWN_SERVICE));
      return this.#unresolved(call);
    });
  }

  again(call: Invocation, failure: AttemptFailure): Verdict {
    const { attempts, recorder } = this.stations;
    const { endpoint, plan } = call;
    if (endpoint !== undefined) attempts.failed(endpoint, failure);
    const refusal = attempts.mayRepeat(call, failure);
    if (refusal !== undefined) return refusal;
    // A pooled connection that turned out to be dead says nothing about the instance: a new connection may go there.
    if (endpoint !== undefined && !failure.reusedConnection) (call.tried ??= []).push(endpoint);
    const next = plan?.pick(call, call.tried);
    if (next === undefined || (call.tried?.includes(next) ?? false)) return attempts.lastWord(call, failure);
    recorder.retried(call, failure.code);
    return next;
  }

  connected(endpoint: Endpoint): void {
    this.stations.attempts.reached(endpoint);
  }

  end(call: Invocation, outcome: Outcome): void {
    call.ended = true;
    const { policies, recorder } = this.stations;
    if (call.plan !== undefined && call.endpoint !== undefined) call.plan.observe(call, call.endpoint, outcome);
    policies.end(call, outcome);
    recorder.ended(call, outcome);
  }

  #planned(call: Invocation, destination: Destination): Verdict | Promise<Verdict> {
    call.destination = destination;
    const { directory, recorder } = this.stations;
    const plan = directory.plan(destination.service);
    if (plan === undefined) {
      recorder.started(call, recorder.slot(call, UNKNOWN_SERVICE));
      return new Rejection(
        'MESH_ERR_OVERLOADED',
        'Too many different services are called; raise mesher.directory.maxServices',
      );
    }
    if (plan.state !== 'pending') return this.#admitted(call, plan);
    return directory.whenKnown(destination.service).then(() => (call.ended ? GONE : this.#admitted(call, plan)));
  }

  #admitted(call: Invocation, plan: ServicePlan): Verdict | Promise<Verdict> {
    const { callerMarks, clock, policies, recorder, requestIds } = this.stations;
    call.plan = plan;
    plan.lastUsedAt = clock.now();
    requestIds.apply(call);
    if (plan.state !== 'known') {
      recorder.started(call, recorder.slot(call, UNKNOWN_SERVICE));
      return plan.state === 'pending'
        ? new Rejection('MESH_ERR_REGISTRY_UNAVAILABLE', `The registry has not answered yet about ${plan.service}`, 1)
        : new Rejection('MESH_ERR_NO_ROUTE', `No service named ${plan.service} is registered`);
    }
    if (plan.metricsSlot < 0) plan.metricsSlot = recorder.slot(call, plan.service);
    recorder.started(call, plan.metricsSlot);
    callerMarks.apply(call);
    const port = call.destination?.port;
    if (port !== undefined) call.setHeader(PORT_FIELD, String(port));
    const rejection = policies.admit(call);
    if (rejection === undefined) return this.#pick(call, plan);
    if (!(rejection instanceof Promise)) return rejection;
    return rejection.then((later) => later ?? (call.ended ? GONE : this.#pick(call, plan)));
  }

  #pick(call: Invocation, plan: ServicePlan): Verdict {
    return (
      plan.pick(call, undefined) ??
      new Rejection('MESH_ERR_NO_INSTANCE', `No instance of ${plan.service} is up and speaks ${call.protocol}`, 1)
    );
  }

  #unresolved(call: Invocation): Rejection {
    return call.protocol === 'http'
      ? new Rejection(
          'MESH_ERR_NO_ROUTE',
          `The host ${call.authority === '' ? '(none)' : call.authority} names no service`,
        )
      : new Rejection(
          'MESH_ERR_NO_ROUTE',
          `Nothing tells which service a ${call.protocol} connection from ${call.remoteAddress} is for`,
        );
  }
}
