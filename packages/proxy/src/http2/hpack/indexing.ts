import type { HeaderField } from './header-field.js';

/** How a field is written. */
export const Indexing = {
  /** It may go into the table, once it has come twice. */
  whenRepeated: 0,
  /** Its value will not come again: it does not enter the table, where it would push out others. Its name may. */
  nameOnly: 1,
  /** No table on the way may keep it (RFC 7541, 6.2.3). */
  never: 2,
} as const;

export type Indexing = (typeof Indexing)[keyof typeof Indexing];

/** Values of these names are new with nearly every message. */
const CHANGING: ReadonlySet<string> = new Set([
  'age',
  'content-length',
  'content-range',
  'date',
  'etag',
  'grpc-message',
  'grpc-timeout',
  'if-modified-since',
  'if-none-match',
  'last-modified',
  'traceparent',
  'tracestate',
  'x-b3-parentspanid',
  'x-b3-spanid',
  'x-b3-traceid',
  'x-request-id',
]);

/** Credentials: whoever shares the table with an attacker must not let him find them by trial (RFC 7541, 7.1.3). */
const CREDENTIALS: ReadonlySet<string> = new Set(['authorization', 'proxy-authorization']);
const COOKIES: ReadonlySet<string> = new Set(['cookie', 'set-cookie']);
/** Shorter cookies could be found by trial (RFC 7541, 7.1.3); the length is the one that others use. */
const GUESSABLE_COOKIE_BYTES = 20;
/** Larger fields would push out most of a table of 4096 bytes. */
const MAX_INDEXED_BYTES = 1024;

/** What a name says about its fields. */
export type NameKind = 'usual' | 'changing' | 'credential' | 'cookie';

export function kindOf(name: string): NameKind {
  if (CREDENTIALS.has(name)) return 'credential';
  if (COOKIES.has(name)) return 'cookie';
  return CHANGING.has(name) ? 'changing' : 'usual';
}

/** How a field with a name of this kind is written; a peer's never-indexed literal stays one. */
export function indexingOf(kind: NameKind, field: HeaderField): Indexing {
  if (field.neverIndexed || kind === 'credential') return Indexing.never;
  if (kind === 'cookie' && field.value.length < GUESSABLE_COOKIE_BYTES) return Indexing.never;
  return kind === 'changing' || field.size > MAX_INDEXED_BYTES ? Indexing.nameOnly : Indexing.whenRepeated;
}
