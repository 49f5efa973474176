import { comparisonProblem } from '../../routing/value-matcher.js';
import { s } from '../schema/combinators.js';
import { ConfigNode } from '../tree/config-node.js';
import { patternSchema } from '../schema/pattern.js';
import type { Infer } from '../schema/schema.js';

function operators() {
  return {
    exact: s.string({ keepsEmpty: true, doc: 'The value is this text.' }),
    noEqu: s.string({
      keepsEmpty: true,
      doc: 'The value is another text, or is not there; with an empty text: it is there and not empty.',
    }),
    noEqual: s.string({ keepsEmpty: true, doc: 'The same as noEqu.' }),
    contains: s.string({ keepsEmpty: true, doc: 'The text occurs in the value.' }),
    prefix: s.string({ keepsEmpty: true, doc: 'The value begins with the text.' }),
    suffix: s.string({ keepsEmpty: true, doc: 'The value ends with the text.' }),
    regex: patternSchema({
      doc: 'The regular expression (RE2, as in Go) is found in the value; anchor it with ^ and $ to compare all of it.',
      reason: 'a linear engine cannot be made to stall by what a caller sends; at most 1000 characters',
    }),
    less: s.number({ doc: 'The value is a number below this one.' }),
    noLess: s.number({ doc: 'The value is a number, this one or above.' }),
    greater: s.number({ doc: 'The value is a number above this one.' }),
    noGreater: s.number({ doc: 'The value is a number, this one or below.' }),
    compare: s.string({ doc: 'An operator and a number, as java-chassis has it: `>=10`.' }),
    exists: s.boolean({ doc: 'true: the value is there, whatever it is; false: it is not there.' }),
    caseInsensitive: s.boolean({ doc: 'Letter case makes no difference.' }),
  };
}

function check(given: { readonly compare: string | undefined }): string | undefined {
  const { compare, ...others } = given;
  const comparisons = Object.entries({ compare, ...others }).filter(([name]) => name !== 'caseInsensitive');
  // A misspelt operator is a notice, like any unknown key; when it is the only one, everything would match.
  if (comparisons.every(([, value]) => value === undefined)) {
    return 'names no comparison, such as exact, regex or exists: is one of them misspelt?';
  }
  return compare === undefined ? undefined : comparisonProblem(compare);
}

/** Comparisons of one value, all of which must hold; a bare text stands for `exact`. */
export const valueMatchSchema = s.shorthand(s.object(operators(), { check }), 'exact');

/** Comparisons of a path; a bare text is a template. */
export const pathMatchSchema = s.shorthand(
  s.object(
    {
      ...operators(),
      template: s.string({
        pattern: /^\//,
        expectation: "a path that starts with '/'",
        doc: 'A path with places: {name} or * for one segment, ** at the end for all that follows (`/users/{id}/**`).',
      }),
    },
    { check, optional: true },
  ),
  'template',
);

/** Name under which a matcher keeps operators for the whole query: no parameter has it. */
export const WHOLE_QUERY = '';

const QUERY_OPERATORS: ReadonlySet<string> = new Set(['exact', 'contains', 'regex', 'noEqu']);

/** `queries: {contains: wait}`, as go-chassis has it, speaks of the query as a whole and not of a parameter `contains`. */
function namingWholeQuery(node: ConfigNode): ConfigNode {
  const isWhole = [...node.children].every(([key, { leaf }]) => QUERY_OPERATORS.has(key) && leaf?.kind === 'scalar');
  if (!isWhole || !node.hasKeys) return node;
  const named = new ConfigNode(node.origin);
  named.children.set(WHOLE_QUERY, node);
  return named;
}

const matcherSchema = s.object({
  trafficMarkPolicy: s.oneOf(['once', 'perService'], {
    ignoreCase: true,
    default: 'perService',
    doc: 'once: the mark is passed on in the header X-Mark, and taken from there by the services that are called; perService: each service decides for itself. Only names of visible ASCII characters can be passed on.',
    reason: 'what goes on without being asked for can surprise other teams',
  }),
  headers: s.map(valueMatchSchema, {
    keyName: 'header',
    doc: 'Header fields, all of which must match; letter case of names makes no difference.',
  }),
  apiPath: pathMatchSchema,
  method: s.list(s.string(), {
    commaSeparated: true,
    default: [],
    doc: 'Methods, one of which must be that of the call.',
  }),
  queries: s.otherForm(
    s.map(valueMatchSchema, {
      keyName: 'parameter',
      doc: 'Query parameters, all of which must match. Bare operators (`{contains: wait}`) compare the query as a whole, as it was sent.',
    }),
    namingWholeQuery,
    s.object({
      exact: s.string({ doc: 'The query is this text.' }),
      contains: s.string({ doc: 'The text occurs in the query.' }),
      regex: patternSchema({ doc: 'The regular expression is found in the query.' }),
      noEqu: s.string({ doc: 'The query is another text.' }),
    }),
  ),
  serviceName: s.string({ doc: 'Name of the called service.' }),
  name: s.string({ doc: 'A name for people; java-chassis has it.' }),
});

const groupSchema = s.object({
  matches: s.list(matcherSchema, {
    required: true,
    doc: 'A call gets the mark when one of these matches it; within one, everything must hold. A single one may stand in the place of the group.',
  }),
  alias: s.string({ doc: 'A name for people; java-chassis has it.' }),
});

/** The guides of go-chassis show a group with one matcher without `matches`. */
function withMatches(node: ConfigNode): ConfigNode {
  const { children, origin } = node;
  if (children.has('matches') || ![...children.keys()].some((key) => matcherSchema.fieldNames?.has(key))) return node;
  const matcher = new ConfigNode(origin);
  const group = new ConfigNode(origin);
  for (const [key, child] of children) (key === 'alias' ? group : matcher).children.set(key, child);
  const matches = new ConfigNode(origin);
  matches.leaf = { kind: 'list', items: [matcher], origin };
  group.children.set('matches', matches);
  return group;
}

/** `servicecomb.match`: which calls get which mark. */
export const matchGroupSchema = s.map(s.yaml(s.otherForm(groupSchema, withMatches, matcherSchema)), {
  keyName: 'mark',
  doc: 'Which calls get which mark. `servicecomb.matchGroup` is the same.',
});

export type ValueMatchConfig = Infer<typeof valueMatchSchema>;
export type PathMatchConfig = Infer<typeof pathMatchSchema>;
export type MatchGroupConfig = NonNullable<
  Infer<typeof matchGroupSchema> extends ReadonlyMap<string, infer V> ? V : never
>;
export type MatcherConfig = NonNullable<MatchGroupConfig['matches']>[number];
