import type { MeshDocument } from './document.js';
import type { Notice, Origin } from './problem.js';
import { nearestName } from './schema/nearest.js';
import type { ReadContext } from './schema/read-context.js';
import { MARKED_SECTIONS } from './sections/marked.js';

/** `refer` of a route rule; names of services may have dots. */
const REFER = /^servicecomb\.routeRule\..+\[\d+\]\.match\.refer$/;
/** Stands for calls without a mark. */
const NO_MARK = 'none';
const KNOWING_NO_MARK: ReadonlySet<string> = new Set(['servicecomb.rateLimiting', 'servicecomb.faultInjection']);
const DEFAULT: Origin = { layer: 'default' };

/** What all policies by mark have. */
interface MarkedPolicy {
  /** The mark; the name of the policy when left out. */
  readonly match: string | undefined;
}

/**
 * Rules and policies for marks that no match group gives. They do no harm, but never apply, which is hardly what their author wants.
 * @param context what the document was read with
 */
export function missingMarks(document: MeshDocument, context: ReadContext): Notice[] {
  const origins = new Map(context.effective.map(({ key, origin }) => [key, origin]));
  const notices: Notice[] = [];
  const add = (path: string, origin: Origin, message: string, mark: string, known: Iterable<string>): void => {
    const nearest = nearestName(mark, known);
    const suggestion = nearest === undefined ? '' : `; did you mean '${nearest}'?`;
    notices.push({ kind: 'hint', origin, path, message: `${message}${suggestion}` });
  };
  const marks = document.matchGroups;
  const referable = new Set([...marks.keys(), ...document.sourceTemplates.keys()]);
  for (const [key, name] of context.values) {
    if (!REFER.test(key) || referable.has(name)) continue;
    const message = `the rule never matches: there is no match group '${name}' (servicecomb.match), and no template`;
    add(key, origins.get(key) ?? DEFAULT, message, name, referable);
  }
  for (const [prefix, schema] of Object.entries(MARKED_SECTIONS)) {
    const policies = document.section<ReadonlyMap<string, MarkedPolicy>>(prefix, schema);
    for (const [name, policy] of policies) {
      const mark = policy.match ?? name;
      if (marks.has(mark) || (mark === NO_MARK && KNOWING_NO_MARK.has(prefix))) continue;
      const path = `${prefix}.${name}`;
      const written = ['match', ...Object.keys(policy)].map((key) => origins.get(`${path}.${key}`));
      const origin = written.find((one) => one !== undefined && one.layer !== 'default') ?? DEFAULT;
      add(
        path,
        origin,
        `applies to no call: there is no match group '${mark}' (servicecomb.match)`,
        mark,
        marks.keys(),
      );
    }
  }
  return notices;
}
