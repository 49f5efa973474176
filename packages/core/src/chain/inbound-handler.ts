import { ERRORS, Rejection } from '../errors.js';
import type { LocalGate } from '../health/local-gate.js';
import type { AttemptFailure, Destination, Direction, Invocation, Outcome } from '../invocation.js';
import type { CallDeadlines } from '../resilience/timeout/call-deadlines.js';
import type { Attempts } from './attempts.js';
import { GONE, type CallHandler, type Verdict } from './call-handler.js';
import type { CallRecorder } from './call-recorder.js';
import { LocalDestination } from './local-destination.js';
import type { LocalPorts } from './local-ports.js';
import type { LoopGuard } from './loop-guard.js';
import type { PolicyChain } from './policy-chain.js';
import type { RequestIds } from './request-ids.js';

/** The stations of an inbound call, in the order in which it passes them. */
export interface InboundStations {
  readonly requestIds: RequestIds;
  readonly loopGuard: LoopGuard;
  readonly localGate: LocalGate;
  readonly policies: PolicyChain;
  readonly localPorts: LocalPorts;
  readonly deadlines: CallDeadlines;
  readonly attempts: Attempts;
  readonly recorder: CallRecorder;
}

const FORWARDED_HOST_FIELD = 'x-forwarded-host';

/** Attempts of one inbound call, the first included: a dead pooled connection, and the other loopback address. */
const MAX_ATTEMPTS = 3;

/** Decides about calls to the local application: id → loop guard → local gate → policies → local port. */
export class InboundHandler implements CallHandler {
  readonly direction: Direction = 'inbound';
  readonly #own: Destination;
  #slot = -1;

  /** @param service name of the local application */
  constructor(
    service: string,
    private readonly stations: InboundStations,
  ) {
    this.#own = { service };
  }

  begin(call: Invocation): Verdict | Promise<Verdict> {
    const { deadlines, recorder, localGate, loopGuard, requestIds, policies } = this.stations;
    call.destination ??= this.#own;
    if (this.#slot < 0) this.#slot = recorder.slot(call, this.#own.service);
    recorder.started(call, this.#slot);
    recorder.arrived(call);
    requestIds.apply(call);
    const refusal = loopGuard.check(call) ?? localGate.check() ?? deadlines.beginInbound(call);
    if (refusal !== undefined) return policies.instead(call, refusal);
    const rejection = policies.admit(call);
    if (rejection === undefined) return this.#target(call);
    if (!(rejection instanceof Promise)) return policies.instead(call, rejection);
    return rejection.then((later) => {
      if (call.ended) return GONE;
      const late = later ?? deadlines.isOver(call);
      return late === undefined ? this.#target(call) : policies.instead(call, late);
    });
  }

  /**
   * There is one local application. Worth a second try are a pooled connection that was already dead, and the other loopback
   * address when the application does not listen on the first one.
   */
  again(call: Invocation, failure: AttemptFailure): Verdict {
    const { attempts, localPorts, policies, recorder } = this.stations;
    const { endpoint } = call;
    call.failedAttempts++;
    const isRefused = failure.code === 'MESH_ERR_CONNECT' && !failure.sent;
    // Who was called at an address of this machine is not to be reached at loopback, where strangers may not call.
    const isMovable = isRefused && !(call.destination instanceof LocalDestination);
    const other = isMovable && endpoint !== undefined ? localPorts.otherFamily(endpoint) : undefined;
    let next = failure.reusedConnection ? endpoint : undefined;
    if (other !== undefined && endpoint !== undefined && call.tried === undefined) {
      call.tried = [endpoint];
      next = other;
    }
    if (next === undefined || !mayRepeat(call, failure)) {
      return policies.instead(call, isRefused ? nobodyListens(call, failure) : attempts.lastWord(call, failure));
    }
    recorder.retried(call, failure.code);
    return next;
  }

  begun(call: Invocation, status: number, grpcStatus?: number): void {
    this.stations.policies.begun(call, status, grpcStatus);
  }

  instead(call: Invocation, rejection: Rejection): Rejection {
    return this.stations.policies.instead(call, rejection);
  }

  connected(): void {
    // the local application never rests
  }

  end(call: Invocation, outcome: Outcome): void {
    call.ended = true;
    call.outcome = outcome;
    call.wake?.();
    this.stations.policies.end(call, outcome);
    this.stations.recorder.ended(call, outcome);
  }

  #target(call: Invocation): Verdict {
    const { destination } = call;
    if (destination instanceof LocalDestination) return destination.endpoint;
    const target = this.stations.localPorts.target(call);
    if (!(target instanceof Rejection) && call.header(FORWARDED_HOST_FIELD) === undefined) {
      const { authority } = call;
      if (authority !== '') call.addHeader(FORWARDED_HOST_FIELD, authority);
    }
    return target instanceof Rejection ? this.stations.policies.instead(call, target) : target;
  }
}

/** The application cannot have executed the request, or may execute it twice; and all of the body is still there. */
function mayRepeat(call: Invocation, failure: AttemptFailure): boolean {
  const { retryable } = ERRORS[failure.code];
  const isHarmless = !failure.sent || (call.idempotent && retryable === 'maybe-executed');
  return retryable !== 'no' && isHarmless && call.bodyReplayable && call.failedAttempts < MAX_ATTEMPTS;
}

function nobodyListens(call: Invocation, failure: AttemptFailure): Rejection {
  const { endpoint, tried } = call;
  const where = [...(tried ?? []), endpoint].flatMap((one) => one?.key ?? []).join(' nor on ');
  return new Rejection(
    failure.code,
    `The application does not answer on ${where}: ${failure.message}`,
    undefined,
    'Start the application behind this sidecar, or correct --service-ports',
  );
}
