import type { Policy, PolicyContext } from '../chain/policy.js';
import type { Explanation } from '../explain/explanation.js';
import type { Invocation } from '../invocation.js';
import { compileMatchGroups, type MatchGroup } from './match-groups.js';

/** Field in which marks go on with a call, to the services that are called after this one. */
export const MARK_FIELD = 'x-mark';

const NOTHING: readonly string[] = [];
const NO_NAMES: ReadonlySet<string> = new Set();

/** Gives calls the marks of the match groups that hold for them (`traffic-marker`). */
export class TrafficMarker implements Policy {
  readonly name = 'traffic-marker';
  #groups: readonly MatchGroup[] = [];
  /** Names of the groups whose mark may come with a call. */
  #travelling: ReadonlySet<string> = NO_NAMES;
  #counts = new Map<string, number>();

  constructor(context: PolicyContext) {
    const { configuration, metrics, direction } = context;
    this.#compile(compileMatchGroups(configuration.document));
    configuration.onChange((document) => this.#compile(compileMatchGroups(document)));
    metrics.gauge('marks', (report) => this.#counts.forEach((count, mark) => report([direction, mark], count)));
  }

  get isActive(): boolean {
    return this.#groups.length > 0;
  }

  before(call: Invocation): undefined {
    const arrived = arrivedMarks(call, this.#travelling);
    let marks = NOTHING;
    let travelling = NOTHING;
    for (const group of this.#groups) {
      const came = arrived.has(group.name);
      const match = came ? undefined : group.match(call);
      if (!came && match === undefined) continue;
      marks = marks.length === 0 ? group.alone : [...marks, group.name];
      this.#counts.set(group.name, (this.#counts.get(group.name) as number) + 1);
      if (came || match?.travels === true) {
        travelling = travelling.length === 0 ? group.alone : [...travelling, group.name];
      }
    }
    call.marks = marks;
    if (travelling.length > 0 && call.protocol !== 'tcp') call.setHeader(MARK_FIELD, travelling.join(','));
    return undefined;
  }

  explain(call: Invocation, into: Explanation): void {
    const arrived = arrivedMarks(call, this.#travelling);
    const marks: string[] = [];
    const travelling: string[] = [];
    const details: string[] = [];
    for (const group of this.#groups) {
      const came = arrived.has(group.name);
      const match = came ? undefined : group.match(call);
      details.push(
        came
          ? `${group.name}: came with the call in ${MARK_FIELD}`
          : `${group.name} ${match === undefined ? 'does not match' : 'matches'}: ${group.whyNot(call).join('; ')}`,
      );
      if (!came && match === undefined) continue;
      marks.push(group.name);
      if (came || match?.travels === true) travelling.push(group.name);
    }
    call.marks = marks;
    if (travelling.length > 0 && call.protocol !== 'tcp') call.setHeader(MARK_FIELD, travelling.join(','));
    into.add(this.name, marks.length === 0 ? 'no mark' : `marks: ${marks.join(', ')}`, details, { marks });
  }

  #compile(groups: ReadonlyMap<string, MatchGroup>): void {
    this.#groups = [...groups.values()];
    this.#travelling = new Set(this.#groups.filter(({ travels }) => travels).map(({ name }) => name));
    const before = this.#counts;
    this.#counts = new Map(this.#groups.map(({ name }) => [name, before.get(name) ?? 0]));
  }
}

/** Names that came with the call; only those that exist here count, however many a caller writes there. */
function arrivedMarks(call: Invocation, known: ReadonlySet<string>): ReadonlySet<string> {
  const field = known.size === 0 || call.protocol === 'tcp' ? undefined : call.header(MARK_FIELD);
  if (field === undefined) return NO_NAMES;
  const arrived = new Set<string>();
  for (const name of field.split(',')) if (known.has(name.trim())) arrived.add(name.trim());
  return arrived;
}

/** The policy behind the handler name `traffic-marker`. */
export function trafficMarker(context: PolicyContext): Policy {
  return new TrafficMarker(context);
}
