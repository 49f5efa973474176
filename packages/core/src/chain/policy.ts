import type { LiveConfiguration } from '../config/live/live-configuration.js';
import type { Rejection } from '../errors.js';
import type { Explanation } from '../explain/explanation.js';
import type { Direction, Invocation, Outcome } from '../invocation.js';
import type { InstalledPlugins } from '../plugin/installed-plugins.js';
import type { Ports } from '../ports/ports.js';
import type { PlanSource } from '../routing/mirror.js';
import type { Endpoint } from '../registry/endpoint.js';
import type { Logger } from '../telemetry/logger.js';
import type { MeshEvents } from '../telemetry/mesh-events.js';
import type { PolicyMetrics } from '../telemetry/policy-metrics.js';
import type { Tracing } from '../telemetry/tracing/tracing.js';

/**
 * A policy sees a call before it is sent and after it ended. `before` answers at once; a policy that must wait returns a promise,
 * which parks the exchange. `after` runs in reverse order, for exactly those policies whose `before` let the call pass.
 */
export interface Policy {
  readonly name: string;
  /**
   * False while the configuration asks nothing of the policy: it is then left out of the chain and costs nothing. Read after each
   * change of the configuration; true when left out.
   */
  readonly isActive?: boolean;
  /**
   * The chassis begins its work: what had better be there before the first call is fetched now. A start waits for it, so it takes a
   * bounded time, and never rejects. A chassis that only checks or explains is closed without having begun.
   */
  start?(): Promise<void>;
  /** The chassis ends its work: the policy does nothing any more by itself. */
  close?(): void;
  before?(call: Invocation): Rejection | void | Promise<Rejection | void>;
  /**
   * True for a policy that only records: it gets `before` and `after` of calls, too, that are refused ahead of the chain (an unknown
   * service, a loop), as long as all policies in front of it do. Its `before` answers nothing.
   */
  readonly seesRefused?: boolean;
  after?(call: Invocation, outcome: Outcome): void;
  /**
   * True while the policy wants to hear of attempts by {@link attemptBegan} and {@link attemptEnded}. Read after each change of the
   * configuration, like {@link isActive}; false when left out.
   */
  readonly watchesAttempts?: boolean;
  /** An attempt of the call was given to `endpoint`. */
  attemptBegan?(call: Invocation, endpoint: Endpoint): void;
  /**
   * An attempt has ended: exactly once for each {@link attemptBegan}.
   * @param outcome that of the attempt, not of the call; `aborted` also for one that was given up in favour of another
   */
  attemptEnded?(call: Invocation, endpoint: Endpoint, outcome: Outcome): void;
  /**
   * The answer of a call begins whose `watchesBeginning` the policy has set. What follows may last for hours.
   * @param status 0 for a relayed connection, which stands
   * @param grpcStatus that of a gRPC answer that is over with its beginning
   */
  answerBegan?(call: Invocation, status: number, grpcStatus?: number): void;
  /** What the caller gets in place of an answer that Mesher would make itself, e.g. a fallback; the same rejection to leave it. */
  instead?(call: Invocation, rejection: Rejection): Rejection;
  /**
   * Decides about `call` like `before`, sets on it what `before` would set, and says why, but counts nothing and changes no
   * state. Where `before` would reject, `into.stopped` is set.
   */
  explain?(call: Invocation, into: Explanation): void;
}

/** What a policy is made with. */
export interface PolicyContext {
  readonly direction: Direction;
  readonly ports: Ports;
  readonly logger: Logger;
  readonly configuration: LiveConfiguration;
  readonly events: MeshEvents;
  readonly metrics: PolicyMetrics;
  readonly plugins: InstalledPlugins;
  /** The plans of other services than the called one; left out where there are none. */
  readonly plans?: PlanSource;
  /** The tracing that both directions share; a policy makes its own where there is none. */
  readonly tracing?: Tracing;
}

/** Makes the policy behind a handler name, once per chassis and direction. */
export type PolicyFactory = (context: PolicyContext) => Policy;
