import type { FaultConfig } from '../../config/sections/governance.js';
import type { Invocation } from '../../invocation.js';
import { cookieOf } from '../../loadbalance/hash/cookie.js';
import { CallMatcher } from '../../routing/call-matcher.js';
import { headerCondition, type Condition } from '../../routing/conditions.js';
import { ValueMatcher, type Operators } from '../../routing/value-matcher.js';

/** The calls for which a level of faults counts; undefined for all. */
export function faultMatcher({ match }: FaultConfig): CallMatcher | undefined {
  const conditions = [
    ...Array.from(match.headers, ([name, operators]) => headerCondition(name, operators)),
    ...Array.from(match.cookie, ([name, operators]) => cookieCondition(name, operators)),
  ];
  return conditions.length === 0 ? undefined : new CallMatcher(conditions);
}

function cookieCondition(name: string, operators: Operators): Condition {
  const matcher = new ValueMatcher(operators);
  const read = (call: Invocation): string | undefined => cookieOf(call.header('cookie'), name);
  return {
    text: `cookie ${name}: ${String(matcher)}`,
    holds: (call) => call.protocol !== 'tcp' && matcher.matches(read(call)),
    seen: (call) => (read(call) === undefined ? 'no such cookie' : 'another value'),
  };
}
