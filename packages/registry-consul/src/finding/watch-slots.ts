/** Who may have Consul hold back an answer: each of them takes a connection, of which an agent takes so many of one client. */
export class WatchSlots<T> {
  readonly #taken = new Set<T>();

  constructor(private readonly most: number) {}

  /** Takes a slot, if there is one. @returns whether `holder` has one */
  take(holder: T): boolean {
    if (this.#taken.size < this.most) this.#taken.add(holder);
    return this.#taken.has(holder);
  }

  free(holder: T): void {
    this.#taken.delete(holder);
  }
}
