import type { RouteConfig, RouteRuleConfig } from '../config/sections/route-rules.js';
import type { RetryRule } from '../resilience/retry/retry-rule.js';
import type { CallMatcher } from './call-matcher.js';
import { HeaderEdits } from './header-edits.js';
import { Mirror } from './mirror.js';
import { Rewrite } from './rewrite.js';
import { routeAnswer, type RouteAnswer } from './route-answer.js';
import type { RouteChoice } from './route-choice.js';
import type { Subset } from './subset.js';
import { LATEST, type Subsets } from './tag-subset.js';
import { WeightedTurns } from './weighted-turns.js';

/** One way that the calls of a rule may go, compiled. */
export interface Route extends RouteChoice {
  /** Undefined: whatever the default is. */
  readonly subset: Subset | undefined;
  readonly headers: HeaderEdits | undefined;
  /** Share of the calls of the rule, of {@link RouteRule.totalWeight}. */
  readonly weight: number;
  /** Calls that went this way. */
  count: number;
}

/** What rules are compiled with. */
export interface RuleSurroundings {
  readonly ownApp: string;
  readonly whenEmpty: Subset['whenEmpty'];
  readonly default: 'all' | 'latest';
  readonly subsets: Subsets;
}

/** A route rule, compiled. */
export class RouteRule {
  /** What the rule says; equal for equal rules, so that one that did not change goes on where it was. */
  readonly fingerprint: string;
  readonly routes: readonly Route[];
  readonly totalWeight: number;
  readonly headers: HeaderEdits | undefined;
  readonly rewrite: Rewrite | undefined;
  readonly answer: RouteAnswer | undefined;
  readonly mirror: Mirror | undefined;
  readonly #turns: WeightedTurns | undefined;

  /**
   * @param name for people: `routeRule.world[0]`
   * @param previous the same rule in the configuration before, if it was there: its turns and counts go on
   */
  constructor(
    readonly name: string,
    config: RouteRuleConfig,
    readonly matcher: CallMatcher,
    surroundings: RuleSurroundings,
    previous: (fingerprint: string) => RouteRule | undefined,
  ) {
    const { ownApp, whenEmpty, default: versions } = surroundings;
    // Not the name: a rule that was not given one is called by its place, and keeps its turns when another is written before it.
    this.fingerprint = JSON.stringify([config, ownApp, whenEmpty, versions], (_key, value: unknown) =>
      value instanceof Map ? [...(value as Map<unknown, unknown>)] : value,
    );
    const before = previous(this.fingerprint);
    this.routes = compileRoutes(name, config, surroundings);
    this.totalWeight = this.routes.reduce((sum, { weight }) => sum + weight, 0);
    this.#turns =
      this.routes.length > 1
        ? new WeightedTurns(
            this.routes.map(({ weight }) => weight),
            before?.position,
          )
        : undefined;
    for (const [index, route] of this.routes.entries()) route.count = before?.routes[index]?.count ?? 0;
    this.headers = HeaderEdits.of(config.headers);
    this.rewrite = config.rewrite === undefined ? undefined : new Rewrite(config.rewrite);
    this.answer = routeAnswer(config, name);
    this.mirror = before?.mirror ?? compileMirror(config.mirror, surroundings);
  }

  get position(): number {
    return this.#turns?.position ?? 0;
  }

