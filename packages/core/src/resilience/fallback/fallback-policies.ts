import { fallbackPolicySchema, fallbackSchema } from '../../config/sections/fallback.js';
import { sideValues } from '../../config/sections/by-side.js';
import type { MeshDocument } from '../../config/document.js';
import { DirectAnswer, MeshError, Rejection, type ErrorCode } from '../../errors.js';
import type { Direction, Invocation } from '../../invocation.js';
import type { InstalledPlugins } from '../../plugin/installed-plugins.js';
import type { Logger } from '../../telemetry/logger.js';
import { CODE_JUDGEMENTS } from '../breaker/breaker-outcomes.js';
import { sideOf } from '../config-side.js';
import type { Fallback } from './fallback.js';

/** What answers for a service: nothing but the error, an empty answer, or a plugin. */
export type FallbackChoice = 'throwexception' | 'returnnull' | { readonly name: string; readonly plugin: Fallback };

export interface FallbackRule {
  readonly choice: FallbackChoice;
  /** No call is let through. */
  readonly force: boolean;
}

const BUILT_IN = ['returnnull', 'throwexception'] as const;

/** What `cse.fallback` and `cse.fallbackpolicy` say about a service. @throws MeshError MESH_ERR_UNKNOWN_FALLBACK */
export function fallbackRule(
  document: MeshDocument,
  direction: Direction,
  service: string,
  plugins: InstalledPlugins,
): FallbackRule {
  const side = sideOf(direction);
  const { enabled, force } = sideValues(document.section('cse.fallback', fallbackSchema)[side], service);
  if (!enabled) return { choice: 'throwexception', force: false };
  const { policy } = sideValues(document.section('cse.fallbackpolicy', fallbackPolicySchema)[side], service);
  return { choice: choose(policy, `cse.fallbackpolicy.${side}`, service, plugins), force };
}

/**
 * Looks at the policies of all services, so that a wrong name is found when the configuration is read and not at the first failure.
 * @throws MeshError MESH_ERR_UNKNOWN_FALLBACK naming the known ones
 */
export function checkFallbackPolicies(document: MeshDocument, direction: Direction, plugins: InstalledPlugins): void {
  const side = sideOf(direction);
  const { policy, services } = document.section('cse.fallbackpolicy', fallbackPolicySchema)[side];
  choose(policy, `cse.fallbackpolicy.${side}`, '', plugins);
  for (const [service, own] of services) {
    if (own.policy !== undefined) choose(own.policy, `cse.fallbackpolicy.${side}`, service, plugins);
  }
}

function choose(policy: string, key: string, service: string, plugins: InstalledPlugins): FallbackChoice {
  if (policy === 'returnnull' || policy === 'throwexception') return policy;
  const plugin = plugins.find('fallback', policy);
  if (plugin !== undefined) return { name: policy, plugin };
  const known = [...BUILT_IN, ...plugins.names('fallback')].join(', ');
  throw new MeshError(
    'MESH_ERR_UNKNOWN_FALLBACK',
    `${service === '' ? key : `${key}.${service}`}.policy names the fallback '${policy}', which does not exist; known are ${known}`,
  );
}

/** Codes of the policy itself: every fallback answers for them. */
const OWN_CODES: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['MESH_ERR_BREAKER_OPEN', 'MESH_ERR_BULKHEAD_FULL']);

/**
 * What the caller gets in place of `rejection`: the empty answer for calls that were not let through, or what a plugin says, also
 * for calls that failed after all attempts. A gRPC caller cannot be given an empty answer, for a message of no bytes means
 * something else in each protocol: it gets the error.
 */
export function fallBack(choice: FallbackChoice, call: Invocation, rejection: Rejection, logger: Logger): Rejection {
  // What is an answer already needs none in its place.
  if (choice === 'throwexception' || rejection instanceof DirectAnswer) return rejection;
  const isOwn = OWN_CODES.has(rejection.code);
  if (choice === 'returnnull') {
    return isOwn && call.protocol === 'http'
      ? new DirectAnswer(rejection.code, 200, '', undefined, rejection.message)
      : rejection;
  }
  if (!isOwn && CODE_JUDGEMENTS[rejection.code] !== 'failure') return rejection;
  try {
    return withCode(checkAnswer(choice.plugin.answer(call, rejection)), rejection.code);
  } catch (error) {
    logger.error(
      { fallback: choice.name, error },
      'a fallback failed; the caller gets the error that it should have replaced',
    );
    return rejection;
  }
}

/**
 * Plugins are written in JavaScript, too: what is no answer would be taken for the address of an instance further on.
 * @throws TypeError saying what it should have been
 */
function checkAnswer(answer: unknown): Rejection {
  if (!(answer instanceof Rejection)) {
    throw new TypeError('a fallback gives back, at once, a DirectAnswer or Rejection of the @mesher/core that runs it');
  }
  if (answer instanceof DirectAnswer && typeof (answer.body as unknown) !== 'string') {
    throw new TypeError('the body of a DirectAnswer is a text');
  }
  return answer;
}

/** Breakers and metrics go by the code: a call that failed stays one, however kind the answer is. */
function withCode(answer: Rejection, code: ErrorCode): Rejection {
  if (answer.code === code || !(answer instanceof DirectAnswer)) return answer;
  return answer.withCode(code);
}
