import type { Endpoint } from '../registry/endpoint.js';

/** See `cse.loadbalance.slowStart`. */
export interface SlowStart {
  readonly windowMs: number;
  /** 0..1 */
  readonly minimumShare: number;
  readonly aggression: number;
}

/** The part of its share, 0..1, that an endpoint gets `now`. */
export function warmth(
  { warmingSince }: Pick<Endpoint, 'warmingSince'>,
  now: number,
  { windowMs, minimumShare, aggression }: SlowStart,
): number {
  if (warmingSince === 0) return 1;
  const passed = (now - warmingSince) / windowMs;
  if (passed >= 1) return 1;
  return Math.max(minimumShare, aggression === 1 ? passed : Math.max(passed, 0) ** (1 / aggression));
}
