import type { MeshDocument } from '../config/document.js';
import type { RouteRuleConfig, SourceTemplateConfig } from '../config/sections/route-rules.js';
import { CallMatcher } from './call-matcher.js';
import {
  headerCondition,
  methodCondition,
  pathCondition,
  queryCondition,
  sourceCondition,
  sourceTagCondition,
  type Condition,
} from './conditions.js';
import { darklaunchRules } from './darklaunch.js';
import { compileMatchGroups, type MatchGroup } from './match-groups.js';
import { ownIdentity, type OwnIdentity } from './own-identity.js';
import { RouteRule, type RuleSurroundings } from './route-rule.js';
import { routingSchema } from './routing-options.js';
import type { Subsets } from './tag-subset.js';

/** The rules of all services, compiled, in the order in which they are tried. */
export class RuleTable {
  readonly #rules = new Map<string, readonly RouteRule[]>();
  readonly surroundings: RuleSurroundings;
  readonly own: OwnIdentity;
  /** Names in `refer` that neither a match group nor a template has, with the rule. */
  readonly dangling: readonly string[];

  /** @param previous the table of the configuration before: rules that did not change go on where they were */
  constructor(document: MeshDocument, subsets: Subsets, previous: RuleTable | undefined) {
    subsets.renew();
    this.own = ownIdentity(document);
    this.surroundings = { ...document.section('mesher.routing', routingSchema), ownApp: this.own.app, subsets };
    const groups = compileMatchGroups(document);
    const { sourceTemplates } = document;
    const dangling: string[] = [];
    const services = new Set([...document.routeRules.keys(), ...document.darklaunchPolicies.keys()]);
    for (const service of services) {
      const rules = document.routeRules.get(service) ?? [];
      const before = previous?.of(service);
      const compiled = rules.map((config, index) => {
        const name = config.name ?? `routeRule.${service}[${index}]`;
        const { refer } = config.match;
        if (refer !== undefined && !groups.has(refer) && !sourceTemplates.has(refer)) {
          dangling.push(`${name}: refer '${refer}'`);
        }
        const rule = this.#compile(name, config, this.#matcher(config, groups, sourceTemplates), before);
        return { rule, precedence: config.precedence };
      });
      compiled.sort((a, b) => b.precedence - a.precedence);
      this.#rules.set(service, [...compiled.map(({ rule }) => rule), ...this.#darklaunch(document, service, before)]);
    }
    this.dangling = dangling;
  }

  /** The rules for calls to a service; undefined when it has none. */
  of(service: string): readonly RouteRule[] | undefined {
    return this.#rules.get(service);
  }

  /** The services that get copies of calls to others. */
  get mirrorServices(): ReadonlySet<string> {
    const services = new Set<string>();
    for (const rules of this.#rules.values()) {
      for (const { mirror } of rules) if (mirror?.service !== undefined) services.add(mirror.service);
    }
    return services;
  }

  [Symbol.iterator](): Iterator<readonly [service: string, rules: readonly RouteRule[]]> {
    return this.#rules.entries();
  }

  #compile(
    name: string,
    config: RouteRuleConfig,
    matcher: CallMatcher,
    before: readonly RouteRule[] | undefined,
  ): RouteRule {
    return new RouteRule(name, config, matcher, this.surroundings, (fingerprint) =>
      before?.find((rule) => rule.fingerprint === fingerprint),
    );
  }

  #darklaunch(document: MeshDocument, service: string, before: readonly RouteRule[] | undefined): RouteRule[] {
    const policy = document.darklaunchPolicies.get(service);
    if (policy === undefined) return [];
    return darklaunchRules(policy).map(({ matcher, routes }, index) => {
      const route = routes.map((one) => ({ ...NO_ROUTE, ...one }));
      return this.#compile(`darklaunch.${service}[${index}]`, { ...NO_RULE, route }, matcher, before);
    });
  }

  #matcher(
    { match }: RouteRuleConfig,
    groups: ReadonlyMap<string, MatchGroup>,
    templates: ReadonlyMap<string, SourceTemplateConfig>,
  ): CallMatcher {
    const { refer, path, apiPath, method, query, queries } = match;
    const conditions = this.#callerConditions(match);
    if (method.length > 0) conditions.push(methodCondition(method));
    if (path !== undefined) conditions.push(pathCondition(path));
    if (apiPath !== undefined) conditions.push(pathCondition(apiPath));
    conditions.push(...headerConditions(match));
    for (const [name, operators] of [...query, ...queries]) conditions.push(queryCondition(name, operators));
    const template = refer === undefined || groups.has(refer) ? undefined : templates.get(refer);
    if (template !== undefined) conditions.push(...this.#callerConditions(template), ...headerConditions(template));
    else if (refer !== undefined) conditions.push(markCondition(refer, groups.get(refer)));
    return new CallMatcher(conditions);
  }

  #callerConditions({ source, sourceTags }: SourceTemplateConfig): Condition[] {
    const conditions: Condition[] = [];
    if (source !== undefined) conditions.push(sourceCondition(source, this.own));
    for (const [tag, value] of sourceTags) conditions.push(sourceTagCondition(tag, value, this.own));
    return conditions;
  }
}

function headerConditions({ headers, httpHeaders }: SourceTemplateConfig): Condition[] {
  return [...headers, ...httpHeaders].map(([name, operators]) => headerCondition(name, operators));
}

const NO_EDITS = { set: new Map<string, string>(), add: new Map<string, string>(), remove: [] } as const;
const NO_HEADERS = { request: NO_EDITS, response: NO_EDITS } as const;
const NO_ROUTE = { headers: NO_HEADERS, timeout: undefined, retry: undefined, whenEmpty: undefined } as const;
const NO_RULE: Omit<RouteRuleConfig, 'route'> = {
  name: undefined,
  precedence: 0,
  match: {
    ...{ source: undefined, sourceTags: new Map(), headers: new Map(), httpHeaders: new Map(), refer: undefined },
    ...{ path: undefined, apiPath: undefined, method: [], query: new Map(), queries: new Map() },
  },
  headers: NO_HEADERS,
  ...{ rewrite: undefined, redirect: undefined, directResponse: undefined },
  ...{ timeout: undefined, retry: undefined, mirror: undefined, whenEmpty: undefined },
};

/** The mark is on the call; where no traffic marker stands in the chain, the match group is asked itself. */
function markCondition(name: string, group: MatchGroup | undefined): Condition {
  return {
    text: `mark: ${name}`,
    holds: (call) => call.marks.includes(name) || group?.match(call) !== undefined,
    seen: (call) => (call.marks.length === 0 ? 'no mark' : `the marks ${call.marks.join(', ')}`),
  };
}
