import { expect } from 'chai';
import fc from 'fast-check';
import { decodeGrpcMessage, encodeGrpcMessage } from './message.js';

describe('grpc-message', () => {
  it('leaves visible ASCII and blanks, and encodes the bytes of the rest', () => {
    expect(encodeGrpcMessage('no such thing: "x" (404)')).to.equal('no such thing: "x" (404)');
    expect(encodeGrpcMessage('100 %\nü')).to.equal('100 %25%0A%C3%BC');
  });

  it('can stand in a header field, and reads back as it was, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const encoded = encodeGrpcMessage(text);
        expect(encoded).to.match(/^[\x20-\x7e]*$/);
        expect(decodeGrpcMessage(encoded)).to.equal(text);
      }),
    );
  });

  it('is not lost when somebody has encoded it badly', () => {
    expect(['50%', '%zz', '%4', 'ü%41'].map(decodeGrpcMessage)).to.deep.equal(['50%', '%zz', '%4', 'üA']);
  });
});
