import type { HeaderBlock } from './hpack/header-block.js';
import { isPseudo } from './hpack/header-field.js';

/** Pseudo-header fields as bits, to compare a whole set at once. */
export const Pseudo = { method: 1, scheme: 2, path: 4, authority: 8, protocol: 16, status: 32 } as const;

const PSEUDO_BITS: ReadonlyMap<string, number> = new Map([
  [':method', Pseudo.method],
  [':scheme', Pseudo.scheme],
  [':path', Pseudo.path],
  [':authority', Pseudo.authority],
  [':protocol', Pseudo.protocol],
  [':status', Pseudo.status],
]);

/** Fields of HTTP/1 connections, which make a message malformed here (RFC 9113, 8.2.2). */
const CONNECTION_FIELDS: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);

/** 15 digits stay exact in a double, as in HTTP/1. */
const LENGTH = /^\d{1,15}$/;

/** What the rules for messages ask of a block; worked out once per block. */
export class FieldSummary {
  method = '';
  scheme = '';
  path = '';
  authority = '';
  protocol = '';
  status = '';
  /** Value of `host`, undefined without one. */
  host: string | undefined = undefined;
  /** Set of {@link Pseudo}. */
  pseudo = 0;
  /** Value of `content-length` in bytes, -1 without one. */
  contentLength = -1;
  /** First thing wrong with the block whatever message it belongs to; undefined when there is none. */
  problem: string | undefined = undefined;
}

function readPseudo(summary: FieldSummary, name: string, value: string, isLate: boolean): string | undefined {
  const bit = PSEUDO_BITS.get(name);
  if (bit === undefined) return 'an unknown pseudo-header field';
  if (isLate) return 'a pseudo-header field after other fields';
  if ((summary.pseudo & bit) !== 0) return 'a pseudo-header field twice';
  summary.pseudo |= bit;
  if (bit === Pseudo.method) summary.method = value;
  else if (bit === Pseudo.scheme) summary.scheme = value;
  else if (bit === Pseudo.path) summary.path = value;
  else if (bit === Pseudo.authority) summary.authority = value;
  else if (bit === Pseudo.protocol) summary.protocol = value;
  else summary.status = value;
  return undefined;
}

function readField(summary: FieldSummary, name: string, value: string): string | undefined {
  switch (name) {
    case 'te':
      return value === 'trailers' ? undefined : 'a te field that says more than trailers';
    case 'host':
      if (summary.host !== undefined) return 'more than one host field';
      summary.host = value;
      return undefined;
    case 'content-length': {
      const length = LENGTH.test(value) ? Number(value) : -1;
      if (length < 0) return 'a content-length that is no number';
      if (summary.contentLength >= 0 && summary.contentLength !== length) return 'different content-length fields';
      summary.contentLength = length;
      return undefined;
    }
    default:
      return CONNECTION_FIELDS.has(name) ? 'a field of HTTP/1 connections' : undefined;
  }
}

function readFields(block: HeaderBlock): FieldSummary {
  const summary = new FieldSummary();
  let isLate = false;
  for (const field of block.fields) {
    const { name, value } = field;
    let problem: string | undefined;
    if (isPseudo(name)) problem = readPseudo(summary, name, value, isLate);
    else {
      isLate = true;
      problem = readField(summary, name, value);
    }
    if (field.isMalformed) problem ??= 'a field name or value with bytes that are not allowed there';
    summary.problem ??= problem;
  }
  return summary;
}

/** What is to know of a block's fields (RFC 9113, 8.2 and 8.3), kept with the block. */
export function summarize(block: HeaderBlock): FieldSummary {
  return (block.summary ??= readFields(block));
}
