import { createHash } from 'node:crypto';
import type { Instance } from '@mesher/core';
import type { RegistrationEntry } from './registration-entry.js';

/** The instances of one service whose lease runs, and how long ago there was one. */
export class AliveInstances {
  /** By instanceId. */
  instances: readonly Instance[] = [];
  /** Changes with the instances. */
  digest = '';
  /** Digests of {@link instances}; an instanceId is part of its digest, so they are all different. */
  #digests: ReadonlySet<string> = new Set();
  #lastAliveAt = -Infinity;

  /** There was an instance at this monotonic time. */
  remember(monotonic: number): void {
    this.#lastAliveAt = Math.max(this.#lastAliveAt, monotonic);
  }

  /** True while there is an instance, or was one less than `forMs` ago. */
  isRemembered(now: number, forMs: number): boolean {
    return this.instances.length > 0 || now < this.#lastAliveAt + forMs;
  }

  /** @returns true when the instances changed */
  update(entries: Iterable<readonly [string, RegistrationEntry]>, now: number): boolean {
    const alive: (readonly [string, RegistrationEntry])[] = [];
    for (const pair of entries) {
      const [, entry] = pair;
      if (entry.counts) alive.push(pair);
      else this.remember(Math.min(entry.lease.endsAt, now));
    }
    // Digests are compared before anything is sorted: most looks change nothing, and there may be thousands of entries.
    if (alive.length === this.#digests.size && alive.every(([, { digest }]) => this.#digests.has(digest))) return false;
    if (this.instances.length > 0) this.remember(now);
    alive.sort(([a], [b]) => (a < b ? -1 : 1));
    this.#digests = new Set(alive.map(([, { digest }]) => digest));
    this.instances = alive.flatMap(([, { instance }]) => instance ?? []);
    this.digest = createHash('sha256')
      .update([...this.#digests].join())
      .digest('base64url');
    return true;
  }
}
