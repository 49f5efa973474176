import type { Invocation } from '../invocation.js';
import type { OwnIdentity } from './own-identity.js';
import { pathOf, queryOf, queryParameter } from './target.js';
import { ValueMatcher, type Operators } from './value-matcher.js';

/** One thing that must hold for a call, compiled. */
export interface Condition {
  /** For people: `header x-user: exact 'jason'`. */
  readonly text: string;
  holds(call: Invocation): boolean;
  /** What the call has in that place, for people. */
  seen(call: Invocation): string;
}

/** A value of the call that a condition looks at. */
type Reader = (call: Invocation) => string | undefined;

function valueCondition(what: string, operators: Operators, read: Reader): Condition {
  const matcher = new ValueMatcher(operators);
  return {
    text: `${what}: ${String(matcher)}`,
    // A connection that is not HTTP has nothing of the kind: not even "is not there" is true of it.
    holds: (call) => call.protocol !== 'tcp' && matcher.matches(read(call)),
    seen: (call) => (call.protocol === 'tcp' ? 'no HTTP' : quote(read(call))),
  };
}

/** @param name in any case */
export function headerCondition(name: string, operators: Operators): Condition {
  const lowerCase = name.toLowerCase();
  return valueCondition(`header ${lowerCase}`, operators, (call) => call.header(lowerCase));
}

/** The first of several spellings of a field that the call has. */
export function anyHeaderCondition(names: readonly string[], operators: Operators): Condition {
  return valueCondition(`header ${names.join(' or ')}`, operators, (call) => {
    for (const name of names) {
      const value = call.header(name);
      if (value !== undefined) return value;
    }
    return undefined;
  });
}

export function queryCondition(name: string, operators: Operators): Condition {
  return valueCondition(`query ${name}`, operators, (call) => queryParameter(call.path, name));
}

/** The query as it was sent, without the question mark; empty when there is none, as go-chassis sees it. */
export function wholeQueryCondition(operators: Operators): Condition {
  return valueCondition('query', operators, (call) => queryOf(call.path).slice(1));
}

/** The path without query, as it was sent. */
export function pathCondition(operators: Operators): Condition {
  return valueCondition('path', operators, (call) => pathOf(call.path));
}

/** @param methods in any case */
export function methodCondition(methods: readonly string[]): Condition {
  const wanted = new Set(methods.map((method) => method.toUpperCase()));
  return {
    text: `method: ${[...wanted].join(', ')}`,
    // Methods are case-sensitive (RFC 9110, 9.1), and all of the usual ones are written in capitals.
    holds: (call) => wanted.has(call.method),
    seen: (call) => quote(call.method),
  };
}

export function calledServiceCondition(service: string): Condition {
  return {
    text: `called service: ${service}`,
    holds: (call) => call.destination?.service === service,
    seen: (call) => quote(call.destination?.service),
  };
}

/** The calling service: this one for calls that leave it, the one that was identified for calls that arrive. */
export function sourceCondition(service: string, own: OwnIdentity): Condition {
  const read: Reader = (call) => (call.direction === 'outbound' ? own.service : call.source?.service);
  return { text: `source: ${service}`, holds: (call) => read(call) === service, seen: (call) => quote(read(call)) };
}

/** A tag of the calling service; of one that was identified only `version` and `app` are known. */
export function sourceTagCondition(tag: string, value: string, own: OwnIdentity): Condition {
  const read: Reader = (call) => {
    if (call.direction === 'outbound') return own.tag(tag);
    return tag === 'version' ? call.source?.version : tag === 'app' ? call.source?.app : undefined;
  };
  return {
    text: `source tag ${tag}: ${value}`,
    holds: (call) => read(call) === value,
    seen: (call) => quote(read(call)),
  };
}

function quote(value: string | undefined): string {
  return value === undefined ? 'nothing' : `'${value}'`;
}
