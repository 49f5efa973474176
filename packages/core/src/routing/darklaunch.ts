import { DARKLAUNCH_CONDITION, type DarklaunchConfig } from '../config/sections/darklaunch.js';
import { CallMatcher } from './call-matcher.js';
import { anyHeaderCondition } from './conditions.js';
import type { Operators } from './value-matcher.js';

/** A rule of the first kind, in the terms of the present one. */
export interface DarklaunchRule {
  readonly matcher: CallMatcher;
  readonly routes: readonly { readonly tags: ReadonlyMap<string, string>; readonly weight: number | undefined }[];
}

/** The rules that a `darklaunch.policy` stands for, in the order in which they are tried. */
export function darklaunchRules({ policyType, ruleItems }: DarklaunchConfig): readonly DarklaunchRule[] {
  const items = ruleItems ?? [];
  if (policyType === 'RATE') {
    const routes = items.map((item) => ({
      tags: tagsOf(item.groupCondition ?? ''),
      weight: Number(item.policyCondition),
    }));
    return [{ matcher: new CallMatcher([]), routes }];
  }
  return items.map(({ groupCondition, policyCondition, caseInsensitive }) => ({
    matcher: new CallMatcher([conditionOf(policyCondition ?? '', caseInsensitive)]),
    routes: [{ tags: tagsOf(groupCondition ?? ''), weight: undefined }],
  }));
}

/** `version=1.0,1.1; zone=a` */
function tagsOf(text: string): ReadonlyMap<string, string> {
  const pairs = text.split(';').filter((pair) => pair.trim() !== '');
  return new Map(
    pairs.map((pair) => {
      const equals = pair.indexOf('=');
      return [pair.slice(0, equals).trim(), pair.slice(equals + 1).trim()];
    }),
  );
}

function conditionOf(text: string, caseInsensitive: boolean): ReturnType<typeof anyHeaderCondition> {
  const [, name = '', operator = '=', value = ''] = DARKLAUNCH_CONDITION.exec(text) ?? [];
  const lower = name.toLowerCase();
  // go-chassis writes `user_id` as `UserId`; in HTTP the same thing is called `user-id`.
  const spellings = new Set([lower, lower.replaceAll('_', '-'), lower.replaceAll('_', '')]);
  return anyHeaderCondition([...spellings], { ...operatorOf(operator, value), caseInsensitive });
}

function operatorOf(operator: string, value: string): Operators {
  switch (operator) {
    case '!=':
      return { noEqu: value };
    case '>':
      return { greater: Number(value) };
    case '>=':
      return { noLess: Number(value) };
    case '<':
      return { less: Number(value) };
    case '<=':
      return { noGreater: Number(value) };
    case '~':
      return { regex: value };
    default:
      return { exact: value };
  }
}
