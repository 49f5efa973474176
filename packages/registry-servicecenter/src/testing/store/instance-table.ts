import { randomUUID } from 'node:crypto';
import type { Ports, TimerHandle } from '@mesher/core';
import type { GivenInstance } from './read-records.js';
import type { InstanceRecord, InstanceStatusText, Texts } from './records.js';
import { RegistryError } from './registry-error.js';

export interface InstanceChange {
  readonly action: 'CREATE' | 'UPDATE' | 'DELETE';
  /** For `DELETE` the last that was known. */
  readonly instance: InstanceRecord;
}

interface Leased {
  record: InstanceRecord;
  readonly ttlMs: number;
  /** On the monotonic clock. */
  expiresAt: number;
  timer: TimerHandle | undefined;
  /** Its lease has run out, and it is listed all the same. */
  isKept: boolean;
}

/** Self-preservation of service-center: this many instances, or fewer, may vanish together. */
const FEW = 5;
/** From this share on it is not believed that they vanished. */
const MASS = 0.8;
/** Leases that run out within this time run out together, in milliseconds. */
const TOGETHER_MS = 1_000;
/** Nothing is kept for longer, in milliseconds. */
const LONGEST_MS = 600_000;

/** The instances of one tenant, each with a lease that heartbeats renew. */
export class InstanceTable {
  readonly #byService = new Map<string, Map<string, Leased>>();
  /** Those whose leases have just run out, until it is known how many do. */
  readonly #doubtful = new Set<Leased>();
  #judgement: TimerHandle | undefined;

  /**
   * @param tell called with each change, after it is in place
   * @param preservesItself goes on listing instances for a while when most leases run out together, as service-center does
   */
  constructor(
    private readonly ports: Ports,
    private readonly tell: (change: InstanceChange) => void,
    private readonly preservesItself = false,
  ) {}

  /**
   * Takes an instance in. One whose lease still runs is renewed and keeps its content, as in service-center.
   * @returns its id
   */
  register(serviceId: string, version: string, given: GivenInstance): string {
    if (given.instanceId !== undefined && this.renew(serviceId, given.instanceId)) return given.instanceId;
    const instanceId = given.instanceId ?? randomUUID().replaceAll('-', '');
    const now = this.#seconds();
    this.put({ ...given, instanceId, serviceId, version, timestamp: now, modTimestamp: now });
    return instanceId;
  }

  /** Puts a record as it is, with a new lease. */
  put(record: InstanceRecord): void {
    const { interval, times } = record.healthCheck;
    const ttlMs = interval * (times + 1) * 1_000;
    const expiresAt = this.ports.clock.now() + ttlMs;
    const leased: Leased = { record, ttlMs, expiresAt, timer: undefined, isKept: false };
    const instances = this.#byService.get(record.serviceId);
    const before = instances?.get(record.instanceId);
    before?.timer?.cancel();
    if (before !== undefined) this.#doubtful.delete(before);
    if (instances === undefined) this.#byService.set(record.serviceId, new Map([[record.instanceId, leased]]));
    else instances.set(record.instanceId, leased);
    this.#arm(leased);
    this.tell({ action: 'CREATE', instance: record });
  }

  /** @returns false when there is no such instance */
  renew(serviceId: string, instanceId: string): boolean {
    const leased = this.#find(serviceId, instanceId);
    if (leased === undefined) return false;
    leased.expiresAt = this.ports.clock.now() + leased.ttlMs;
    return true;
  }

  find(serviceId: string, instanceId: string): InstanceRecord | undefined {
    return this.#find(serviceId, instanceId)?.record;
  }

  /** Of one service version. */
  list(serviceId: string): readonly InstanceRecord[] {
    return Array.from(this.#byService.get(serviceId)?.values() ?? [], ({ record }) => record);
  }

  count(): number {
    let sum = 0;
    for (const instances of this.#byService.values()) sum += instances.size;
    return sum;
  }

  /** @throws RegistryError 400017 */
  setStatus(serviceId: string, instanceId: string, status: InstanceStatusText): void {
    this.#update(serviceId, instanceId, { status });
  }

  /** Replaces all properties. @throws RegistryError 400017 */
  setProperties(serviceId: string, instanceId: string, properties: Texts): void {
    this.#update(serviceId, instanceId, { properties });
  }

  /** @returns false when there is no such instance */
  remove(serviceId: string, instanceId: string): boolean {
    const leased = this.#find(serviceId, instanceId);
    if (leased !== undefined) this.#drop(leased);
    return leased !== undefined;
  }

  /** Ends every lease without telling anybody. */
  stop(): void {
    for (const instances of this.#byService.values()) for (const { timer } of instances.values()) timer?.cancel();
    this.#byService.clear();
    this.#judgement?.cancel();
    this.#doubtful.clear();
  }

  #drop(leased: Leased): void {
    const { serviceId, instanceId } = leased.record;
    leased.timer?.cancel();
    const instances = this.#byService.get(serviceId);
    instances?.delete(instanceId);
    if (instances?.size === 0) this.#byService.delete(serviceId);
    this.tell({ action: 'DELETE', instance: leased.record });
  }

  #runOut(leased: Leased): void {
    if (!this.preservesItself) return this.#drop(leased);
    // From now on nobody can renew it, but it is found still.
    leased.isKept = true;
    if (this.#doubtful.size === 0) this.#judgement = this.ports.timers.after(TOGETHER_MS, () => this.#judge());
    this.#doubtful.add(leased);
  }

  #judge(): void {
    const total = this.count();
    const isMass = total > FEW && this.#doubtful.size >= total * MASS;
    for (const leased of [...this.#doubtful]) {
      if (isMass) leased.timer = this.ports.timers.after(Math.min(leased.ttlMs, LONGEST_MS), () => this.#drop(leased));
      else this.#drop(leased);
    }
    this.#doubtful.clear();
  }

  #update(serviceId: string, instanceId: string, change: Partial<InstanceRecord>): void {
    const leased = this.#find(serviceId, instanceId);
    if (leased === undefined) throw new RegistryError(400017, 'Service instance does not exist.');
    leased.record = { ...leased.record, ...change, modTimestamp: this.#seconds() };
    this.tell({ action: 'UPDATE', instance: leased.record });
  }

  /** One timer per lease: heartbeats only move the end, and the timer looks whether it has moved. */
  #arm(leased: Leased): void {
    const left = Math.max(1, leased.expiresAt - this.ports.clock.now());
    leased.timer = this.ports.timers.after(left, () => {
      if (leased.expiresAt > this.ports.clock.now()) this.#arm(leased);
      else this.#runOut(leased);
    });
  }

  #find(serviceId: string, instanceId: string): Leased | undefined {
    const leased = this.#byService.get(serviceId)?.get(instanceId);
    return leased?.isKept === true ? undefined : leased;
  }

  #seconds(): string {
    return String(Math.floor(this.ports.clock.wallTime() / 1_000));
  }
}
