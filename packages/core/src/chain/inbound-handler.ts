import { Rejection } from '../errors.js';
import type { AttemptFailure, Destination, Direction, Invocation, Outcome } from '../invocation.js';
import type { Attempts } from './attempts.js';
import type { CallHandler, Verdict } from './call-handler.js';
import type { CallRecorder } from './call-recorder.js';
import type { LocalPorts } from './local-ports.js';
import type { LoopGuard } from './loop-guard.js';
import type { PolicyChain } from './policy-chain.js';
import type { RequestIds } from './request-ids.js';

/** The stations of an inbound call, in the order in which it passes them. */
export interface InboundStations {
  readonly loopGuard: LoopGuard;
  readonly requestIds: RequestIds;
  readonly policies: PolicyChain;
  readonly localPorts: LocalPorts;
  readonly attempts: Attempts;
  readonly recorder: CallRecorder;
}

const FORWARDED_HOST_FIELD = 'x-forwarded-host';

/** Decides about calls to the local application: loop guard → policies → local port. */
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
    const { recorder, loopGuard, requestIds, policies } = this.stations;
    call.destination ??= this.#own;
    if (this.#slot < 0) this.#slot = recorder.slot(call, this.#own.service);
    recorder.started(call, this.#slot);
    const loop = loopGuard.check(call);
    if (loop !== undefined) return loop;
    requestIds.apply(call);
    const rejection = policies.admit(call);
    if (rejection === undefined) return this.#target(call);
    if (!(rejection instanceof Promise)) return rejection;
    return rejection.then((later) => later ?? this.#target(call));
  }

  /** There is one local application: only a pooled connection that was already dead is worth a second try. */
  again(call: Invocation, failure: AttemptFailure): Verdict {
    const { attempts, recorder } = this.stations;
    const refusal = attempts.mayRepeat(call, failure);
    if (refusal !== undefined) return this.#explained(refusal);
    if (!failure.reusedConnection || call.endpoint === undefined)
      return this.#explained(attempts.lastWord(call, failure));
    recorder.retried(call, failure.code);
    return call.endpoint;
  }

  connected(): void {
    // the local application never rests
  }

  end(call: Invocation, outcome: Outcome): void {
    call.ended = true;
    this.stations.policies.end(call, outcome);
    this.stations.recorder.ended(call, outcome);
  }

  #target(call: Invocation): Verdict {
    const target = this.stations.localPorts.target(call);
    if (!(target instanceof Rejection) && call.header(FORWARDED_HOST_FIELD) === undefined) {
      call.addHeader(FORWARDED_HOST_FIELD, call.authority);
    }
    return target;
  }

  #explained(rejection: Rejection): Rejection {
    if (rejection.code !== 'MESH_ERR_CONNECT') return rejection;
    return new Rejection(
      rejection.code,
      rejection.message,
      rejection.retryAfterSeconds,
      'The application behind this sidecar does not listen there: start it, or correct --service-ports',
    );
  }
}
