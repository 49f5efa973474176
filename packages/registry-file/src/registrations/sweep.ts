import { join } from 'node:path';
import type { Logger, Ports, TimerHandle } from '@mesher/core';
import { describeError, IO_WIDTH, type FileAccess } from '../files/file-access.js';
import { forEachBounded } from '../files/io-gate.js';
import { decodeFileName } from '../service-name.js';
import { MAX_REGISTRATION_BYTES, parseRegistration, REGISTRATION_SUFFIX } from './registration-file.js';

/** A file that showed no life for this many leases belongs to nobody: its owner would have beaten thirty times. */
const GARBAGE_LEASES = 10;
/** Pauses are up to this much longer, so that the sidecars of a machine do not all sweep at once. */
const PAUSE_JITTER = 1;

interface Suspect {
  readonly stamp: string;
  /** Monotonic milliseconds. */
  readonly since: number;
}

/**
 * Deletes what dead processes left behind: registrations, temporary files and empty folders that did not change for ten leases.
 * Each process that registers sweeps, rarely and at its own time. As with the leases, only the process's own monotonic clock
 * and two looks at the same unchanged file decide, so a skewed clock never deletes the file of a living instance; and if one is
 * deleted after all, its owner writes it again at its next beat.
 */
export class Sweep {
  #suspects = new Map<string, Suspect>();
  #timer: TimerHandle | undefined;
  #running: Promise<void> | undefined;
  #stopped = false;

  /** @param top folder of all registrations */
  constructor(
    private readonly top: string,
    private readonly leaseMs: number,
    private readonly files: FileAccess,
    private readonly ports: Ports,
    private readonly logger: Logger,
  ) {}

  /** Sweeps now and then until {@link stop}. */
  start(): void {
    this.#schedule(this.leaseMs);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#running;
  }

  /** Looks at everything once; deletes what an earlier look found and what has not changed since. */
  async sweep(): Promise<void> {
    const before = this.#suspects;
    this.#suspects = new Map();
    for (const folder of (await this.files.list(this.top)) ?? []) {
      if (this.#stopped) return;
      const service = decodeFileName(folder);
      if (service !== undefined) await this.#sweepFolder(service, join(this.top, folder), before);
    }
  }

  async #sweepFolder(service: string, folder: string, before: ReadonlyMap<string, Suspect>): Promise<void> {
    const names = (await this.files.list(folder)) ?? [];
    await forEachBounded(names, IO_WIDTH, async (name) => {
      const path = join(folder, name);
      const instanceId = decodeFileName(name, REGISTRATION_SUFFIX);
      const isTemporary = name.startsWith('.') && name.endsWith('.tmp');
      if (instanceId === undefined && !isTemporary) return; // not ours
      if (!(await this.#isOld(path, before, this.leaseMs))) return;
      // The file may ask for a longer lease than ours.
      const leaseMs = instanceId === undefined ? this.leaseMs : await this.#leaseOf(path, service, instanceId);
      if (!(await this.#isOld(path, before, leaseMs))) return;
      await this.files.remove(path);
      this.#suspects.delete(path);
      this.logger.debug({ path }, 'file registry: deleted a registration whose owner is gone');
    });
    if (names.length === 0 && (await this.#isOld(folder, before, this.leaseMs))) {
      if (await this.files.removeEmptyDirectory(folder)) this.#suspects.delete(folder);
    }
  }

  /** True when the path has looked the same for ten leases. */
  async #isOld(path: string, before: ReadonlyMap<string, Suspect>, leaseMs: number): Promise<boolean> {
    const facts = await this.files.facts(path);
    if (facts === undefined) return false;
    const now = this.ports.clock.now();
    const known = before.get(path);
    const suspect = known?.stamp === facts.stamp ? known : { stamp: facts.stamp, since: now };
    this.#suspects.set(path, suspect);
    return now - suspect.since >= GARBAGE_LEASES * leaseMs;
  }

  async #leaseOf(path: string, service: string, instanceId: string): Promise<number> {
    const content = await this.files.read(path, MAX_REGISTRATION_BYTES);
    const record = content.outcome === 'read' ? parseRegistration(content.text, service, instanceId) : undefined;
    return typeof record === 'object' ? record.leaseMs : this.leaseMs;
  }

  #schedule(delayMs: number): void {
    if (this.#stopped) return;
    const delay = delayMs * (1 + PAUSE_JITTER * this.ports.random.next());
    this.#timer = this.ports.timers.after(delay, () => {
      this.#running = this.sweep()
        .catch((error: unknown) => {
          this.logger.debug({ reason: describeError(error) }, 'file registry: sweeping failed; tried again later');
        })
        .finally(() => this.#schedule(GARBAGE_LEASES * this.leaseMs));
    });
  }
}
