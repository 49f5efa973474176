import type { Rejection } from '../errors.js';
import { grpcStatusName } from '../grpc/status.js';
import type { CallProtocol } from '../invocation.js';

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

  /** @param protocol of the call: callers of gRPC know its statuses only */
  constructor(private readonly protocol: CallProtocol = 'http') {}

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
    const { code, status, grpcStatus, message, hint } = rejection;
    const isGrpc = this.protocol === 'grpc';
    const told = isGrpc ? grpcStatusName(grpcStatus) : status;
    const statuses = isGrpc ? { status, grpcStatus } : { status };
    this.add(stage, `${told} ${code}: ${message}`, details, { ...data, code, ...statuses, hint });
    this.rejection = rejection;
    this.stopped = true;
  }
}
