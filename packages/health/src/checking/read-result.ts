import type { HealthResult } from '@mesher/core';

/** Longer than any sentence about a check; what an application sends (a gRPC message) or a plugin says may be as long as it likes. */
const LONGEST_DETAIL = 300;
/** Line ends and other control characters: a detail is one line of `/ready`, of the log and of what a terminal shows. */

const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g;

/**
 * What a checker answered; it may be written in JavaScript by anybody.
 * @returns a result that is what its type says; not healthy when the answer is no result at all
 */
export function readResult(answer: unknown): HealthResult {
  const { healthy, detail, refused } = (answer ?? {}) as { [key in keyof HealthResult]?: unknown };
  if (typeof healthy !== 'boolean') {
    return { healthy: false, detail: 'the checker answered no result, which is { healthy: true or false, detail }' };
  }
  return { healthy, detail: typeof detail === 'string' ? detail : '', refused: refused === true };
}

/** One short line of whatever was said about a check. */
export function oneLine(detail: string): string {
  // Cut before and after: replacing in megabytes takes time.
  const line = detail
    .slice(0, 2 * LONGEST_DETAIL)
    .replace(CONTROLS, ' ')
    .trim();
  return line.length <= LONGEST_DETAIL ? line : `${line.slice(0, LONGEST_DETAIL)}...`;
}
