import type { RouteRuleConfig } from '../config/sections/route-rules.js';
import { DirectAnswer } from '../errors.js';
import type { Invocation } from '../invocation.js';
import { pathOf, queryOf } from './target.js';

/** What a rule answers by itself, without calling anybody. */
export interface RouteAnswer {
  /** For people. */
  readonly text: string;
  answer(call: Invocation): DirectAnswer;
}

export function routeAnswer({ redirect, directResponse }: RouteRuleConfig, rule: string): RouteAnswer | undefined {
  if (redirect !== undefined) return redirectAnswer(redirect, rule);
  return directResponse === undefined ? undefined : directAnswer(directResponse, rule);
}

function redirectAnswer(config: NonNullable<RouteRuleConfig['redirect']>, rule: string): RouteAnswer {
  const { status, scheme, host, path } = config;
  return {
    text: `redirects with ${status}`,
    answer(call) {
      const target = call.path.startsWith('/') ? call.path : '/';
      const location = `${scheme}://${host ?? call.authority}${path ?? pathOf(target)}${queryOf(target)}`;
      call.addResponseField('Location', location);
      return new DirectAnswer(
        'MESH_REDIRECT',
        status,
        '',
        undefined,
        `The rule ${rule} sends the caller to ${location}`,
      );
    },
  };
}

function directAnswer(
  { status, body, contentType }: NonNullable<RouteRuleConfig['directResponse']>,
  rule: string,
): RouteAnswer {
  const answer = new DirectAnswer(
    'MESH_DIRECT_RESPONSE',
    status ?? 200,
    body,
    contentType,
    `The rule ${rule} answers by itself`,
  );
  return { text: `answers with ${status}`, answer: () => answer };
}
