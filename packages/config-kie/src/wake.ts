/** Lets one loop wait for several others; a call that comes while nobody waits is kept. */
export class Wake {
  #called = false;
  #resume: (() => void) | undefined;

  call(): void {
    this.#called = true;
    this.#resume?.();
  }

  /** Resolves after the next call, or when the signal aborts. */
  async next(signal: AbortSignal): Promise<void> {
    if (!this.#called && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const resume = (): void => {
          signal.removeEventListener('abort', resume);
          resolve();
        };
        this.#resume = resume;
        signal.addEventListener('abort', resume, { once: true });
      });
    }
    this.#called = false;
    this.#resume = undefined;
  }
}
