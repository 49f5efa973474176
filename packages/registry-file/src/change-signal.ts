/** Wakes those who wait for a change of one key, or of any. */
export class ChangeSignal {
  readonly #ofKey = new Map<string, Set<() => void>>();
  readonly #ofAny = new Set<() => void>();

  /** Wakes everybody who waits for one of `keys` or for anything. */
  notify(keys: Iterable<string>): void {
    for (const key of keys) for (const wake of [...(this.#ofKey.get(key) ?? [])]) wake();
    for (const wake of [...this.#ofAny]) wake();
  }

  notifyAll(): void {
    this.notify([...this.#ofKey.keys()]);
  }

  /**
   * Resolves at the next change of `key` (any key when undefined) or when `signal` aborts. There is no queue: who waits looks
   * at the present state afterwards, so a slow reader skips what is outdated.
   */
  async next(key: string | undefined, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const waiting = key === undefined ? this.#ofAny : (this.#ofKey.get(key) ?? new Set());
    if (key !== undefined) this.#ofKey.set(key, waiting);
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        waiting.delete(wake);
        if (key !== undefined && waiting.size === 0 && this.#ofKey.get(key) === waiting) this.#ofKey.delete(key);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      waiting.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }
}
