import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeInstance, silentLogger, systemPorts } from '@mesher/core';
import type { Instance, LogFields, Logger, Ports, ServiceSnapshot } from '@mesher/core';
import { fakePorts } from '@mesher/core/testing';
import { createFileRegistry, type FileRegistry } from '../create-file-registry.js';
import type { FileRegistryOptions } from '../options.js';

/** Only events lead to a look: the poll would come after the test. */
export const EVENTS_ONLY: FileRegistryOptions = { pollIntervalMs: 3_600_000, debounceMs: 20, confirmEmptyMs: 50 };

/** A folder of its own for each test, and everything that was opened on it, closed at the end. */
export class Fixture {
  readonly #closers: (() => Promise<unknown>)[] = [];

  private constructor(readonly root: string) {}

  static async make(): Promise<Fixture> {
    const root = await mkdtemp(join(tmpdir(), 'mesher-registry-file-'));
    const fixture = new Fixture(root);
    fixture.onClose(() => rm(root, { recursive: true, force: true }));
    return fixture;
  }

  path(...parts: string[]): string {
    return join(this.root, ...parts);
  }

  onClose(closer: () => Promise<unknown>): void {
    this.#closers.push(closer);
  }

  async close(): Promise<void> {
    for (const closer of this.#closers.reverse()) await closer();
  }

  /** A registry whose time moves only with the test. */
  fake(options: FileRegistryOptions = {}, logger: Logger = silentLogger()): FakeRegistry {
    const ports = fakePorts();
    return new FakeRegistry(this.open(options, ports, logger), ports);
  }

  /** A registry on the real clock, for tests that await real file events. */
  real(options: FileRegistryOptions = EVENTS_ONLY): FileRegistry {
    return this.open(options, systemPorts(), silentLogger());
  }

  open(options: FileRegistryOptions, ports: Ports, logger: Logger): FileRegistry {
    const registry = createFileRegistry({ address: 'disco', ...options }, { ports, logger, confDir: this.root });
    this.onClose(() => registry.discovery.close());
    return registry;
  }

  /** The snapshots of one service as they come. */
  watch(registry: FileRegistry, service: string): SnapshotReader {
    const end = new AbortController();
    this.onClose(async () => end.abort());
    return new SnapshotReader(registry.discovery.watch({ service }, end.signal)[Symbol.asyncIterator]());
  }
}

/** A registry and the hands of its clock. */
export class FakeRegistry {
  constructor(
    readonly registry: FileRegistry,
    readonly ports: ReturnType<typeof fakePorts>,
  ) {}

  /** Lets time pass in steps of a second, and looks at the directory after each, as the poll does. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 1_000) {
      this.ports.time.advance(Math.min(left, 1_000));
      await this.registry.discovery.refresh();
    }
  }

  /** The service as it is after a look at the directory. */
  async see(service: string): Promise<ServiceSnapshot> {
    await this.registry.discovery.refresh();
    const end = new AbortController();
    for await (const snapshot of this.registry.discovery.watch({ service }, end.signal)) return snapshot;
    throw new Error('the watch ended');
  }

  /** `host:port` or instanceId of each instance, with the weight where it is not 1. */
  async ids(service: string): Promise<string[]> {
    return idsOf(await this.see(service));
  }
}

export class SnapshotReader {
  constructor(private readonly iterator: AsyncIterator<ServiceSnapshot>) {}

  async next(): Promise<ServiceSnapshot> {
    const result = await this.iterator.next();
    if (result.done === true) throw new Error('the watch ended');
    return result.value;
  }

  /** Reads on until a snapshot has these instances. */
  async until(ids: readonly string[]): Promise<ServiceSnapshot> {
    for (;;) {
      const snapshot = await this.next();
      if (idsOf(snapshot).join() === ids.join()) return snapshot;
    }
  }
}

export function idsOf({ instances }: Pick<ServiceSnapshot, 'instances'>): string[] {
  return instances.map(({ instanceId, weight }) => (weight === 1 ? instanceId : `${instanceId} * ${weight}`));
}

/** An instance as a sidecar registers it. */
export function worldInstance(instanceId: string, facts: Partial<Instance> = {}): Instance {
  const addresses = new Map([['rest', { host: '127.0.0.2', port: 30101, tls: false }]]);
  return makeInstance({ service: 'world', instanceId, addresses, version: '1.2.0', ...facts });
}

/** Keeps what is logged. */
export class RecordingLogger implements Logger {
  readonly lines: string[] = [];

  debug(): void {}

  info(_fields: LogFields, message: string): void {
    this.lines.push(`info ${message}`);
  }

  warn(_fields: LogFields, message: string): void {
    this.lines.push(`warn ${message}`);
  }

  error(_fields: LogFields, message: string): void {
    this.lines.push(`error ${message}`);
  }
}
