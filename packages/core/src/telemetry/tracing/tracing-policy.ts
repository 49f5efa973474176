import type { Policy, PolicyContext, PolicyFactory } from '../../chain/policy.js';
import type { Explanation } from '../../explain/explanation.js';
import type { Invocation, Outcome } from '../../invocation.js';
import type { Clock } from '../../ports/ports.js';
import type { Endpoint } from '../../registry/endpoint.js';
import { Tracing } from './tracing.js';

/** Makes a span of each call. It stands first in the chain, so that the span shows what the other policies do to the call. */
class TracingPolicy implements Policy {
  readonly seesRefused = true;

  constructor(
    readonly name: string,
    private readonly tracing: Tracing,
    private readonly clock: Clock,
    readonly watchesAttempts: boolean,
  ) {}

  get isActive(): boolean {
    return this.tracing.isOn;
  }

  async start(): Promise<void> {
    await this.tracing.start();
  }

  before(call: Invocation): void {
    this.tracing.begin(call);
  }

  attemptBegan(call: Invocation, endpoint: Endpoint): void {
    call.trace?.span?.attempts.push({ endpoint, startedAt: this.clock.now(), outcome: undefined });
  }

  attemptEnded(call: Invocation, endpoint: Endpoint, outcome: Outcome): void {
    const attempts = call.trace?.span?.attempts;
    const note = attempts?.find((one) => one.outcome === undefined && one.endpoint === endpoint);
    if (note !== undefined) note.outcome = outcome;
  }

  after(call: Invocation, outcome: Outcome): void {
    this.tracing.end(call, outcome);
  }

  explain(_call: Invocation, into: Explanation): void {
    into.add(this.name, 'the call belongs to a trace, and gets a span if that is sampled');
  }
}

function policyOf(name: string, context: PolicyContext, watchesAttempts: boolean): Policy {
  const tracing = context.tracing ?? new Tracing(context);
  return new TracingPolicy(name, tracing, context.ports.clock, watchesAttempts);
}

/** Behind `tracing-consumer`: spans of outbound calls. */
export const consumerTracing: PolicyFactory = (context) => policyOf('tracing-consumer', context, true);

/** Behind `tracing-provider`: spans of inbound calls. */
export const providerTracing: PolicyFactory = (context) => policyOf('tracing-provider', context, false);
