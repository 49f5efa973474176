import {
  ChangeSignal,
  inSlices,
  KnownInstances,
  readingInstances,
  type Instance,
  type ServiceSnapshot,
  type VanishRules,
} from '@mesher/core';
import type { Indexed } from '../client/blocking-answer.js';
import { ConsulError } from '../client/consul-error.js';
import { healthName, nameEntries, readEntry, type ReadingRules } from '../instances/read-entries.js';

/** Why a question was given up that is asked anew. */
const OUTDATED = new Error('this is asked anew');

/** A service that somebody watches. */
export class WatchedService {
  readonly changes = new ChangeSignal();
  /** Who watches it. */
  watchers = 0;
  readonly #known: KnownInstances;
  readonly #end = new AbortController();
  #question = new AbortController();
  /** Listed, but nobody has heard of them. */
  #unheard: readonly Instance[] = [];
  #version = 0;
  /** Until then silence is taken for that of an agent that was away; monotonic. */
  #afterTroubleUntil = -Infinity;
  /** The last answer listed nothing, and could not say why. */
  #isUnsure = false;

  constructor(
    readonly name: string,
    private readonly rules: VanishRules & Omit<ReadingRules, 'service'>,
  ) {
    this.#known = new KnownInstances(rules);
  }

  /** Aborts when nobody watches it any more. */
  get ended(): AbortSignal {
    return this.#end.signal;
  }

  /** Instances that are kept although Consul does not list them as well. */
  get held(): readonly Instance[] {
    return this.#known.held;
  }

  end(): void {
    this.#end.abort();
    this.#question.abort();
  }

  /** Ends the question that Consul holds, if any: the next one asks for everything. */
  askAnew(): void {
    this.#question.abort(OUTDATED);
    this.#question = new AbortController();
  }

  /** Aborts when the question that is under way is to be given up. */
  get question(): AbortSignal {
    return this.#question.signal;
  }

  /** Consul could not be asked about it. */
  troubled(now: number): void {
    this.#afterTroubleUntil = now + this.rules.emptyGraceMs;
  }

  isOutdated(error: unknown): boolean {
    return error === OUTDATED;
  }

  /**
   * Takes an answer.
   * @returns instances that are kept in spite of it, and have to be looked at
   * @throws ConsulError for an answer that cannot be believed; what was known stays
   */
  async take(
    { content, isFiltered, isStreamed, hasLeader }: Indexed<unknown>,
    now: number,
    onProblem: (problem: string) => void,
  ): Promise<readonly Instance[]> {
    if (!Array.isArray(content)) {
      throw new ConsulError('CONSUL_ANSWER', `the answer of Consul about ${this.name} is no list of instances`);
    }
    const items = content as readonly unknown[];
    if (items.length === 0) {
      this.#confirmEmpty(isStreamed);
      this.#doubtEmpty(isFiltered, hasLeader);
    }
    this.#isUnsure = false;
    if (isFiltered) onProblem(`${this.name}: the token may not see all instances (service:read and node:read)`);
    const unheard: Instance[] = [];
    const ids = nameEntries(items, healthName.id, healthName.node);
    let at = 0;
    const rules = { ...this.rules, service: this.name, isAfterTrouble: now < this.#afterTroubleUntil };
    const read = (item: unknown): Instance | undefined => {
      const found = readEntry(item, ids[at++] ?? '', rules, onProblem);
      if (found?.isUnheard !== true) return found?.instance;
      unheard.push(found.instance);
      return undefined;
    };
    const listed = await inSlices(readingInstances(items, read, this.#known.listed));
    const before = this.#known.changes;
    const unsure = this.#known.take(listed, items.length > 0, now);
    const isSame = this.#known.changes === before && idsOf(unheard) === idsOf(this.#unheard);
    this.#unheard = unheard;
    if (!isSame) this.#changed();
    return unsure;
  }

  /** Forgets held instances that refuse connections, or whose time is over. */
  giveUp(refusing: readonly Instance[], now: number): void {
    const refused = refusing.filter(({ instanceId }) => this.#known.refused(instanceId)).length;
    if (this.#known.expire(now) || refused > 0) this.#changed();
  }

  /** Undefined while Consul has not answered, and when nothing is new since `seen`. */
  snapshot(seen: string | undefined): ServiceSnapshot | undefined {
    const { exists, instances } = this.#known;
    const revision = String(this.#version);
    if (exists === undefined || revision === seen) return undefined;
    const held = new Set(this.held.map(({ instanceId }) => instanceId));
    const lost = this.#unheard.filter(({ instanceId }) => !held.has(instanceId));
    return { service: this.name, exists, revision, instances: lost.length === 0 ? instances : [...instances, ...lost] };
  }

  /**
   * An answer that Consul held back does not say whether the token hides what it lacks; one to a question that is not held does.
   * @throws OUTDATED once, for such an answer
   */
  #confirmEmpty(isStreamed: boolean): void {
    if (!isStreamed || this.#isUnsure || this.#known.isRegistered !== true) return;
    this.#isUnsure = true;
    throw OUTDATED;
  }

  /** No answer says "there is no such service"; an empty one may also mean that we may not see it, or that nobody knows. */
  #doubtEmpty(isFiltered: boolean, hasLeader: boolean): void {
    if (isFiltered) {
      throw new ConsulError('CONSUL_DENIED', `the token may not see ${this.name} (service:read and node:read)`);
    }
    if (!hasLeader) {
      throw new ConsulError('CONSUL_UNREACHABLE', `Consul has no leader, and lists no instance of ${this.name}`);
    }
  }

  #changed(): void {
    this.#version++;
    this.changes.notify();
  }
}

function idsOf(instances: readonly Instance[]): string {
  return instances.map(({ instanceId }) => instanceId).join(' ');
}
