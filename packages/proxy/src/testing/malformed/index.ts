import { MALFORMED_BODIES } from './bodies.js';
import { FOREIGN_AND_TOO_LARGE } from './foreign.js';
import { MALFORMED_FRAMING } from './framing.js';
import { MALFORMED_HEADS } from './heads.js';
import type { MalformedRequest } from './malformed-message.js';

export { SMUGGLED, type MalformedRequest } from './malformed-message.js';

/** Requests that must be answered with an error, closed, and not forwarded by a single byte. */
export const MALFORMED_REQUESTS: readonly MalformedRequest[] = [
  ...MALFORMED_FRAMING,
  ...MALFORMED_HEADS,
  ...MALFORMED_BODIES,
  ...FOREIGN_AND_TOO_LARGE,
];
