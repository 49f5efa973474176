import type { FaultConfig } from '../config/sections/governance.js';
import type { Invocation } from '../invocation.js';
import { CallMatcher } from '../routing/call-matcher.js';
import { headerCondition, type Condition } from '../routing/conditions.js';
import { ValueMatcher, type Operators } from '../routing/value-matcher.js';

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
  const read = (call: Invocation): string | undefined => cookieValue(call.header('cookie'), name);
  return {
    text: `cookie ${name}: ${String(matcher)}`,
    holds: (call) => call.protocol !== 'tcp' && matcher.matches(read(call)),
    seen: (call) => (read(call) === undefined ? 'no such cookie' : 'another value'),
  };
}

/**
 * The value of the first cookie of that name (RFC 6265, 4.2), without the quotes it may have.
 * @param field value of the header field; several fields may be joined by `, ` or `; `
 */
export function cookieValue(field: string | undefined, name: string): string | undefined {
  if (field === undefined) return undefined;
  for (let at = 0; at < field.length;) {
    const semicolon = field.indexOf(';', at);
    const end = semicolon < 0 ? field.length : semicolon;
    const equals = field.indexOf('=', at);
    if (equals >= 0 && equals < end && field.slice(at, equals).trim() === name) {
      return field
        .slice(equals + 1, end)
        .trim()
        .replace(/^"(.*)"$/, '$1');
    }
    at = end + 1;
  }
  return undefined;
}
