import type { HealthResult } from '@mesher/core';

/** The result of a check that ended with `error`. */
export function failureOf(error: unknown): HealthResult {
  const detail = error instanceof Error && error.message !== '' ? error.message : String(error);
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return { healthy: false, detail, refused: NOBODY_THERE.has(String(code)) };
}

/** Nobody listens at the address, or the machine has no such address (no IPv6, EADDRNOTAVAIL). */
const NOBODY_THERE: ReadonlySet<string> = new Set(['ECONNREFUSED', 'EADDRNOTAVAIL', 'EAFNOSUPPORT', 'ENETUNREACH']);
