import type { Invocation, Outcome } from '../../invocation.js';
import type { Admission, AnswerStart } from '../admission.js';
import { isRelayed, judgeBeginning, judgeCall, waitOf, type FailureStatuses } from './breaker-outcomes.js';
import type { Probe } from './breaker-probes.js';
import type { Breaker } from './breaker.js';
import type { Bulkhead } from '../bulkhead/bulkhead.js';

interface HeldBreaker {
  readonly breaker: Breaker;
  /** Undefined when the breaker was closed. */
  readonly probe: Probe | undefined;
  readonly failures: FailureStatuses;
}

/** What one call holds that is more than a guard: probes, and what policies by mark have for it. */
export class HeldByCall implements Admission {
  readonly #breakers: HeldBreaker[] = [];
  readonly #bulkheads: Bulkhead[] = [];

  breaker(breaker: Breaker, failures: FailureStatuses, probe?: Probe): void {
    this.#breakers.push({ breaker, probe, failures });
  }

  bulkhead(bulkhead: Bulkhead): void {
    this.#bulkheads.push(bulkhead);
  }

  /** Probes know by now what they wanted to know, if the answer says so at its beginning. */
  began(call: Invocation, { status, grpcStatus }: AnswerStart, durationMs: number): void {
    for (const { breaker, probe, failures } of this.#breakers) {
      if (probe === undefined) continue;
      const judgement = judgeBeginning(call, status, grpcStatus, failures);
      if (judgement === undefined) probe.isAnswered = true;
      else breaker.endProbe(probe, judgement, durationMs);
    }
  }

  ended(call: Invocation, outcome: Outcome): void {
    for (const bulkhead of this.#bulkheads) bulkhead.left(call, outcome);
    for (const { breaker, probe, failures } of this.#breakers) {
      const judgement = judgeCall(call, outcome, failures);
      if (probe === undefined)
        breaker.record(judgement, call.startedAt, outcome.durationMs, isRelayed(call) ? 0 : waitOf(outcome));
      else breaker.endProbe(probe, judgement, waitOf(outcome));
    }
  }

  /** The call was refused after all: it says nothing about the service. */
  giveBack(now: number): void {
    for (const bulkhead of this.#bulkheads) bulkhead.leave(undefined, now);
    for (const { breaker, probe } of this.#breakers) if (probe !== undefined) breaker.endProbe(probe, 'neither', 0);
  }
}
