import type { Rejection } from '../errors.js';
import type { Invocation, Outcome } from '../invocation.js';
import type { Endpoint } from '../registry/endpoint.js';
import { silentLogger, type Logger } from '../telemetry/logger.js';
import type { Policy } from './policy.js';

/**
 * Policies in their order; those that have nothing to do are left out. In the usual case, where all answer at once, running them is
 * one loop. A call keeps to the policies it began with.
 */
export class PolicyChain {
  #active: readonly Policy[] = [];
  #watching: readonly Policy[] = [];

  constructor(
    /** All policies, those without anything to do included. */
    readonly policies: readonly Policy[],
    private readonly logger: Logger = silentLogger(),
  ) {
    this.refresh();
  }

  /** The policies that calls which begin now go through. */
  get active(): readonly Policy[] {
    return this.#active;
  }

  /** Asks the policies which of them have something to do; to be called after a change of the configuration. */
  refresh(): void {
    this.#active = this.policies.filter((policy) => policy.isActive !== false);
    this.#watching = this.#active.filter((policy) => policy.watchesAttempts === true);
  }

  /** Resolves when all policies have begun. */
  async start(): Promise<void> {
    await Promise.all(this.policies.map(async (policy) => await policy.start?.()));
  }

  close(): void {
    for (const policy of this.policies) policy.close?.();
  }

  /** Tells the policies that want to hear of it that an attempt was given to `endpoint`. */
  attemptBegan(call: Invocation, endpoint: Endpoint): void {
    for (const policy of this.#watching) policy.attemptBegan?.(call, endpoint);
  }

  /** Tells them how it ended: exactly once for each {@link attemptBegan}. */
  attemptEnded(call: Invocation, endpoint: Endpoint, outcome: Outcome): void {
    for (const policy of this.#watching) policy.attemptEnded?.(call, endpoint, outcome);
  }

  /**
   * Runs `before` of each until one rejects; `call.admitted` counts those that let the call pass.
   * @throws whatever a policy throws; the call is then to be ended like any other
   */
  admit(call: Invocation): Rejection | undefined | Promise<Rejection | undefined> {
    const policies = (call.policies ??= this.#active);
    for (let i = call.admitted; i < policies.length; i++) {
      const policy = policies[i] as Policy;
      const answer = policy.before?.(call);
      if (answer !== undefined) return answer instanceof Promise ? this.#admitLater(call, policy, i, answer) : answer;
      call.admitted = i + 1;
    }
    return undefined;
  }

  /** Tells those that let the call pass that its answer begins. One that throws does not keep the others from it. */
  begun(call: Invocation, status: number, grpcStatus?: number): void {
    for (let i = 0; i < call.admitted; i++) {
      const policy = call.policies?.[i] as Policy;
      try {
        policy.answerBegan?.(call, status, grpcStatus);
      } catch (error) {
        this.logger.error({ policy: policy.name, error }, 'a policy failed when an answer began');
      }
    }
  }

  /** Runs `after` in reverse order, for those policies that let the call pass. One that throws does not keep the others from it. */
  end(call: Invocation, outcome: Outcome): void {
    for (let i = call.admitted - 1; i >= 0; i--) this.#after(call.policies?.[i] as Policy, call, outcome);
  }

  /** What the caller gets when the call is to be answered with `rejection`: a policy may know something better. */
  instead(call: Invocation, rejection: Rejection): Rejection {
    let answer = rejection;
    if (call.policies === undefined && !call.ended) this.#showRefused(call);
    for (const policy of call.policies ?? this.#active) answer = policy.instead?.(call, answer) ?? answer;
    return answer;
  }

  /** The call never came to the chain: those at its beginning that only record see it all the same. */
  #showRefused(call: Invocation): void {
    const policies = (call.policies = this.#active);
    try {
      while (policies[call.admitted]?.seesRefused === true) {
        void policies[call.admitted]?.before?.(call);
        call.admitted++;
      }
    } catch (error) {
      this.logger.error({ policy: policies[call.admitted]?.name, error }, 'a policy failed at a call that was refused');
    }
  }

  async #admitLater(
    call: Invocation,
    policy: Policy,
    index: number,
    answer: Promise<Rejection | void>,
  ): Promise<Rejection | undefined> {
    const rejection = await answer;
    call.waited = true;
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
