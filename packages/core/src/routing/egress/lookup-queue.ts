/** Asks DNS; throws when there is no such host, with the code of the system. */
export type HostLookup = (host: string) => Promise<readonly string[]>;

/**
 * Questions to the system resolver under way at once. Each holds one of the four threads of the process (libuv) until the system gives
 * up, which may take longer than any call waits; the other two must be left for files, or a name server in trouble would stop the
 * beats by which the registry knows that this instance is alive.
 */
const MOST_AT_ONCE = 2;

/** A question that was asked, or waits to be. */
export interface PendingLookup {
  readonly addresses: Promise<readonly string[]>;
  /** Nobody waits for the answer any more: the question is not asked if it has not been yet. */
  abandon(): void;
}

/** Asks about hosts, a few at a time, in the order in which they came. */
export class LookupQueue {
  #running = 0;
  readonly #waiting = new Set<() => void>();

  constructor(private readonly lookup: HostLookup) {}

  /** Questions that wait. */
  get length(): number {
    return this.#waiting.size;
  }

  ask(host: string): PendingLookup {
    const { promise, resolve, reject } = pending<readonly string[]>();
    const start = (): void => {
      this.#running++;
      this.lookup(host)
        .then(resolve, reject)
        .finally(() => this.#next());
    };
    if (this.#running < MOST_AT_ONCE) start();
    else this.#waiting.add(start);
    return { addresses: promise, abandon: () => void this.#waiting.delete(start) };
  }

  #next(): void {
    this.#running--;
    for (const start of this.#waiting) {
      this.#waiting.delete(start);
      start();
      return;
    }
  }
}

interface Pending<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (reason: unknown) => void;
}

function pending<T>(): Pending<T> {
  let resolve: Pending<T>['resolve'] = () => undefined;
  let reject: Pending<T>['reject'] = () => undefined;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
