import { s } from '../schema/combinators.js';
import { patternSchema } from '../schema/pattern.js';
import type { Infer } from '../schema/schema.js';
import { headerEditsSchema } from './header-edits.js';
import { pathMatchSchema, valueMatchSchema } from './match.js';
import { retryOnList } from './retry.js';

function retryRule() {
  return s.object(
    {
      maxAttempts: s.integer({ min: 1, max: 20, doc: 'Most attempts of one call, the first included.' }),
      retryOnSame: s.integer({
        min: 0,
        max: 20,
        doc: 'Attempts after the first that may go to the instance that has failed.',
      }),
      retryOn: retryOnList({ doc: 'What is worth another attempt: conditions and statuses.' }),
      perTryTimeout: s.duration({ min: '1ms', bareUnit: 'ms', doc: 'Time that one attempt has.' }),
    },
    { optional: true, doc: 'When calls of the rule are tried again, in place of cse.loadbalance.' },
  );
}

function timeout() {
  return s.duration({
    min: '0s',
    bareUnit: 'ms',
    doc: 'Time that a call has until its answer begins, in place of cse.isolation; 0 for none.',
  });
}

function whenEmpty() {
  return s.oneOf(['fail', 'any'], { doc: 'As mesher.routing.whenEmpty, for this route.' });
}

const tags = s.map(s.string(), {
  keyName: 'tag',
  doc: 'Tags of the instances that are meant: version (or `latest`), app, any of their metadata. A missing app is the own one.',
});

const routeSchema = s.object({
  tags,
  weight: s.integer({
    min: 0,
    max: 100,
    doc: 'Percent of the calls. Routes without a weight share what the others leave; what is left then goes to the newest version.',
  }),
  headers: headerEditsSchema,
  timeout: timeout(),
  retry: retryRule(),
  whenEmpty: whenEmpty(),
});

const PATH = {
  pattern: /^\/[\x21\x22\x24-\x3e\x40-\x7e]*$/,
  expectation: "a path that starts with '/', without query",
} as const;
const HOST = { pattern: /^[\w.-]+(:\d{1,5})?$/, expectation: 'a host name, with a port if need be' } as const;

const rewriteSchema = s.object(
  {
    path: s.string({ ...PATH, doc: 'Replaces the whole path; the query stays.' }),
    prefix: s.object(
      {
        from: s.string({ ...PATH, required: true, doc: 'Beginning of the path, in whole segments.' }),
        to: s.string({ ...PATH, required: true, doc: 'What replaces it.' }),
      },
      { optional: true },
    ),
    regex: s.object(
      {
        pattern: patternSchema({ doc: 'What is replaced in the path (RE2).' }),
        substitution: s.string({
          pattern: /^[\x21\x22\x24-\x3e\x40-\x7e]*$/,
          expectation: 'a part of a path',
          doc: 'What replaces it; $1 or \\1 stand for groups.',
        }),
      },
      { optional: true, check: ({ pattern }) => (pattern === undefined ? "needs 'pattern'" : undefined) },
    ),
    host: s.string({ ...HOST, doc: 'Replaces the Host field.' }),
  },
  {
    optional: true,
    check: ({ path, prefix, regex }) =>
      [path, prefix, regex].filter((one) => one !== undefined).length > 1
        ? "set one of 'path', 'prefix' and 'regex'"
        : undefined,
  },
);

const redirectSchema = s.object(
  {
    status: s.integer({
      default: 302,
      min: 301,
      max: 308,
      doc: 'Status of the answer.',
      reason: 'clients remember a 301 for ever',
    }),
    scheme: s.oneOf(['http', 'https'], { default: 'http', doc: 'Scheme of the Location.' }),
    host: s.string({ ...HOST, doc: 'Host of the Location, with a port if need be; that of the call when left out.' }),
    path: s.string({ ...PATH, doc: 'Path of the Location; that of the call when left out. The query stays.' }),
  },
  {
    optional: true,
    doc: 'Answers with a redirect instead of calling anybody.',
    check: ({ status }) => ([304, 305, 306].includes(status) ? 'status must be 301, 302, 303, 307 or 308' : undefined),
  },
);

const directResponseSchema = s.object(
  {
    status: s.integer({ min: 200, max: 599, required: true, doc: 'Status of the answer.' }),
    body: s.string({ default: '', doc: 'Text of the answer.' }),
    contentType: s.string({
      default: 'text/plain; charset=utf-8',
      pattern: /^[\x20-\x7e]+$/,
      expectation: 'a media type',
      doc: 'Media type of the text.',
    }),
  },
  { optional: true, doc: 'Answers with this instead of calling anybody.' },
);

