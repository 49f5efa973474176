import type { Ports, TimerHandle } from '@mesher/core';

export interface ScanLoopTimes {
  readonly pollIntervalMs: number;
  readonly debounceMs: number;
  /** True: each event puts the look off again (up to {@link MAX_DEBOUNCES} times), so that a writer can finish. */
  readonly waitForQuiet: boolean;
}

/** A writer that never rests must not put the look off for ever. */
const MAX_DEBOUNCES = 10;
/** Polls come up to this part early, so that many sidecars on one network volume do not look in step. Never late. */
const POLL_JITTER = 0.1;

/**
 * Decides when a directory is looked at: soon after an event, when a scan asked for another one, and in any case after the poll
 * interval. Looks never overlap; what happens during one leads to another one after it.
 */
export class ScanLoop {
  readonly #ports: Ports;
  readonly #times: ScanLoopTimes;
  readonly #scan: (whole: boolean) => Promise<void>;
  #poll: TimerHandle | undefined;
  #hinted: TimerHandle | undefined;
  #firstHintAt = 0;
  #recheck: TimerHandle | undefined;
  #running: Promise<void> | undefined;
  #again: 'no' | 'hints' | 'whole' = 'no';
  #lastDurationMs = 0;
  #stopped = false;

  /** @param scan must not reject; `whole` is false when only what events named needs a look */
  constructor(ports: Ports, times: ScanLoopTimes, scan: (whole: boolean) => Promise<void>) {
    this.#ports = ports;
    this.#times = times;
    this.#scan = scan;
  }

  /** Makes the first look at once. */
  start(): void {
    void this.#run(true);
  }

  /** Something changed: look after the debounce. */
  hint(): void {
    if (this.#stopped) return;
    const now = this.#ports.clock.now();
    if (this.#hinted !== undefined) {
      if (!this.#times.waitForQuiet || now - this.#firstHintAt >= MAX_DEBOUNCES * this.#times.debounceMs) return;
      this.#hinted.cancel();
    } else {
      this.#firstHintAt = now;
    }
    // A look at a very large tree takes longer than the debounce: then events take at most half of the time.
    const delay = Math.max(this.#times.debounceMs, this.#lastDurationMs);
    this.#hinted = this.#ports.timers.after(delay, () => {
      this.#hinted = undefined;
      void this.#run(false);
    });
  }

  /** Look at everything again in `delayMs`; replaces an earlier wish. */
  recheckIn(delayMs: number): void {
    if (this.#stopped) return;
    this.#recheck?.cancel();
    this.#recheck = this.#ports.timers.after(delayMs, () => {
      this.#recheck = undefined;
      void this.#run(true);
    });
  }

  /** Looks at everything now; resolves when a look that began after this call is done. */
  async refresh(): Promise<void> {
    await this.#running;
    await this.#run(true);
  }

  /** No more looks; resolves when the running one is done. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const timer of [this.#poll, this.#hinted, this.#recheck]) timer?.cancel();
    await this.#running;
  }

  #run(whole: boolean): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    if (this.#running !== undefined) {
      if (whole || this.#again === 'no') this.#again = whole ? 'whole' : 'hints';
      return this.#running;
    }
    this.#running = this.#runOnce(whole).finally(() => {
      this.#running = undefined;
      const again = this.#again;
      this.#again = 'no';
      if (again === 'whole') void this.#run(true);
      else if (again === 'hints') this.hint();
      this.#schedulePoll(whole);
    });
    return this.#running;
  }

  async #runOnce(whole: boolean): Promise<void> {
    if (whole) {
      this.#poll?.cancel();
      this.#poll = undefined;
    }
    const startedAt = this.#ports.clock.now();
    await this.#scan(whole);
    this.#lastDurationMs = this.#ports.clock.now() - startedAt;
  }

  #schedulePoll(whole: boolean): void {
    if (this.#stopped || (!whole && this.#poll !== undefined)) return;
    this.#poll?.cancel();
    const delay = this.#times.pollIntervalMs * (1 - POLL_JITTER * this.#ports.random.next());
    this.#poll = this.#ports.timers.after(delay, () => {
      this.#poll = undefined;
      void this.#run(true);
    });
  }
}
