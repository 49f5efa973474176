import { summarize, type FieldSummary } from '../field-summary.js';
import type { HeaderBlock } from '../hpack/header-block.js';
import { fieldOf } from './block-fields.js';

const GRPC = 'application/grpc';

/** What was worked out from the head of a request; heads that come again share it. */
export class RequestNote {
  readonly isGrpc: boolean;
  /** Host with optional port: `:authority`, else `host` (RFC 9113, 8.3.1). */
  readonly authority: string;
  readonly summary: FieldSummary;

  constructor(block: HeaderBlock) {
    this.summary = summarize(block);
    const type = fieldOf(block, 'content-type');
    this.isGrpc = type !== undefined && isGrpcType(type);
    this.authority = this.summary.authority === '' ? (this.summary.host ?? '') : this.summary.authority;
  }

  static of(block: HeaderBlock): RequestNote {
    return (block.note as RequestNote | undefined) ?? (block.note = new RequestNote(block));
  }
}

/** `application/grpc`, alone or with a suffix (`+proto`) or parameters; not `application/grpc-web`, which is another protocol. */
export function isGrpcType(type: string): boolean {
  if (!type.startsWith(GRPC)) return false;
  const next = type.charCodeAt(GRPC.length);
  return Number.isNaN(next) || next === 43 || next === 59 || next === 32;
}
