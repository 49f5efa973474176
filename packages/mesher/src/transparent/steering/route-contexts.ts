import { ContextTable, type Invocation, type Outcome, type Ports, type TimerHandle } from '@mesher/core';
import type { RoutingOptions } from '../http-settings-schema.js';

interface Kept {
  readonly value: string;
}

/** Routes of inbound requests by request id, for outbound requests of an application that passes on no more than the id. */
export class RouteContexts {
  readonly #table: ContextTable<Kept>;
  readonly #open = new WeakMap<Invocation, { readonly id: string; readonly kept: Kept }>();
  #cleaning: TimerHandle | undefined;

  constructor(
    private readonly options: Pick<RoutingOptions, 'expiration' | 'maxContexts' | 'cleanupInterval'>,
    private readonly ports: Ports,
  ) {
    this.#table = new ContextTable({ expirationMs: options.expiration, maxContexts: options.maxContexts });
  }

  get size(): number {
    return this.#table.size;
  }

  /** @param id that of the request; of two requests with one id the last one counts */
  remember(call: Invocation, id: string, value: string): void {
    const { clock, timers } = this.ports;
    this.#cleaning ??= timers.every(this.options.cleanupInterval, () => this.#table.clean(clock.now()));
    const kept = { value };
    this.#table.open(id, kept);
    this.#open.set(call, { id, kept });
  }

  find(id: string, now: number): string | undefined {
    return this.#table.find(id, now)?.value;
  }

  /** The inbound request has ended: its route stays for a while. */
  ended(call: Invocation, { durationMs }: Outcome): void {
    const open = this.#open.get(call);
    if (open !== undefined) this.#table.close(open.id, open.kept, call.startedAt + durationMs);
  }

  close(): void {
    this.#cleaning?.cancel();
    this.#table.clear();
  }
}
