import { grpcStatusOfHttp, type AnswerView } from '@mesher/core';
import type { HeaderBlock } from '../hpack/header-block.js';
import { AnswerNote, MESHER_ERROR } from './answer-note.js';
import { fieldOf } from './block-fields.js';

/** The beginning of an answer, as handlers see it. */
export class BlockAnswer implements AnswerView {
  /**
   * @param head of the answer
   * @param trailers with which it ends before a message: the head itself, or what came right behind it; undefined when more is to come
   * @param isGrpc the call is one of gRPC
   */
  constructor(
    private readonly head: HeaderBlock,
    private readonly trailers: HeaderBlock | undefined,
    private readonly isGrpc: boolean,
  ) {}

  get status(): number {
    return AnswerNote.of(this.head).status;
  }

  get grpcStatus(): number | undefined {
    if (!this.isGrpc || this.trailers === undefined) return undefined;
    return AnswerNote.of(this.trailers).grpcStatus ?? grpcStatusOfHttp(this.status);
  }

  header(name: string): string | undefined {
    const { head, trailers } = this;
    const value = fieldOf(head, name);
    // What a sidecar says stands in the head: it makes no answers with trailers of their own.
    if (value !== undefined || trailers === undefined || trailers === head || name === MESHER_ERROR) return value;
    return fieldOf(trailers, name);
  }
}
