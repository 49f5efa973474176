import type { Invocation, Outcome } from '../../invocation.js';
import type { Admission } from '../admission.js';
import { isRelayed, judgeCall, type FailureStatuses } from './breaker-outcomes.js';
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

  /** Probes know by now what they wanted to know. */
  began(status: number, durationMs: number): void {
    for (const { breaker, probe, failures } of this.#breakers) {
      if (probe !== undefined) breaker.endProbe(probe, failures.has(status) ? 'failure' : 'success', durationMs);
    }
  }

  ended(call: Invocation, outcome: Outcome): void {
    for (const bulkhead of this.#bulkheads) bulkhead.left(call, outcome);
    for (const { breaker, probe, failures } of this.#breakers) {
      const judgement = judgeCall(call, outcome, failures);
      if (probe === undefined) breaker.record(judgement, call.startedAt, outcome.durationMs, !isRelayed(call));
      else breaker.endProbe(probe, judgement, outcome.durationMs);
    }
  }

  /** The call was refused after all: it says nothing about the service. */
  giveBack(now: number): void {
    for (const bulkhead of this.#bulkheads) bulkhead.leave(undefined, now);
    for (const { breaker, probe } of this.#breakers) if (probe !== undefined) breaker.endProbe(probe, 'neither', 0);
  }
}
