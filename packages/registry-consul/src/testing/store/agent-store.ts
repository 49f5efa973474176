import type { Ports, TimerHandle } from '@mesher/core';
import { AgentError } from '../http/agent-error.js';
import { runCheck, type RunningCheck } from './check-runner.js';
import { Indexes } from './indexes.js';
import { KvTable } from './kv-table.js';
import {
  isStatus,
  type CheckDefinition,
  type CheckRecord,
  type ServiceDefinition,
  type ServiceRecord,
  type Status,
} from './records.js';

export const NODE_NAME = 'node-of-tests';
export const NODE_ADDRESS = '127.0.0.1';
export const DATACENTER = 'dc1';

/** How often Consul looks for instances that have been critical for too long. */
const REAP_INTERVAL_MS = 30_000;

interface OwnCheck {
  record: CheckRecord;
  readonly definition: CheckDefinition;
  readonly running: RunningCheck;
  /** When it became critical. */
  criticalSince: number | undefined;
}

/** What one agent knows: the instances and checks that were registered with it, and the keys. Its catalog follows at once. */
export class AgentStore {
  readonly indexes = new Indexes();
  readonly kv: KvTable;
  readonly #services = new Map<string, ServiceRecord>();
  readonly #checks = new Map<string, OwnCheck>();
  readonly #listeners = new Set<() => void>();
  readonly #reaper: TimerHandle;

  constructor(private readonly ports: Ports) {
    this.kv = new KvTable(this.indexes, () => this.#changed());
    this.#reaper = ports.timers.every(REAP_INTERVAL_MS, () => this.#reap());
  }

  /** @returns ends it */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** All instances, or those of one service, in the order in which they were registered. */
  services(name?: string): readonly ServiceRecord[] {
    const all = [...this.#services.values()];
    return name === undefined ? all : all.filter(({ Service }) => Service === name);
  }

  service(id: string): ServiceRecord | undefined {
    return this.#services.get(id);
  }

  checks(): readonly CheckRecord[] {
    return Array.from(this.#checks.values(), ({ record }) => record);
  }

  check(id: string): CheckRecord | undefined {
    return this.#checks.get(id)?.record;
  }

  checksOf(serviceId: string): readonly CheckRecord[] {
    return this.checks().filter(({ ServiceID }) => ServiceID === serviceId);
  }

  /** Registers, also what is there: a check of the same id keeps its status then, whatever the definition says. */
  register({ service, checks }: ServiceDefinition, replacesChecks = false): void {
    const old = this.#services.get(service.ID);
    if (old !== undefined && old.Service !== service.Service) this.deregister(old.ID);
    const index = this.indexes.touchServices([service.Service]);
    this.#services.set(service.ID, { ...service, CreateIndex: old?.CreateIndex ?? index, ModifyIndex: index });
    const kept = new Set(checks.map(({ checkId }) => checkId));
    if (replacesChecks) {
      for (const { CheckID } of this.checksOf(service.ID)) if (!kept.has(CheckID)) this.#dropCheck(CheckID);
    }
    for (const definition of checks) this.addCheck(definition, service.ID, index);
    this.#changed();
  }

  /** @returns false when it was not there */
  deregister(id: string): boolean {
    const service = this.#services.get(id);
    if (service === undefined) return false;
    for (const { CheckID } of this.checksOf(id)) this.#dropCheck(CheckID);
    this.#services.delete(id);
    this.indexes.touchServices([service.Service]);
    if (this.services(service.Service).length === 0) this.indexes.extinct(service.Service);
    this.#changed();
    return true;
  }

  addCheck(definition: CheckDefinition, serviceId: string, at?: number): void {
    const { checkId, name, notes, kind, interval, timeout } = definition;
    const service = this.#services.get(serviceId);
    const index = at ?? this.indexes.touchServices(service === undefined ? [] : [service.Service]);
    const old = this.#checks.get(checkId);
    old?.running.stop();
    const record: CheckRecord = {
      Node: NODE_NAME,
      CheckID: checkId,
      Name: name,
      Status: old?.record.Status ?? definition.status,
      Notes: notes,
      Output: old?.record.Output ?? '',
      ServiceID: serviceId,
      ServiceName: service?.Service ?? '',
      ServiceTags: service?.Tags ?? [],
      Type: kind.type === 'other' ? '' : kind.type,
      Interval: interval,
      Timeout: timeout,
      Definition: {},
      CreateIndex: old?.record.CreateIndex ?? index,
      ModifyIndex: index,
    };
    const running = runCheck(kind, this.ports, (status, output) => this.setCheck(checkId, status, output));
    this.#checks.set(checkId, { record, definition, running, criticalSince: this.#sinceWhen(record.Status, old) });
    this.#changed();
  }

  removeCheck(id: string): boolean {
    const check = this.#checks.get(id);
    if (check === undefined) return false;
    this.#dropCheck(id);
    this.indexes.touchServices([check.record.ServiceName]);
    this.#changed();
    return true;
  }

  /** What the client of a lease says. @throws AgentError 404 for one that is not known, 500 for one without a lease */
  updateCheck(id: string, status: Status, output: string): void {
    const check = this.#checks.get(id);
    if (check === undefined) {
      throw new AgentError(
        404,
        `Unknown check ID ${JSON.stringify(id)}. Ensure that the check ID is passed, not the check name.`,
      );
    }
    if (!check.running.renew()) throw new AgentError(500, `CheckID ${JSON.stringify(id)} does not have associated TTL`);
    this.setCheck(id, status, output);
  }

  /** A new state from wherever it comes; only one that is another wakes who waits. */
  setCheck(id: string, status: Status, output = ''): void {
    const check = this.#checks.get(id);
    if (check === undefined || !isStatus(status)) return;
    const { record } = check;
    if (record.Status === status && record.Output === output) return;
    const index = this.indexes.touchServices([record.ServiceName]);
    check.criticalSince = this.#sinceWhen(status, check);
    check.record = { ...record, Status: status, Output: output, ModifyIndex: index };
    this.#changed();
  }

  /** Loses everything, as an agent in development mode that was restarted; its indexes begin again. */
  forget(index = this.indexes.last): void {
    for (const { running } of this.#checks.values()) running.stop();
    this.#checks.clear();
    for (const { Service } of this.#services.values()) this.indexes.extinct(Service);
    this.#services.clear();
    this.kv.forget();
    this.indexes.reset(index);
    this.#changed();
  }

  /** Ends what runs by itself. */
  close(): void {
    this.#reaper.cancel();
    for (const { running } of this.#checks.values()) running.stop();
  }

  #dropCheck(id: string): void {
    this.#checks.get(id)?.running.stop();
    this.#checks.delete(id);
  }

  #sinceWhen(status: Status, old: OwnCheck | undefined): number | undefined {
    return status === 'critical' ? (old?.criticalSince ?? this.ports.clock.now()) : undefined;
  }

  #reap(): void {
    const now = this.ports.clock.now();
    for (const { record, definition, criticalSince } of [...this.#checks.values()]) {
      const { deregisterAfterMs } = definition;
      if (deregisterAfterMs === undefined || criticalSince === undefined) continue;
      if (now - criticalSince > deregisterAfterMs) this.deregister(record.ServiceID);
    }
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
