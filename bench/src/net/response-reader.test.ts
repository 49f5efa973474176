import { expect } from 'chai';
import { requestHead } from './request-head.js';
import { ResponseReader } from './response-reader.js';

const ANSWER = Buffer.from('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\ncontent-length: 5\r\n\r\nhello');

describe('ResponseReader', () => {
  it('counts an answer whatever way its bytes are cut', () => {
    for (let cut = 1; cut < ANSWER.length; cut += 1) {
      const reader = new ResponseReader();
      expect(reader.push(ANSWER.subarray(0, cut)), `cut at ${cut}`).to.equal(0);
      expect(reader.push(ANSWER.subarray(cut)), `cut at ${cut}`).to.equal(1);
      expect(reader.bodyBytes).to.equal(5);
      expect(reader.midway).to.equal(false);
    }
  });

  it('counts several answers in one chunk and one byte at a time', () => {
    const reader = new ResponseReader();
    expect(reader.push(Buffer.concat([ANSWER, ANSWER]))).to.equal(2);
    for (const byte of ANSWER) reader.push(Buffer.from([byte]));
    expect(reader.completed).to.equal(3);
  });

  it('reports the status of every answer, also of one without a body', () => {
    const seen: number[] = [];
    const reader = new ResponseReader((status) => seen.push(status));
    reader.push(Buffer.from('HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n'));
    reader.push(ANSWER);
    expect(seen).to.deep.equal([503, 200]);
    expect(reader.completed).to.equal(2);
  });

  it('throws on an answer whose length it cannot know', () => {
    expect(() => new ResponseReader().push(Buffer.from('HTTP/1.1 200 OK\r\n\r\n'))).to.throw(/no answer/);
    expect(() => new ResponseReader().push(Buffer.from('SSH-2.0-x\r\ncontent-length: 1\r\n\r\n'))).to.throw(
      /no answer/,
    );
  });
});

describe('requestHead', () => {
  it('is a head of six headers and about 430 bytes', () => {
    const head = requestHead('/128');
    expect(head.length).to.be.within(400, 460);
    expect(head.toString('latin1').trim().split('\r\n')).to.have.lengthOf(1 + 6);
  });
});
