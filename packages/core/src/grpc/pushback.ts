/**
 * Field of the trailers in which a server says when to try again: milliseconds, or anything else for "not at all" (gRFC A6). Clients obey
 * it in place of their backoff.
 */
export const PUSHBACK_FIELD = 'grpc-retry-pushback-ms';

/** Field of a request: how many attempts there were before this one (gRFC A6). */
export const PREVIOUS_ATTEMPTS_FIELD = 'grpc-previous-rpc-attempts';

/** Value of {@link PUSHBACK_FIELD} for "do not try again". */
export const NO_RETRY = '-1';

/** Milliseconds that {@link PUSHBACK_FIELD} asks to wait; 0 when it is missing; Infinity for "do not try again". */
export function parsePushback(text: string | undefined): number {
  if (text === undefined) return 0;
  return /^\d{1,10}$/.test(text) ? Number(text) : Infinity;
}
