import type { Instance } from '../instance.js';
import { areSameInstances, type ListedInstances } from './listed-instances.js';

/** What is needed to judge instances that are no longer listed. */
export interface VanishRules {
  /** Keeps each of them for as long as it accepts connections, and not only when most are gone at once. */
  readonly healthCheck: boolean;
  /** How long instances are kept that vanished together, while they accept connections; milliseconds. */
  readonly emptyGraceMs: number;
  /** The same with `healthCheck`. */
  readonly healthCheckGraceMs: number;
}

/** An instance that the registry lists no longer, and that may be there all the same. */
interface Held {
  readonly instance: Instance;
  /** Monotonic milliseconds. */
  readonly until: number;
}

/** Fewer instances than this may go in one step: somebody stopped them. The threshold of service-center's own protection. */
const FEW = 5;
/** When this share vanishes at once, the registry is more likely to be wrong than they are to be gone. */
const MASS = 0.8;
/** So many answers may be older than an event: each is asked for after it, and a cache is behind for some milliseconds only. */
const CONTRADICTIONS = 3;

/**
 * What a registry with a server lists of one service. An answer that empties it is not believed at once: a registry that lost its
 * memory answers like one whose services are all stopped, and so does one that hides what we may not see. Instances that vanish
 * together are kept for a while, unless the registry said of each that it is gone, or they refuse connections.
 */
export class KnownInstances {
  #exists: boolean | undefined;
  #listed: ListedInstances = new Map();
  #changes = 0;
  readonly #held = new Map<string, Held>();
  /** Of which an event said that they are gone, with the answers since then that list them all the same. */
  readonly #saidGone = new Map<string, number>();

  constructor(private readonly rules: VanishRules) {}

  /** Undefined until the registry has answered. */
  get exists(): boolean | undefined {
    return this.#exists === false && this.#held.size > 0 ? true : this.#exists;
  }

  /** What the last answer said, whatever is kept in spite of it. */
  get isRegistered(): boolean | undefined {
    return this.#exists;
  }

  /** What the last answer listed. */
  get listed(): ListedInstances {
    return this.#listed;
  }

  /** Counts the answers that said something new. */
  get changes(): number {
    return this.#changes;
  }

  get instances(): readonly Instance[] {
    const held = [...this.#held.values()].map(({ instance }) => instance);
    return held.length === 0 ? [...this.#listed.values()] : [...this.#listed.values(), ...held];
  }

  /** Those that are kept although they are not listed. */
  get held(): readonly Instance[] {
    return [...this.#held.values()].map(({ instance }) => instance);
  }

  /** An event says whether the instance was taken out: if it was, that is why it is no longer listed, sooner or later. */
  said(instanceId: string, isGone: boolean): void {
    // What is not listed cannot vanish, and an id that comes back is not gone.
    if (isGone && this.#listed.has(instanceId)) this.#saidGone.set(instanceId, 0);
    else this.#saidGone.delete(instanceId);
  }

  /** Takes an answer. @returns the instances that are kept although it does not list them, and that have to be probed */
  take(listed: readonly Instance[] | ListedInstances, exists: boolean, now: number): readonly Instance[] {
    const before = this.#listed;
    this.#listed = Array.isArray(listed)
      ? new Map((listed as readonly Instance[]).map((instance) => [instance.instanceId, instance]))
      : (listed as ListedInstances);
    const isSame = this.#exists === exists && areSameInstances(this.#listed, before);
    this.#exists = exists;
    if (isSame) {
      this.confirm();
      return [];
    }
    this.#changes++;
    const vanished = [...before.values()].filter(({ instanceId }) => !this.#listed.has(instanceId));
    // Ten thousand addresses are looked through only if there is a reason.
    const isMissed = vanished.length + this.#held.size > 0;
    const taken = new Set(isMissed ? [...this.#listed.values()].flatMap(addressesOf) : []);
    for (const [id, { instance }] of this.#held) {
      if (this.#listed.has(id) || addressesOf(instance).some((address) => taken.has(address))) this.#held.delete(id);
    }
    const graceMs = vanished.length === 0 ? 0 : this.#graceFor(countOf(vanished), countOf(before.values()));
    const unsure = vanished.filter(
      (instance) =>
        graceMs > 0 &&
        takesCalls(instance) &&
        !this.#saidGone.has(instance.instanceId) &&
        !addressesOf(instance).some((address) => taken.has(address)),
    );
    for (const instance of unsure) this.#held.set(instance.instanceId, { instance, until: now + graceMs });
    this.#doubtEvents();
    return unsure;
  }

  /** An answer says that all is as it was. */
  confirm(): void {
    if (this.#saidGone.size > 0) this.#doubtEvents();
  }

  /** It refuses connections. @returns whether it was kept */
  refused(instanceId: string): boolean {
    return this.#held.delete(instanceId);
  }

  /** Gives up those that were kept long enough. @returns whether there were any */
  expire(now: number): boolean {
    const before = this.#held.size;
    for (const [id, { until }] of this.#held) if (now >= until) this.#held.delete(id);
    return this.#held.size < before;
  }

  /**
   * The cache that answered may be older than the event; but an event that several answers contradict was late, and must not decide
   * when the instance vanishes with all others one day.
   */
  #doubtEvents(): void {
    for (const [id, contradicted] of this.#saidGone) {
      if (!this.#listed.has(id) || contradicted + 1 >= CONTRADICTIONS) this.#saidGone.delete(id);
      else this.#saidGone.set(id, contradicted + 1);
    }
  }

  /** Of those that took calls: that others are listed still says nothing about these. */
  #graceFor(vanished: number, before: number): number {
    if (this.rules.healthCheck) return this.rules.healthCheckGraceMs;
    const isMass = vanished === before || (before > FEW && vanished >= before * MASS);
    return isMass ? this.rules.emptyGraceMs : 0;
  }
}

function countOf(instances: Iterable<Instance>): number {
  let count = 0;
  for (const instance of instances) if (takesCalls(instance)) count++;
  return count;
}

function takesCalls({ status }: Instance): boolean {
  return status === 'UP' || status === 'TESTING';
}

function addressesOf({ addresses }: Instance): readonly string[] {
  return [...addresses.values()].map(({ host, port }) => `${host}|${port}`);
}
