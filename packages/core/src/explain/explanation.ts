import type { Rejection } from '../errors.js';

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
  /** Set by a stage that cannot say more without doing it (asking DNS): the rest is left out, but the call is not refused. */
  open = false;
  /** What the caller would get, when the stage that stopped said so by {@link reject}. */
  rejection: Rejection | undefined = undefined;

  add(
    stage: string,
    decision: string,
    details: readonly string[] = [],
    data: Readonly<Record<string, unknown>> = {},
  ): void {
    this.steps.push({ stage, decision, details, data });
  }

  /** The stage would answer the caller itself, with `rejection`. */
  reject(
    stage: string,
    rejection: Rejection,
    details: readonly string[] = [],
    data: Readonly<Record<string, unknown>> = {},
  ): void {
    const { code, status, message, hint } = rejection;
    this.add(stage, `${status} ${code}: ${message}`, details, { ...data, code, status, hint });
    this.rejection = rejection;
    this.stopped = true;
  }
}
