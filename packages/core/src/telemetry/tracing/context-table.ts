interface Entry<T> {
  readonly context: T;
  /** Monotonic milliseconds; Infinity while the inbound call goes on. */
  expiresAt: number;
}

/**
 * The part of a full table that goes at once, oldest first. A map passes over all that was deleted from its beginning, each time it is asked
 * for its oldest key: one by one, of ten thousand, that took 15 us a call, half of what a proxied call costs.
 */
const SHARE_THAT_GOES = 1 / 32;

export interface ContextTableLimits {
  /** Milliseconds that a context stays after its inbound call has ended. */
  readonly expirationMs: number;
  readonly maxContexts: number;
}

/**
 * What is known of inbound calls, by request id, so that outbound calls of an application that forwards no more than the id find it again.
 * A context stays as long as its inbound call lasts, and a while after it.
 */
export class ContextTable<T extends object> {
  readonly #entries = new Map<string, Entry<T>>();

  constructor(private limits: ContextTableLimits) {}

  get size(): number {
    return this.#entries.size;
  }

  configure(limits: ContextTableLimits): void {
    this.limits = limits;
  }

  find(requestId: string, now: number): T | undefined {
    const entry = this.#entries.get(requestId);
    return entry === undefined || entry.expiresAt <= now ? undefined : entry.context;
  }

  /** An inbound call begins. Of two with one id, the last one counts. When the table is full the oldest entries go. */
  open(requestId: string, context: T): void {
    this.#entries.delete(requestId);
    if (this.#entries.size >= this.limits.maxContexts) this.#makeRoom();
    this.#entries.set(requestId, { context, expiresAt: Infinity });
  }

  /** The inbound call has ended: what the application goes on doing for it still finds its parent for a while. */
  close(requestId: string, context: T, now: number): void {
    const entry = this.#entries.get(requestId);
    // Another call with the same id may have taken the place.
    if (entry?.context === context) entry.expiresAt = now + this.limits.expirationMs;
  }

  /** Forgets what is over. */
  clean(now: number): void {
    for (const [requestId, { expiresAt }] of this.#entries) if (expiresAt <= now) this.#entries.delete(requestId);
  }

  clear(): void {
    this.#entries.clear();
  }

  #makeRoom(): void {
    const { maxContexts } = this.limits;
    const left = maxContexts - Math.max(1, Math.floor(maxContexts * SHARE_THAT_GOES));
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      if (this.#entries.size <= left) break;
    }
  }
}
