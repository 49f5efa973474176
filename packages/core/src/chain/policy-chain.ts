import type { Rejection } from '../errors.js';
import type { Invocation, Outcome } from '../invocation.js';
import type { Policy } from './policy.js';

/** Policies in their order. In the usual case, where all answer at once, running them is one loop. */
export class PolicyChain {
  constructor(readonly policies: readonly Policy[]) {}

  /** Runs `before` of each until one rejects; `call.admitted` counts those that let the call pass. */
  admit(call: Invocation): Rejection | undefined | Promise<Rejection | undefined> {
    const { policies } = this;
    for (let i = call.admitted; i < policies.length; i++) {
      const policy = policies[i] as Policy;
      const answer = policy.before?.(call);
      if (answer !== undefined) {
        if (!(answer instanceof Promise)) return answer as Rejection;
        return answer.then((later) => {
          if (later !== undefined) return later as Rejection;
          // The caller left meanwhile: `after` has run for those before, and must not be missed by those behind.
          if (call.ended) return undefined;
          call.admitted = i + 1;
          return this.admit(call);
        });
      }
      call.admitted = i + 1;
    }
    return undefined;
  }

  /** Runs `after` in reverse order, for those policies that let the call pass. */
  end(call: Invocation, outcome: Outcome): void {
    for (let i = call.admitted - 1; i >= 0; i--) this.policies[i]?.after?.(call, outcome);
  }
}
