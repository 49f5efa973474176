import type { Clock } from '../ports/ports.js';

/** What can happen to the state of a chassis that people want to know afterwards. */
export type MeshEventKind =
  | 'breaker-opened'
  | 'breaker-half-open'
  | 'breaker-closed'
  | 'endpoint-ejected'
  | 'endpoint-returned'
  | 'panic-began'
  | 'panic-ended'
  | 'retry-budget-exhausted'
  | 'bulkhead-full'
  | 'local-up'
  | 'local-down'
  | 'configuration-applied'
  | 'configuration-rejected';

export interface MeshEvent {
  readonly kind: MeshEventKind;
  /** Wall-clock milliseconds since 1970. */
  readonly at: number;
  /** The service it is about; empty when it is about the whole chassis. */
  readonly service: string;
  /** One line for people. */
  readonly text: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Events kept for whoever asks later: enough for the incident that is being looked at, some 100 KB. */
export const KEPT_EVENTS = 500;

/** What happened lately to breakers, endpoints, budgets and the configuration: kept in a ring, counted, and told to listeners. */
export class MeshEvents {
  readonly #ring: MeshEvent[] = [];
  #next = 0;
  readonly #counts = new Map<MeshEventKind, number>();
  readonly #listeners: ((event: MeshEvent) => void)[] = [];

  constructor(private readonly clock: Clock) {}

  emit(kind: MeshEventKind, service: string, text: string, data: Readonly<Record<string, unknown>> = {}): void {
    const event = { kind, at: this.clock.wallTime(), service, text, data };
    this.#ring[this.#next] = event;
    this.#next = (this.#next + 1) % KEPT_EVENTS;
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
    for (const listener of this.#listeners) listener(event);
  }

  onEvent(listener: (event: MeshEvent) => void): void {
    this.#listeners.push(listener);
  }

  /** The kept events, oldest first. */
  get latest(): readonly MeshEvent[] {
    return [...this.#ring.slice(this.#next), ...this.#ring.slice(0, this.#next)];
  }

  get counts(): ReadonlyMap<MeshEventKind, number> {
    return this.#counts;
  }
}
