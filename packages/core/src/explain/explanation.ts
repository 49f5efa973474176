/** One decision about a call, for people and as data. */
export interface ExplainStep {
  /** Who decided: `resolver`, `router`, `rate-limiter`, `load-balancer`, ... */
  readonly stage: string;
  /** What was decided, in one line. */
  readonly decision: string;
  /** What was looked at on the way: rules tried and why not, endpoints kept and dropped, states. */
  readonly details: readonly string[];
  /** The same as data, for `--json`. */
  readonly data: Readonly<Record<string, unknown>>;
}

/** Collects the decisions about one call, in their order. Nothing that explains may change any state. */
export class Explanation {
  readonly steps: ExplainStep[] = [];
  /** Set once a stage would have answered the caller itself: nothing after it is asked. */
  stopped = false;

  add(
    stage: string,
    decision: string,
    details: readonly string[] = [],
    data: Readonly<Record<string, unknown>> = {},
  ): void {
    this.steps.push({ stage, decision, details, data });
  }
}
