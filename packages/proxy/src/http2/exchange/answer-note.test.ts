import { expect } from 'chai';
import { HeaderBlock } from '../hpack/header-block.js';
import { HeaderField } from '../hpack/header-field.js';
import { AnswerNote } from './answer-note.js';
import { BlockAnswer } from './block-answer.js';

function blockOf(...fields: [string, string][]): HeaderBlock {
  return HeaderBlock.of(fields.map(([name, value]) => new HeaderField(name, value)));
}

describe('what an answer over HTTP/2 says', () => {
  it('is its gRPC status, and UNKNOWN where that is none', () => {
    for (const [text, status] of [
      ['0', 0],
      ['16', 16],
      ['17', 2],
      ['-1', 2],
      ['1.5', 2],
      ['', 2],
      ['014', 2],
      ['x', 2],
      ['0, 14', 2],
    ] as const) {
      expect(AnswerNote.of(blockOf(['grpc-status', text])).grpcStatus, text).to.equal(status);
    }
    expect(AnswerNote.of(blockOf([':status', '200'])).grpcStatus).to.equal(undefined);
  });

  it('is worked out once per block', () => {
    const block = blockOf([':status', '404']);
    expect(AnswerNote.of(block)).to.equal(AnswerNote.of(block));
    expect(AnswerNote.of(block)).to.deep.include({ status: 404, hasError: false });
  });

  it('is looked for in the head and then in the trailers, but the word of a sidecar in the head alone', () => {
    const head = blockOf([':status', '200'], ['x-a', 'head']);
    const trailers = blockOf(['grpc-status', '14'], ['x-a', 'tail'], ['x-b', 'tail'], ['x-mesher-error', 'X']);
    const answer = new BlockAnswer(head, trailers, true);
    expect([answer.status, answer.grpcStatus]).to.deep.equal([200, 14]);
    expect([answer.header('x-a'), answer.header('x-b')]).to.deep.equal(['head', 'tail']);
    expect(answer.header('x-mesher-error')).to.equal(undefined);
    expect(new BlockAnswer(trailers, trailers, true).header('x-mesher-error')).to.equal('X');
    expect(new BlockAnswer(head, undefined, true).grpcStatus).to.equal(undefined);
    expect(new BlockAnswer(head, trailers, false).grpcStatus).to.equal(undefined);
  });

  it('is judged by its HTTP status where it is over and says no gRPC status, as clients do', () => {
    const busy = blockOf([':status', '503']);
    expect(new BlockAnswer(busy, busy, true).grpcStatus).to.equal(14);
    const fine = blockOf([':status', '200']);
    expect(new BlockAnswer(fine, fine, true).grpcStatus).to.equal(2);
    expect(new BlockAnswer(fine, fine, false).grpcStatus).to.equal(undefined);
  });
});
