import type { Invocation } from '../invocation.js';
import type { Condition } from './conditions.js';

/** Conditions, all of which must hold. Without any it matches every call. */
export class CallMatcher {
  constructor(readonly conditions: readonly Condition[]) {}

  matches(call: Invocation): boolean {
    for (const condition of this.conditions) if (!condition.holds(call)) return false;
    return true;
  }

  /** Why the call does not match; undefined when it does. For people. */
  whyNot(call: Invocation): string | undefined {
    const failed = this.conditions.find((condition) => !condition.holds(call));
    return failed === undefined ? undefined : `wants ${failed.text}; the call has ${failed.seen(call)}`;
  }

  /** For people. */
  toString(): string {
    return this.conditions.length === 0 ? 'every call' : this.conditions.map(({ text }) => text).join(', ');
  }
}
