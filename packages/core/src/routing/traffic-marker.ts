import type { Policy, PolicyContext } from '../chain/policy.js';
import type { Explanation } from '../explain/explanation.js';
import type { Invocation } from '../invocation.js';
import { compileMatchGroups, type MatchGroup } from './match-groups.js';

/** Field in which marks go on with a call, to the services that are called after this one. */
export const MARK_FIELD = 'x-mark';

const NOTHING: readonly string[] = [];

/** Gives calls the marks of the match groups that hold for them (`traffic-marker`). */
export class TrafficMarker implements Policy {
  readonly name = 'traffic-marker';
  #groups: readonly MatchGroup[] = [];
  #anyTravels = false;
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
    const arrived = this.#anyTravels ? arrivedMarks(call) : NOTHING;
    let marks = NOTHING;
    let travelling = NOTHING;
    for (const group of this.#groups) {
      const came = arrived.length > 0 && group.travels && arrived.includes(group.name);
      if (!came && !group.matches(call)) continue;
      marks = marks.length === 0 ? group.alone : [...marks, group.name];
      this.#counts.set(group.name, (this.#counts.get(group.name) as number) + 1);
      if (came || group.marksOnce(call))
        travelling = travelling.length === 0 ? group.alone : [...travelling, group.name];
    }
    call.marks = marks;
    if (travelling.length > 0 && call.protocol !== 'tcp') call.setHeader(MARK_FIELD, travelling.join(','));
    return undefined;
  }

  explain(call: Invocation, into: Explanation): void {
    const arrived = this.#anyTravels ? arrivedMarks(call) : NOTHING;
    const marks: string[] = [];
    const travelling: string[] = [];
    const details: string[] = [];
    for (const group of this.#groups) {
      const came = group.travels && arrived.includes(group.name);
      const matches = came || group.matches(call);
      details.push(
        came
          ? `${group.name}: came with the call in ${MARK_FIELD}`
          : `${group.name} ${matches ? 'matches' : 'does not match'}: ${group.whyNot(call).join('; ')}`,
      );
      if (!matches) continue;
      marks.push(group.name);
      if (came || group.marksOnce(call)) travelling.push(group.name);
    }
    call.marks = marks;
    if (travelling.length > 0 && call.protocol !== 'tcp') call.setHeader(MARK_FIELD, travelling.join(','));
    into.add(this.name, marks.length === 0 ? 'no mark' : `marks: ${marks.join(', ')}`, details, { marks });
  }

  #compile(groups: ReadonlyMap<string, MatchGroup>): void {
    this.#groups = [...groups.values()];
    this.#anyTravels = this.#groups.some(({ travels }) => travels);
    const before = this.#counts;
    this.#counts = new Map(this.#groups.map(({ name }) => [name, before.get(name) ?? 0]));
  }
}

/** Names that came with the call; only those that exist here will count, whatever else a caller writes there. */
function arrivedMarks(call: Invocation): readonly string[] {
  const field = call.protocol === 'tcp' ? undefined : call.header(MARK_FIELD);
  return field === undefined ? NOTHING : field.split(',').map((name) => name.trim());
}

/** The policy behind the handler name `traffic-marker`. */
export function trafficMarker(context: PolicyContext): Policy {
  return new TrafficMarker(context);
}
