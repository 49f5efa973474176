import type { AnswerView } from '@mesher/core';
import { summarize } from '../field-summary.js';
import type { HeaderBlock } from '../hpack/header-block.js';
import { fieldOf } from './block-fields.js';

/** Longest number that a gRPC status has. */
const MAX_DIGITS = 2;
/** Statuses beyond are none (https://grpc.io/docs/guides/status-codes/); clients take them for UNKNOWN. */
const UNKNOWN = 2;
const HIGHEST = 16;

/** The gRPC status in a trailer section; undefined when there is none. */
export function grpcStatusOf(block: HeaderBlock): number | undefined {
  const text = fieldOf(block, 'grpc-status');
  if (text === undefined) return undefined;
  const status = text.length <= MAX_DIGITS ? Number(text) : NaN;
  return status >= 0 && status <= HIGHEST ? status : UNKNOWN;
}

/** The head of an answer, as handlers see it. */
export class BlockAnswer implements AnswerView {
  readonly grpcStatus: number | undefined;

  /** @param trailers the block with the gRPC status: the head itself, or what came right behind it; undefined when more is to come */
  constructor(
    private readonly block: HeaderBlock,
    trailers: HeaderBlock | undefined,
  ) {
    this.grpcStatus = trailers === undefined ? undefined : grpcStatusOf(trailers);
  }

  get status(): number {
    return Number(summarize(this.block).status);
  }

  header(name: string): string | undefined {
    return fieldOf(this.block, name);
  }
}
