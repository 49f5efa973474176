/** Index of a new agent: the first writes are those of the cluster itself. */
const FIRST_INDEX = 12;

/**
 * The numbers that blocking queries wait for. Every write raises the one of the cluster; a service, its disappearance and the keys
 * remember the write that last concerned them.
 */
export class Indexes {
  #last = FIRST_INDEX;
  #catalog = FIRST_INDEX;
  /** Of the write that last removed the last instance of any service. */
  #extinction = 0;
  readonly #services = new Map<string, number>();

  /** The number of a new write. */
  next(): number {
    return ++this.#last;
  }

  get last(): number {
    return this.#last;
  }

  /** A write that concerns the services. */
  touchServices(names: Iterable<string>): number {
    const index = this.next();
    this.#catalog = index;
    for (const name of names) this.#services.set(name, index);
    return index;
  }

  /** The last instance of a service is gone. */
  extinct(name: string): void {
    this.#services.delete(name);
    this.#extinction = this.#last;
  }

  /** What a query for a service waits for; one for a service that is not there wakes when others come or go. */
  ofService(name: string): number {
    return this.#services.get(name) ?? (this.#extinction || this.#catalog);
  }

  get ofCatalog(): number {
    return this.#catalog;
  }

  /** Everything counts from here on, as after a restart without state. */
  reset(last: number): void {
    this.#last = last;
    this.#catalog = last;
    this.#extinction = 0;
    for (const name of this.#services.keys()) this.#services.set(name, last);
  }
}
