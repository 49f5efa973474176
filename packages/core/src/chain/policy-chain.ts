import type { Rejection } from '../errors.js';
import type { Invocation, Outcome } from '../invocation.js';
import { silentLogger, type Logger } from '../telemetry/logger.js';
import type { Policy } from './policy.js';

/** Policies in their order. In the usual case, where all answer at once, running them is one loop. */
export class PolicyChain {
  constructor(
    readonly policies: readonly Policy[],
    private readonly logger: Logger = silentLogger(),
  ) {}

  /**
   * Runs `before` of each until one rejects; `call.admitted` counts those that let the call pass.
   * @throws whatever a policy throws; the call is then to be ended like any other
   */
  admit(call: Invocation): Rejection | undefined | Promise<Rejection | undefined> {
    const { policies } = this;
    for (let i = call.admitted; i < policies.length; i++) {
      const policy = policies[i] as Policy;
      const answer = policy.before?.(call);
      if (answer !== undefined) return answer instanceof Promise ? this.#admitLater(call, policy, i, answer) : answer;
      call.admitted = i + 1;
    }
    return undefined;
  }

  /** Runs `after` in reverse order, for those policies that let the call pass. One that throws does not keep the others from it. */
  end(call: Invocation, outcome: Outcome): void {
    for (let i = call.admitted - 1; i >= 0; i--) this.#after(this.policies[i] as Policy, call, outcome);
  }

  async #admitLater(
    call: Invocation,
    policy: Policy,
    index: number,
    answer: Promise<Rejection | void>,
  ): Promise<Rejection | undefined> {
    const rejection = await answer;
    if (rejection !== undefined) return rejection;
    if (call.ended) {
      // The caller left meanwhile, and `end` has run: this policy has let the call pass all the same, and gets its `after`.
      this.#after(policy, call, call.outcome as Outcome);
      return undefined;
    }
    call.admitted = index + 1;
    return this.admit(call);
  }

  #after(policy: Policy, call: Invocation, outcome: Outcome): void {
    try {
      policy.after?.(call, outcome);
    } catch (error) {
      this.logger.error({ policy: policy.name, error }, 'a policy failed after a call; what it counts may be wrong');
    }
  }
}
