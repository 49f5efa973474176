import type { Invocation, Outcome } from '../invocation.js';

/** The beginning of an answer. */
export interface AnswerStart {
  /** 0 for a relayed connection. */
  readonly status: number;
  /** That of a gRPC answer that is over with its beginning. */
  readonly grpcStatus: number | undefined;
}

/**
 * What a call holds while it is under way: a place in a bulkhead, a probe of a breaker. Given back, and told how the call ended,
 * exactly once. It is often one object for all calls of a service or an API, so that holding it costs no allocation.
 */
export interface Admission {
  /** The answer begins; told only to what set `watchesBeginning`. @param durationMs since the call began */
  began?(call: Invocation, answer: AnswerStart, durationMs: number): void;
  ended(call: Invocation, outcome: Outcome): void;
}
