import type { Instance, InstanceStatus, Lease, Logger, Ports, TimerHandle } from '@mesher/core';
import { describeError, type FileAccess } from '../files/file-access.js';
import { beatIntervalMs } from '../options.js';
import { formatRegistration, MAX_REGISTRATION_BYTES } from './registration-file.js';

/** Beats come up to this part early, so that the sidecars of a machine spread out. Never late. */
const BEAT_JITTER = 0.2;
/** First wait after a failed write; doubled with each failure in a row. The trouble is local, so it may be over soon. */
const RETRY_FIRST_MS = 500;
/** Longest wait: short against what an operator who mends the folder is willing to wait. */
const RETRY_MOST_MS = 10_000;
/** A wait is at least this part of the present limit, so that chance never makes a busy loop. */
const RETRY_LEAST_PART = 0.1;
/** Leaving must not hold up the end of the process when the file system hangs; the lease ends by itself. */
const RELEASE_TIMEOUT_MS = 5_000;

/** Follows the path in the message about a file that another process writes as well. */
const CONTESTED = 'was written by another process: give each process an instanceId of its own';

/** Where and for how long one instance registers. */
export interface RegistrationPlace {
  readonly path: string;
  readonly leaseMs: number;
  /** Unlike that of any other process. */
  readonly owner: string;
}

/**
 * Keeps the file of one instance in place: writes it, touches it in every third of the lease, writes it again when it is gone or
 * changed, and retries for as long as the folder cannot be written.
 */
export class Registration implements Lease {
  #instance: Instance;
  /** What went wrong at the last beat. */
  problem: string | undefined;
  #timer: TimerHandle | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  #released: Promise<void> | undefined;
  #failures = 0;
  /** True when the file was in place once: from then on a strange file there is somebody else's doing. */
  #placed = false;
  #waiting: (() => void)[] = [];

  constructor(
    self: Instance,
    private readonly place: RegistrationPlace,
    private readonly files: FileAccess,
    private readonly ports: Ports,
    private readonly logger: Logger,
    private readonly onReleased: () => void,
  ) {
    this.#instance = self;
  }

  /** Resolves when the file is in place. */
  start(): Promise<void> {
    return this.#publish();
  }

  /** Resolves when the file shows the status, or the registration was released. */
  async setStatus(status: InstanceStatus): Promise<void> {
    if (this.#released !== undefined) return;
    this.#instance = { ...this.#instance, status };
    await this.#publish();
  }

  release(): Promise<void> {
    this.#released ??= this.#leave();
    return this.#released;
  }

  /** Looks after the file now; resolves when that was tried. */
  beat(): Promise<void> {
    this.#timer?.cancel();
    if (this.#running !== undefined) {
      this.#again = true;
      return this.#running;
    }
    this.#running = this.#beatOnce().finally(() => {
      this.#running = undefined;
      if (this.#released !== undefined) return;
      if (this.#again) void this.beat();
      else this.#timer = this.ports.timers.after(this.#pauseMs(), () => void this.beat());
      this.#again = false;
    });
    return this.#running;
  }

  async #publish(): Promise<void> {
    const done = new Promise<void>((resolve) => this.#waiting.push(resolve));
    void this.beat();
    await done;
  }

  async #beatOnce(): Promise<void> {
    const waiting = this.#waiting.splice(0);
    try {
      const isContested = await this.#putInPlace();
      if (this.#failures > 0) this.logger.info({ path: this.place.path }, 'file registry: registered again');
      this.#failures = 0;
      this.#report(isContested ? `${this.place.path} ${CONTESTED}` : undefined);
      for (const resolve of waiting) resolve();
    } catch (error) {
      this.#waiting.unshift(...waiting);
      this.#failures += 1;
      const { service } = this.#instance;
      this.#report(
        `${service} cannot be registered (${describeError(error)}): retried; is ${this.place.path} writable?`,
      );
    }
  }

  /**
   * Reading before touching costs one small read per beat and finds a file that was cut off, edited or taken by another process.
   * @returns true when another process wrote the file since the last beat
   */
  async #putInPlace(): Promise<boolean> {
    const { path, leaseMs, owner } = this.place;
    const text = formatRegistration({ instance: this.#instance, leaseMs, owner });
    const present = await this.files.read(path, MAX_REGISTRATION_BYTES);
    const wall = this.ports.clock.wallTime();
    const isOurs = present.outcome === 'read' && present.text === text;
    if (isOurs && (await this.files.touch(path, wall))) return false;
    const isContested = this.#placed && present.outcome === 'read' && !isOwnedBy(present.text, owner);
    await this.files.replace(path, text, wall);
    this.#placed = true;
    return isContested;
  }

  /** Logs a problem once, not with every beat. */
  #report(problem: string | undefined): void {
    if (problem !== undefined && problem !== this.problem) this.logger.warn({}, `file registry: ${problem}`);
    this.problem = problem;
  }

  #pauseMs(): number {
    const chance = this.ports.random.next();
    if (this.#failures === 0) return beatIntervalMs(this.place.leaseMs) * (1 - BEAT_JITTER * chance);
    const limit = Math.min(RETRY_FIRST_MS * 2 ** (this.#failures - 1), RETRY_MOST_MS);
    return limit * (RETRY_LEAST_PART + (1 - RETRY_LEAST_PART) * chance);
  }

  async #leave(): Promise<void> {
    this.#timer?.cancel();
    let timeout: TimerHandle | undefined;
    const tooLong = new Promise<void>((resolve) => {
      timeout = this.ports.timers.after(RELEASE_TIMEOUT_MS, resolve);
    });
    await Promise.race([this.#removeOwn(), tooLong]);
    timeout?.cancel();
    for (const resolve of this.#waiting.splice(0)) resolve();
    this.onReleased();
  }

  async #removeOwn(): Promise<void> {
    await this.#running;
    const { path, owner } = this.place;
    try {
      // A successor that was given the same instanceId may have registered already: its file stays.
      const present = await this.files.read(path, MAX_REGISTRATION_BYTES);
      if (present.outcome !== 'read' || isOwnedBy(present.text, owner)) await this.files.remove(path);
    } catch (error) {
      this.logger.warn({ path, error }, 'file registry: the registration could not be removed; its lease will run out');
    }
  }
}

/** Looks for the owner's mark in a text that may be cut off. */
function isOwnedBy(text: string, owner: string): boolean {
  return text.includes(JSON.stringify(owner));
}
