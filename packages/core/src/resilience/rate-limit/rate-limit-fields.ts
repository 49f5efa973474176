/** Fields of draft-ietf-httpapi-ratelimit-headers-09: what a limit is, and what is left of it. */
export const RATE_LIMIT_FIELD = 'ratelimit';
export const RATE_LIMIT_POLICY_FIELD = 'ratelimit-policy';

/** Windows, in seconds, in which a rate may come out as a whole number of calls; the last one is taken if none does. */
const WINDOWS = [1, 2, 5, 10, 60, 3600] as const;

/** A name as a string of structured fields (RFC 8941, 3.3.3), which holds visible ASCII only. */
export function fieldName(name: string): string {
  return `"${name.replace(/[^\x20-\x7e]/g, '?').replace(/["\\]/g, '\\$&')}"`;
}

/** Value of `ratelimit-policy`: so many calls (`q`) in a window of so many seconds (`w`). */
export function policyField(name: string, rate: number): string {
  const perSecond = Math.max(0, rate);
  const window = WINDOWS.find((seconds) => isWhole(perSecond * seconds)) ?? WINDOWS[WINDOWS.length - 1] ?? 1;
  return `${fieldName(name)};q=${Math.round(perSecond * window)};w=${window}`;
}

/** Value of `ratelimit`, for a name that {@link fieldName} made: how many calls may follow at once, and the whole seconds until there are more; none when there never are. */
export function remainingField(quotedName: string, remaining: number, waitMs: number): string {
  const left = `${quotedName};r=${Math.floor(remaining)}`;
  return Number.isFinite(waitMs) ? `${left};t=${wholeSeconds(waitMs)}` : left;
}

/** Seconds for `retry-after`: rounded up, since who comes a moment too early is rejected again; at least 1. */
export function wholeSeconds(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1000));
}

function isWhole(value: number): boolean {
  return Math.abs(value - Math.round(value)) < 1e-9;
}