const mirrorSchema = s.object(
  {
    service: s.string({ doc: 'Service that gets copies; the called one when left out.' }),
    tags,
    percentage: s.number({ default: 100, min: 0, max: 100, doc: 'Share of the calls that are copied.' }),
    host: s.string({ ...HOST, doc: 'Host field of the copies; that of the call with `-shadow` when left out.' }),
  },
  { optional: true, doc: 'Sends copies of the calls elsewhere; their answers are thrown away.' },
);

const ruleMatchSchema = s.object({
  source: s.string({ doc: 'Name of the calling service.' }),
  sourceTags: s.map(s.string(), {
    keyName: 'tag',
    doc: 'Tags of the calling service: version, app, or a property of its instance.',
  }),
  headers: s.map(valueMatchSchema, {
    keyName: 'header',
    doc: 'Header fields, all of which must match; letter case of names makes no difference.',
  }),
  httpHeaders: s.map(valueMatchSchema, { keyName: 'header', doc: 'The same as headers.' }),
  refer: s.string({
    doc: 'Name of a match group (`servicecomb.match`), whose mark is wanted, or of a template (`servicecomb.sourceTemplate`), which must match.',
  }),
  path: pathMatchSchema,
  apiPath: pathMatchSchema,
  method: s.list(s.string(), {
    commaSeparated: true,
    default: [],
    doc: 'Methods, one of which must be that of the call.',
  }),
  query: s.map(valueMatchSchema, { keyName: 'parameter', doc: 'Query parameters, all of which must match.' }),
  queries: s.map(valueMatchSchema, { keyName: 'parameter', doc: 'The same as query.' }),
});

/** `servicecomb.sourceTemplate`: the match groups of go-chassis 1. */
export const sourceTemplateSchema = s.map(
  s.yaml(
    s.object({
      source: s.string({ doc: 'Name of the calling service.' }),
      sourceTags: s.map(s.string(), { keyName: 'tag', doc: 'Tags of the calling service.' }),
      headers: s.map(valueMatchSchema, { keyName: 'header', doc: 'Header fields, all of which must match.' }),
      httpHeaders: s.map(valueMatchSchema, { keyName: 'header', doc: 'The same as headers.' }),
    }),
  ),
  {
    keyName: 'template',
    doc: 'Conditions to which route rules refer by name, as in go-chassis 1. A match group (`servicecomb.match`) of the same name counts instead.',
  },
);

/** Weights are whole percents. The order of turns is laid out ahead, which for a thousand routes without weights would take seconds. */
const MAX_ROUTES = 100;

const ruleSchema = s.object(
  {
    name: s.string({ doc: 'A name for messages and metrics; `routeRule.SERVICE[NUMBER]` when left out.' }),
    precedence: s.integer({
      default: 0,
      doc: 'Rules with a higher one are tried first; of equal ones the first that is written.',
    }),
    match: ruleMatchSchema,
    route: s.list(routeSchema, { default: [], doc: 'Where calls go, and what share of them.' }),
    headers: headerEditsSchema,
    rewrite: rewriteSchema,
    redirect: redirectSchema,
    directResponse: directResponseSchema,
    timeout: timeout(),
    retry: retryRule(),
    mirror: mirrorSchema,
    whenEmpty: whenEmpty(),
  },
  {
    check: ({ route, redirect, directResponse, rewrite, headers, timeout: time, retry, mirror }) => {
      const sum = route.reduce((total, { weight }) => total + (weight ?? 0), 0);
      if (route.length > MAX_ROUTES) return `has ${route.length} routes; at most ${MAX_ROUTES} are possible`;
      if (sum > 100) return `the weights of its routes add up to ${sum}; at most 100 are possible`;
      if (redirect !== undefined && directResponse !== undefined) return "set one of 'redirect' and 'directResponse'";
      const { request, response } = headers;
      const edits = [request, response].some(({ set, add, remove }) => set.size + add.size + remove.length > 0);
      const acts = [redirect, directResponse, rewrite, time, retry, mirror].some((one) => one !== undefined) || edits;
      return route.length === 0 && !acts ? "has no route; add 'route: [{tags: {version: ...}}]'" : undefined;
    },
  },
);

/** `servicecomb.routeRule`. */
export const routeRuleSchema = s.map(s.yaml(s.list(ruleSchema)), {
  keyName: 'service',
  doc: 'Route rules by called service.',
});

type ValueOf<M> = M extends ReadonlyMap<string, infer V> ? V : never;
export type RouteRuleConfig = NonNullable<ValueOf<Infer<typeof routeRuleSchema>>>[number];
export type SourceTemplateConfig = ValueOf<Infer<typeof sourceTemplateSchema>>;
export type RouteConfig = RouteRuleConfig['route'][number];
export type HeaderEditsConfig = RouteRuleConfig['headers'];
