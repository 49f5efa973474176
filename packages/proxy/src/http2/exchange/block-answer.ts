import type { AnswerView } from '@mesher/core';
import type { HeaderBlock } from '../hpack/header-block.js';
import { AnswerNote, MESHER_ERROR } from './answer-note.js';
import { fieldOf } from './block-fields.js';

/** The beginning of an answer, as handlers see it. */
export class BlockAnswer implements AnswerView {
  /**
   * @param head of the answer
   * @param trailers with which it ends before a message: the head itself, or what came right behind it; undefined when more is to come
   */
  constructor(
    private readonly head: HeaderBlock,
    private readonly trailers: HeaderBlock | undefined,
  ) {}

  get status(): number {
    return AnswerNote.of(this.head).status;
  }

  get grpcStatus(): number | undefined {
    return this.trailers === undefined ? undefined : AnswerNote.of(this.trailers).grpcStatus;
  }

  header(name: string): string | undefined {
    const { head, trailers } = this;
    const value = fieldOf(head, name);
    // What a sidecar says stands in the head: it makes no answers with trailers of their own.
    if (value !== undefined || trailers === undefined || trailers === head || name === MESHER_ERROR) return value;
    return fieldOf(trailers, name);
  }
}
