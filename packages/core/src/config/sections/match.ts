import { comparisonProblem } from '../../routing/value-matcher.js';
import { s } from '../schema/combinators.js';
import { patternSchema } from '../schema/pattern.js';
import type { Infer } from '../schema/schema.js';

function operators() {
  return {
    exact: s.string({ doc: 'The value is this text.' }),
    noEqu: s.string({ doc: 'The value is another text, or is not there.' }),
    noEqual: s.string({ doc: 'The same as noEqu.' }),
    contains: s.string({ doc: 'The text occurs in the value.' }),
    prefix: s.string({ doc: 'The value begins with the text.' }),
    suffix: s.string({ doc: 'The value ends with the text.' }),
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

function check({ compare }: { readonly compare: string | undefined }): string | undefined {
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
  queries: s.map(valueMatchSchema, { keyName: 'parameter', doc: 'Query parameters, all of which must match.' }),
  serviceName: s.string({ doc: 'Name of the called service.' }),
  name: s.string({ doc: 'A name for people; java-chassis has it.' }),
});

/** `servicecomb.match`: which calls get which mark. */
export const matchGroupSchema = s.map(
  s.yaml(
    s.object({
      matches: s.list(matcherSchema, {
        required: true,
        doc: 'A call gets the mark when one of these matches it; within one, everything must hold.',
      }),
      alias: s.string({ doc: 'A name for people; java-chassis has it.' }),
    }),
  ),
  { keyName: 'mark', doc: 'Which calls get which mark. `servicecomb.matchGroup` is the same.' },
);

export type ValueMatchConfig = Infer<typeof valueMatchSchema>;
export type PathMatchConfig = Infer<typeof pathMatchSchema>;
export type MatchGroupConfig = NonNullable<
  Infer<typeof matchGroupSchema> extends ReadonlyMap<string, infer V> ? V : never
>;
export type MatcherConfig = NonNullable<MatchGroupConfig['matches']>[number];
