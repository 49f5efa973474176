import type { Invocation, Outcome } from '../invocation.js';
import type { Tracing } from '../telemetry/tracing/tracing.js';
import type { RequestIds } from './request-ids.js';

/** What calls get about which nobody decides, since they go to where they were going (transparent mode): an id, and a span. */
export class Observation {
  constructor(
    private readonly requestIds: RequestIds,
    private readonly tracing: Tracing,
  ) {}

  /** False while there is nothing to observe in single requests: their connections may as well pass unread. */
  get isWanted(): boolean {
    return this.tracing.isOn;
  }

  begin(call: Invocation): void {
    if (call.protocol !== 'tcp') this.requestIds.apply(call);
    if (this.tracing.isOn) this.tracing.begin(call);
  }

  end(call: Invocation, outcome: Outcome): void {
    this.tracing.end(call, outcome);
  }
}
