import { createHash } from 'node:crypto';
import type { Instance } from '@mesher/core';
import type { FileContent } from '../files/file-access.js';
import { LeaseWatch, type Moment } from './lease-watch.js';
import { parseRegistration } from './registration-file.js';

/** What a reader knows of one registration file. */
export class RegistrationEntry {
  /** What the file said when it was last in order. */
  instance: Instance | undefined;
  /** Changes with what the file says. */
  digest = '';
  /** What is wrong with the file now. */
  problem: string | undefined;
  /** Monotonic time of the last reading. */
  readAt = 0;
  /** The whole folder went away, not this file alone: nobody left, so the instance stays until its lease is over. */
  lost = false;
  #identity = '';
  #lease: LeaseWatch;

  constructor(
    readonly service: string,
    readonly instanceId: string,
    mtimeMs: number,
    leaseMs: number,
    now: Moment,
  ) {
    this.#lease = new LeaseWatch(mtimeMs, leaseMs, now);
  }

  get lease(): LeaseWatch {
    return this.#lease;
  }

  /** True while the instance belongs into the snapshot. */
  get counts(): boolean {
    return this.instance !== undefined && this.#lease.alive;
  }

  /** True when the file was replaced since it was read. */
  isReplaced(identity: string): boolean {
    return identity !== this.#identity;
  }

  /** Takes in what was read from the file. */
  take(content: Exclude<FileContent, { readonly outcome: 'missing' }>, now: Moment): void {
    const isFirst = this.readAt === 0 && this.#identity === '';
    this.#identity = content.facts.identity;
    this.readAt = now.monotonic;
    this.lost = false;
    const record =
      content.outcome === 'read' ? parseRegistration(content.text, this.service, this.instanceId) : content.reason;
    if (typeof record === 'string') {
      const fallback = this.instance === undefined ? '' : '; what it said before stays in use';
      this.problem = `registration ${this.instanceId} of ${this.service} ${record}${fallback}`;
    } else {
      this.problem = undefined;
      this.instance = record.instance;
      this.digest = digestOf(record.instance);
      const { leaseMs } = record;
      if (isFirst) this.#lease = new LeaseWatch(content.facts.mtimeMs, leaseMs, now);
      this.#lease.leaseMs = leaseMs;
    }
    this.#lease.observe(content.facts.mtimeMs, now);
  }
}

function digestOf(instance: Instance): string {
  const { app, version, instanceId, status, weight } = instance;
  const lists = [[...instance.addresses].sort(byKey), Object.entries(instance.metadata).sort(byKey)];
  const text = JSON.stringify([app, version, instanceId, status, weight, ...lists]);
  return createHash('sha256').update(text).digest('base64url');
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
