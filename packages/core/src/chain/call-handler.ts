import { Rejection } from '../errors.js';
import type { AnswerView, AttemptFailure, Direction, Invocation, Outcome } from '../invocation.js';
import type { Endpoint } from '../registry/endpoint.js';

/** Where the next attempt goes, or why there is none. */
export type Verdict = Endpoint | Rejection;

/** The verdict about a call whose caller left while it was being decided; nobody reads it. */
export const GONE: Rejection = new Rejection('MESH_ERR_TIMEOUT', 'The caller left while the call was being decided');

/**
 * All that a wire knows of what stands behind it: it asks where a call goes, says when an attempt failed, and says how the call
 * ended. Answers come at once; a promise parks the exchange.
 */
export interface CallHandler {
  readonly direction: Direction;
  /** Decides about a call whose head is complete. */
  begin(call: Invocation): Verdict | Promise<Verdict>;
  /** Decides whether and where to try again after an attempt that got no response. */
  again(call: Invocation, failure: AttemptFailure): Verdict | Promise<Verdict>;
  /**
   * Asked about each answer of a call whose `watchesAnswer` is set, before anything of it is passed on.
   * @returns undefined to pass it on; else where the next attempt goes, and the answer is thrown away. Never a bare rejection: then
   * the answer itself would be the better one.
   */
  answered?(call: Invocation, answer: AnswerView): Endpoint | Promise<Verdict> | undefined;
  /**
   * Asked `call.hedgeAfter` ms after an attempt began that got no answer yet: where a second one goes beside it, whichever answers
   * first. Undefined for nowhere.
   */
  hedge?(call: Invocation): Endpoint | undefined;
  /**
   * Asked about an answer that came while another attempt of the call is still under way: true when it is worth no more than a failure,
   * so that it is thrown away (reported by `lost`) and the other one awaited. Left out: the first answer wins.
   */
  isFailure?(call: Invocation, answer: AnswerView): boolean;
  /**
   * Of several attempts of one call that were under way together, the one at `endpoint` is over while another goes on. Nothing is
   * to be decided. The wire keeps `call.endpoint` at the attempt that is left; that one ends by `again`, `answered` or `end`.
   * @param failure why it failed; undefined when it was given up because the other one answered first
   */
  lost?(call: Invocation, endpoint: Endpoint, failure: AttemptFailure | undefined): void;
  /**
   * Told of calls whose `watchesBeginning` is set: the head of an answer is passed on, and nothing will be tried again; or the
   * connection of a relayed call stands.
   * @param status 0 for a relayed connection
   * @param grpcStatus that of a gRPC answer that is over with its beginning (trailers-only)
   */
  begun?(call: Invocation, status: number, grpcStatus?: number): void;
  /** What the caller gets when the wire itself is about to refuse a call that was begun, e.g. after a timeout: a fallback, or the same. */
  instead?(call: Invocation, rejection: Rejection): Rejection;
  /** A connection to `endpoint` was made: it is reachable. */
  connected(endpoint: Endpoint): void;
  /** Called exactly once per call that was begun. */
  end(call: Invocation, outcome: Outcome): void;
}
