/** Why an endpoint is passed over although it can be reached: bits, so that several reasons may hold at once. */
export const BARRED = {
  /** Its answers were bad: it was ejected for a while. */
  ejected: 1,
  /** Its circuit breaker is open. */
  breaker: 2,
} as const;

export type BarReason = keyof typeof BARRED;

/**
 * Counts the changes of who takes calls among the endpoints of one service, so that whoever compiled something from that knows with
 * one comparison that it still holds.
 */
export class Availability {
  version = 0;
}
