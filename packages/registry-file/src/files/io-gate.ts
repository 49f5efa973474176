/**
 * Lets a bounded number of file operations run at once. Node gives file operations and DNS look-ups the same few threads
 * (four, unless UV_THREADPOOL_SIZE says otherwise); a network file system that hangs would otherwise take all of them and stop
 * the sidecar from resolving names.
 */
export class IoGate {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(limit: number) {
    this.#free = limit;
  }

  async run<T>(operation: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await operation();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next(); // the permit passes on
    }
  }
}

/** Calls `visit` for every item, at most `width` at a time; the first error ends it when the running visits are done. */
export async function forEachBounded<T>(
  items: Iterable<T>,
  width: number,
  visit: (item: T) => Promise<void>,
): Promise<void> {
  const shared = items[Symbol.iterator]();
  const failures: unknown[] = [];
  const work = async (): Promise<void> => {
    for (let next = shared.next(); next.done !== true && failures.length === 0; next = shared.next()) {
      try {
        await visit(next.value);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: width }, work));
  if (failures.length > 0) throw failures[0];
}
