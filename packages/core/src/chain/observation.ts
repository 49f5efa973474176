import type { Invocation, Outcome } from '../invocation.js';
import type { Tracing } from '../telemetry/tracing/tracing.js';
import type { RequestIds } from './request-ids.js';

/** What calls get about which nobody decides, since they go to where they were going (transparent mode): an id, and a span. */
export class Observation {
  #isWantedAnyway = false;

  constructor(
    private readonly requestIds: RequestIds,
    private readonly tracing: Tracing,
  ) {}

  /** False while there is nothing to observe in single requests: their connections may as well pass unread. */
  get isWanted(): boolean {
    return this.#isWantedAnyway || this.tracing.isOn;
  }

  /** From now on somebody wants to see single requests, whether they are traced or not: who counts them by their status. */
  want(): void {
    this.#isWantedAnyway = true;
  }

  /** Sees to the id of a request, for whoever needs it before the call begins. Harmless when called twice. */
  identify(call: Invocation): void {
    if (call.protocol !== 'tcp') this.requestIds.apply(call);
  }

  begin(call: Invocation): void {
    this.identify(call);
    if (this.tracing.isOn) this.tracing.begin(call);
  }

  end(call: Invocation, outcome: Outcome): void {
    this.tracing.end(call, outcome);
  }
}
