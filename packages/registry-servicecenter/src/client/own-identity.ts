/** Under which ids this process is registered; what the registering half learns, the finding half uses. */
export class OwnIdentity {
  #serviceId: string | undefined;
  readonly #changed = new Set<() => void>();
  readonly #suspected = new Set<() => void>();

  /** Undefined while nothing is registered, or service-center has forgotten it. */
  get serviceId(): string | undefined {
    return this.#serviceId;
  }

  set serviceId(id: string | undefined) {
    if (id === this.#serviceId) return;
    this.#serviceId = id;
    for (const listener of [...this.#changed]) listener();
  }

  /** Calls `listener` whenever the id has changed. @returns ends that */
  onChange(listener: () => void): () => void {
    this.#changed.add(listener);
    return () => void this.#changed.delete(listener);
  }

  /** Somebody was told that service-center does not know this service: who registered should look at once. */
  suspect(): void {
    for (const listener of [...this.#suspected]) listener();
  }

  onSuspicion(listener: () => void): () => void {
    this.#suspected.add(listener);
    return () => void this.#suspected.delete(listener);
  }
}
