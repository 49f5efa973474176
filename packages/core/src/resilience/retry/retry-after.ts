import type { Clock } from '../../ports/ports.js';

const SECONDS = /^\d{1,9}$/;

/**
 * Milliseconds that a `retry-after` field asks to wait: seconds, or a date (RFC 9110, 10.2.3).
 * @returns 0 when it is missing, unreadable or in the past
 */
export function parseRetryAfter(text: string | undefined, clock: Clock): number {
  if (text === undefined) return 0;
  if (SECONDS.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? 0 : Math.max(0, date - clock.wallTime());
}
