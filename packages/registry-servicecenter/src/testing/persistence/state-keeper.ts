import type { Ports, TimerHandle } from '@mesher/core';
import type { RegistryStore } from '../store/registry-store.js';
import type { StateFile } from './state-file.js';

/**
 * Changes are gathered for so long before the file is written, because the whole of it is: a crash loses no more than this, and
 * those instances register again at their next heartbeat.
 */
const GATHER_MS = 200;

/** Saves a registry after it has changed; heartbeats are no change. */
export class StateKeeper {
  #timer: TimerHandle | undefined;
  #writing: Promise<void> | undefined;
  #changed = false;

  /** @param complain called when the file could not be written; it is tried again after the next change */
  constructor(
    private readonly registry: RegistryStore,
    private readonly file: StateFile,
    private readonly ports: Ports,
    private readonly complain: (error: unknown) => void,
  ) {
    registry.onChange(() => {
      this.#changed = true;
      this.#schedule();
    });
  }

  /** Saves what has changed and was not saved yet. */
  async flush(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    await this.#writing;
    if (this.#changed) await this.#write();
  }

  #schedule(): void {
    this.#timer ??= this.ports.timers.after(GATHER_MS, () => {
      this.#timer = undefined;
      if (this.#writing === undefined) void this.#write();
      // Otherwise the end of the present write finds that more has changed.
    });
  }

  async #write(): Promise<void> {
    this.#changed = false;
    this.#writing = this.file.write(this.registry.dump()).catch((error: unknown) => this.complain(error));
    await this.#writing;
    this.#writing = undefined;
    if (this.#changed) this.#schedule();
  }
}
