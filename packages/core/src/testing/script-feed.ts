type Step<T> =
  | { readonly kind: 'value'; readonly value: T }
  | { readonly kind: 'error'; readonly error: Error }
  | { readonly kind: 'end' };

/** One running watch of a scripted registry: hands out what the test pushes, in order, until its signal aborts. */
export class ScriptFeed<T> {
  readonly #steps: Step<T>[] = [];
  #wake: (() => void) | undefined;

  push(value: T): void {
    this.#take({ kind: 'value', value });
  }

  fail(error: Error): void {
    this.#take({ kind: 'error', error });
  }

  end(): void {
    this.#take({ kind: 'end' });
  }

  /** @param closed called once when nobody reads any more */
  async *read(signal: AbortSignal, closed: () => void): AsyncGenerator<T, void, undefined> {
    const abort = (): void => this.#wake?.();
    signal.addEventListener('abort', abort, { once: true });
    try {
      while (!signal.aborted) {
        const step = this.#steps.shift();
        if (step === undefined) await new Promise<void>((resolve) => (this.#wake = resolve));
        else if (step.kind === 'value') yield step.value;
        else if (step.kind === 'error') throw step.error;
        else return;
      }
    } finally {
      signal.removeEventListener('abort', abort);
      closed();
    }
  }

  #take(step: Step<T>): void {
    this.#steps.push(step);
    this.#wake?.();
  }
}
