import type { Ports, TimerHandle } from '@mesher/core';
import type { RegistryStore } from '../store/registry-store.js';
import type { StateFile } from './state-file.js';

/**
 * Changes are gathered for so long before the file is written, because the whole of it is: a crash loses no more than this, and
 * those instances register again at their next heartbeat.
 */
const GATHER_MS = 200;

/** A file that could not be written is tried again after so long: a full disk has room again some time, without any change here. */
const RETRY_MS = 5_000;

/** Saves a registry after it has changed; heartbeats are no change. */
export class StateKeeper {
  #timer: TimerHandle | undefined;
  #writing: Promise<void> | undefined;
  #changed = false;
  #isClosed = false;
  /** The last write did not work. */
  #isFailing = false;

  /** @param complain called when the file could not be written, once for as long as that is so; it is tried again */
  constructor(
    private readonly registry: RegistryStore,
    private readonly file: StateFile,
    private readonly ports: Ports,
    private readonly complain: (error: unknown) => void,
  ) {
    registry.onChange(() => {
      this.#changed = true;
      this.#schedule(GATHER_MS);
    });
  }

  /** Saves what has changed and was not saved yet; later changes, such as the end of the registry, are not saved any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#writing;
    if (this.#changed) await this.#write();
  }

  #schedule(delayMs: number): void {
    if (this.#isClosed) return;
    // Otherwise the end of the present write finds that more has changed.
    if (this.#writing !== undefined) return;
    this.#timer ??= this.ports.timers.after(delayMs, () => {
      this.#timer = undefined;
      void this.#write();
    });
  }

  async #write(): Promise<void> {
    this.#changed = false;
    this.#writing = this.file.write(this.registry.dump()).then(
      () => this.#written(undefined),
      (error: unknown) => this.#written(error),
    );
    await this.#writing;
  }

  #written(error: unknown): void {
    this.#writing = undefined;
    const wasFailing = this.#isFailing;
    this.#isFailing = error !== undefined;
    this.#changed ||= this.#isFailing;
    if (this.#changed) this.#schedule(this.#isFailing ? RETRY_MS : GATHER_MS);
    if (this.#isFailing && !wasFailing) this.complain(error);
  }
}
