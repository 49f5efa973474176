import { summarize } from '../field-summary.js';
import type { HeaderBlock } from '../hpack/header-block.js';
import { fieldOf } from './block-fields.js';

/** Longest number that a gRPC status has. */
const MAX_DIGITS = 2;
/** Statuses beyond are none (https://grpc.io/docs/guides/status-codes/); clients take them for UNKNOWN. */
const UNKNOWN = 2;
const HIGHEST = 16;

/** Says that a sidecar made the answer; peers act on it, so an application must not be able to say it. */
export const MESHER_ERROR = 'x-mesher-error';

/** What was worked out from the head or the trailers of an answer; blocks that come again share it. */
export class AnswerNote {
  /** HTTP status; NaN in trailers. */
  readonly status: number;
  /** 0..16; undefined when the block has none. */
  readonly grpcStatus: number | undefined;
  /** A sidecar says that it made the answer. */
  readonly hasError: boolean;

  constructor(block: HeaderBlock) {
    const { status } = summarize(block);
    this.status = status === '' ? NaN : Number(status);
    this.grpcStatus = readStatus(block);
    this.hasError = block.first(MESHER_ERROR) !== undefined;
  }

  static of(block: HeaderBlock): AnswerNote {
    return (block.note as AnswerNote | undefined) ?? (block.note = new AnswerNote(block));
  }
}

function readStatus(block: HeaderBlock): number | undefined {
  const text = fieldOf(block, 'grpc-status');
  if (text === undefined) return undefined;
  const status = text !== '' && text.length <= MAX_DIGITS ? Number(text) : NaN;
  return Number.isInteger(status) && status >= 0 && status <= HIGHEST ? status : UNKNOWN;
}
