import type { Invocation } from '../invocation.js';

/** In rate limits and faults by mark: stands for calls that carry no mark at all. */
const NO_MARK = 'none';

/** True when the call carries the mark; `none` is what a call without marks carries. */
export function carriesMark(call: Invocation, mark: string): boolean {
  return mark === NO_MARK ? call.marks.length === 0 : call.marks.includes(mark);
}