  /** The route whose turn it is. */
  next(): Route {
    return this.routes[this.#turns?.next() ?? 0] as Route;
  }

  /** Whose turn it would be. */
  peek(): Route {
    return this.routes[this.#turns?.peek() ?? 0] as Route;
  }
}

function compileRoutes(rule: string, config: RouteRuleConfig, surroundings: RuleSurroundings): Route[] {
  const whenEmpty = config.whenEmpty ?? surroundings.whenEmpty;
  if (config.route.length === 0) {
    return [
      {
        ...choiceOf(`${rule} -> default`, config, undefined),
        subset: undefined,
        headers: undefined,
        weight: 1,
        count: 0,
      },
    ];
  }
  const weights = shares(config.route.map(({ weight }) => weight));
  const routes = config.route.map((route, index): Route => {
    const subset = subsetOf(route.tags, surroundings, route.whenEmpty ?? whenEmpty);
    return {
      ...choiceOf(`${rule} -> ${subset.name}`, config, route),
      subset,
      headers: HeaderEdits.of(route.headers),
      weight: weights.of[index] as number,
      count: 0,
    };
  });
  if (weights.rest > 0) {
    const apps = new Set(config.route.map(({ tags }) => tags.get('app') ?? surroundings.ownApp));
    const [app = surroundings.ownApp] = apps.size === 1 ? apps : [];
    const tags = new Map([
      ['version', [LATEST]],
      ['app', [app]],
    ]);
    const subset = surroundings.subsets.of(tags, surroundings.ownApp, whenEmpty);
    const choice = choiceOf(`${rule} -> ${subset.name} (rest)`, config, undefined);
    routes.push({ ...choice, subset, headers: undefined, weight: weights.rest, count: 0 });
  }
  // A route that gets nothing would only be in the way of those that do.
  return routes.filter(({ weight }) => weight > 0);
}

/** Whole shares of the routes, and what is left over. Routes without a weight share what the others leave. */
function shares(weights: readonly (number | undefined)[]): { readonly of: readonly number[]; readonly rest: number } {
  const given = weights.reduce<number>((sum, weight) => sum + (weight ?? 0), 0);
  const open = weights.filter((weight) => weight === undefined).length;
  const left = WHOLE - given;
  if (open === 0) return { of: weights as readonly number[], rest: left };
  // Times the number of those that share, so that every share is a whole number.
  return { of: weights.map((weight) => (weight === undefined ? left : weight * open)), rest: 0 };
}

const WHOLE = 100;

function choiceOf(name: string, rule: RouteRuleConfig, route: RouteConfig | undefined): RouteChoice {
  const timeout = route?.timeout ?? rule.timeout;
  return { name, timeoutMs: timeout === 0 ? Infinity : timeout, retry: retryOf(route?.retry ?? rule.retry) };
}

function retryOf(config: RouteRuleConfig['retry']): RetryRule | undefined {
  if (config === undefined) return undefined;
  const { maxAttempts, retryOnSame, retryOn, perTryTimeout } = config;
  return {
    ...(maxAttempts === undefined ? {} : { maxAttempts }),
    ...(retryOnSame === undefined ? {} : { retryOnSame }),
    ...(retryOn === undefined ? {} : { retryOn }),
    ...(perTryTimeout === undefined ? {} : { perTryTimeoutMs: perTryTimeout }),
  };
}

function compileMirror(config: RouteRuleConfig['mirror'], surroundings: RuleSurroundings): Mirror | undefined {
  if (config === undefined) return undefined;
  return new Mirror(config, subsetOf(config.tags, surroundings, 'fail'));
}

/**
 * The instances with these tags, of the own application unless `app` is among them. Without a version, the default for calls without
 * a rule decides between all versions and the newest one.
 */
function subsetOf(
  tags: ReadonlyMap<string, string>,
  { ownApp, subsets, default: versions }: RuleSurroundings,
  whenEmpty: Subset['whenEmpty'],
): Subset {
  const values = new Map<string, readonly string[]>();
  for (const [tag, value] of tags) values.set(tag, valuesOf(value));
  if (!values.has('version') && versions === 'latest') values.set('version', [LATEST]);
  if (!values.has('app')) values.set('app', [ownApp]);
  return subsets.of(values, ownApp, whenEmpty);
}

/** `1.0,1.1` is either of them. */
function valuesOf(text: string): readonly string[] {
  return text
    .split(',')
    .map((value) => value.trim())
    .filter((value) => value !== '');
}
