import type { MeshDocument } from '../config/document.js';
import { WHOLE_QUERY, type MatcherConfig } from '../config/sections/match.js';
import type { Invocation } from '../invocation.js';
import { CallMatcher } from './call-matcher.js';
import {
  calledServiceCondition,
  headerCondition,
  methodCondition,
  pathCondition,
  queryCondition,
  wholeQueryCondition,
  type Condition,
} from './conditions.js';

/** Names that can stand in a list in a header field; others are marks of this service only. */
const SENDABLE = /^[\x21-\x2b\x2d-\x7e]+$/;

/** One of several ways to match a group. */
interface Alternative {
  readonly matcher: CallMatcher;
  /** The mark goes on with the call, to the services that are called after this one. */
  readonly travels: boolean;
}

/** A match group (`servicecomb.match.{name}`), compiled: it marks a call when one of its alternatives matches. */
export class MatchGroup {
  /** The name alone, as the marks of a call that has no other. */
  readonly alone: readonly string[];
  /** Whether the mark may come with the call, from the service that called this one. */
  readonly travels: boolean;

  constructor(
    readonly name: string,
    private readonly alternatives: readonly Alternative[],
  ) {
    this.alone = [name];
    this.travels = alternatives.some(({ travels }) => travels);
  }

  /** The first alternative that matches: it decides whether the mark goes on with the call. */
  match(call: Invocation): Alternative | undefined {
    for (const alternative of this.alternatives) if (alternative.matcher.matches(call)) return alternative;
    return undefined;
  }

  /** One line per alternative, for people. */
  whyNot(call: Invocation): readonly string[] {
    return this.alternatives.map(({ matcher }) => matcher.whyNot(call) ?? `matches ${String(matcher)}`);
  }
}

/** The match groups of a configuration, in their order. */
export function compileMatchGroups(document: MeshDocument): ReadonlyMap<string, MatchGroup> {
  const groups = new Map<string, MatchGroup>();
  for (const [name, { matches }] of document.matchGroups) {
    const alternatives = (matches ?? []).map((config) => ({
      matcher: new CallMatcher(conditionsOf(config)),
      travels: config.trafficMarkPolicy === 'once' && SENDABLE.test(name),
    }));
    groups.set(name, new MatchGroup(name, alternatives));
  }
  return groups;
}

/** Cheap conditions come first. */
function conditionsOf({ method, serviceName, apiPath, headers, queries }: MatcherConfig): Condition[] {
  return [
    ...(serviceName === undefined ? [] : [calledServiceCondition(serviceName)]),
    ...(method.length === 0 ? [] : [methodCondition(method)]),
    ...(apiPath === undefined ? [] : [pathCondition(apiPath)]),
    ...[...headers].map(([name, operators]) => headerCondition(name, operators)),
    ...[...queries].map(([name, operators]) =>
      name === WHOLE_QUERY ? wholeQueryCondition(operators) : queryCondition(name, operators),
    ),
  ];
}
