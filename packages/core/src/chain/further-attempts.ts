import type { Rejection, ErrorCode } from '../errors.js';
import { grpcStatusName } from '../grpc/status.js';
import type { AnswerView, AttemptFailure, Invocation } from '../invocation.js';
import type { Endpoint } from '../registry/endpoint.js';
import type { ServicePlan } from '../registry/service-plan.js';
import type { CallDeadlines } from '../resilience/timeout/call-deadlines.js';
import type { NextAttempt, RetryPlanner } from '../resilience/retry/retry-planner.js';
import type { AttemptLedger } from './attempt-ledger.js';
import type { Attempts } from './attempts.js';
import { GONE, type Verdict } from './call-handler.js';
import type { CallRecorder } from './call-recorder.js';
import type { PolicyChain } from './policy-chain.js';

/** What takes part in attempts after the first one. */
export interface FurtherStations {
  readonly policies: PolicyChain;
  readonly deadlines: CallDeadlines;
  readonly retries: RetryPlanner;
  readonly ledger: AttemptLedger;
  readonly attempts: Attempts;
  readonly recorder: CallRecorder;
}

/** The attempts of an outbound call after its first one: repetitions and hedges. */
export class FurtherAttempts {
  constructor(private readonly stations: FurtherStations) {}

  again(call: Invocation, failure: AttemptFailure): Verdict | Promise<Verdict> {
    const { ledger, retries } = this.stations;
    const { plan } = call;
    call.failedAttempts++;
    this.#tire(call, call.endpoint, failure);
    ledger.failed(call, failure);
    const next = plan === undefined ? undefined : retries.again(call, plan, failure);
    return next === undefined ? this.#lastWord(call, failure) : this.#goOn(call, next, failure);
  }

  answered(call: Invocation, answer: AnswerView): Endpoint | Promise<Verdict> | undefined {
    const { ledger, retries } = this.stations;
    const { endpoint, plan } = call;
    const next = plan === undefined ? undefined : retries.answered(call, plan, answer);
    if (next === undefined) return undefined;
    call.failedAttempts++;
    ledger.answered(call, answer);
    const code: ErrorCode = 'MESH_ERR_STATUS';
    const message = `${endpoint?.key ?? ''} answered ${describeStatus(answer)}`;
    return this.#goOn(call, next, { code, message, sent: true, reusedConnection: false });
  }

  hedge(call: Invocation): Endpoint | undefined {
    const { ledger, retries } = this.stations;
    const { plan } = call;
    const next = plan === undefined ? undefined : retries.hedge(call, plan);
    if (next !== undefined) ledger.beside(call, plan as ServicePlan, next);
    return next;
  }

  isFailure(call: Invocation, answer: AnswerView): boolean {
    const { plan } = call;
    return plan !== undefined && this.stations.retries.isFailure(call, plan, answer);
  }

  lost(call: Invocation, endpoint: Endpoint, failure: AttemptFailure | undefined): void {
    if (failure !== undefined) {
      call.failedAttempts++;
      (call.tried ??= []).push(endpoint);
      this.#tire(call, endpoint, failure);
    }
    this.stations.ledger.lost(call, endpoint, failure);
  }

  /** Where a further attempt goes, now or after a wait. */
  #goOn(call: Invocation, next: NonNullable<NextAttempt>, failure: AttemptFailure): Endpoint | Promise<Verdict> {
    if (!(next instanceof Promise)) return this.#next(call, next, failure.code);
    return next.then((endpoint) => {
      if (call.ended) return GONE;
      return endpoint === undefined ? this.#lastWord(call, failure) : this.#next(call, endpoint, failure.code);
    });
  }

  #next(call: Invocation, endpoint: Endpoint, because: ErrorCode): Endpoint {
    const { deadlines, ledger, recorder, retries } = this.stations;
    const plan = call.plan as ServicePlan;
    recorder.retried(call, because);
    ledger.next(call, plan, endpoint);
    deadlines.renew(call, retries.of(plan), call.attemptStartedAt);
    return endpoint;
  }

  #lastWord(call: Invocation, failure: AttemptFailure): Rejection {
    const { attempts, policies } = this.stations;
    return policies.instead(call, attempts.lastWord(call, failure));
  }

  #tire(call: Invocation, endpoint: Endpoint | undefined, failure: AttemptFailure): void {
    const { attempts, retries } = this.stations;
    if (endpoint === undefined || call.plan === undefined) return;
    attempts.failed(endpoint, failure, retries.of(call.plan).connectRest);
  }
}

/** The status that the caller would see. */
function describeStatus({ status, grpcStatus }: AnswerView): string {
  return grpcStatus === undefined ? String(status) : grpcStatusName(grpcStatus);
}
