import { expect } from 'chai';
import { bytesOf, deliveries } from '../testing/split-heads.js';
import { BROKEN, ChunkScanner, NEED_MORE } from './chunk-scanner.js';

const MAX_TRAILER_BYTES = 64;

interface Fed {
  readonly end: number;
  readonly data: string;
  readonly problem: string;
}

/** Feeds the body in pieces that end where told; positions count from the start of the body. */
function feed(
  body: string,
  ends: readonly number[] = [body.length],
  scanner = new ChunkScanner(MAX_TRAILER_BYTES),
): Fed {
  let data = '';
  let from = 0;
  for (const to of ends) {
    const piece = bytesOf(`..${body.slice(from, to)}`);
    const end = scanner.feed(
      piece,
      2,
      piece.length,
      (buffer, start, stop) => (data += buffer.toString('latin1', start, stop)),
    );
    if (end >= 0) return { end: from + end - 2, data, problem: '' };
    if (end === BROKEN) return { end, data, problem: scanner.problem };
    from = to;
  }
  return { end: NEED_MORE, data, problem: '' };
}

function expectBroken(body: string, problem: string): void {
  const whole = feed(body);
  expect(whole.end, JSON.stringify(body)).to.equal(BROKEN);
  expect(whole.problem, JSON.stringify(body)).to.contain(problem);
  const bytes = feed(
    body,
    Array.from({ length: body.length }, (_, i) => i + 1),
  );
  expect(bytes, `${JSON.stringify(body)} byte by byte`).to.include({ end: BROKEN, problem: whole.problem });
}

const BODIES: readonly (readonly [body: string, data: string])[] = [
  ['0\r\n\r\n', ''],
  ['3\r\nabc\r\n0\r\n\r\n', 'abc'],
  ['1\r\n\r\r\n2\r\n\r\n\r\n00\r\n\r\n', '\r\r\n'],
  ['a;name=value;q="x;y\t\xff"\r\n0123456789\r\n0;last\r\nX-One: 1\r\ngrpc-status:0\r\nEmpty:\r\n\r\n', '0123456789'],
  ['00E\r\n0\r\n\r\nGET / HTT\r\n0\r\nA: b\r\n\r\n', '0\r\n\r\nGET / HTT'],
];

describe('chunk scanner', () => {
  it('finds the end of a body and its data, however the bytes are cut', () => {
    for (const [body, data] of BODIES) {
      expect(feed(body)).to.include({ end: body.length, data });
      expect(
        feed(
          body,
          Array.from({ length: body.length }, (_, i) => i + 1),
        ),
      ).to.include({ end: body.length, data });
      for (const ends of deliveries(body.length, 2)) {
        const fed = feed(body, ends);
        if (fed.end !== body.length || fed.data !== data)
          expect.fail(`${JSON.stringify(body)} cut at ${ends.join(', ')}`);
      }
    }
  });

  it('leaves the bytes after the body alone', () => {
    for (const [body] of BODIES) expect(feed(`${body}GET / HTTP/1.1\r\n`).end).to.equal(body.length);
  });

  it('needs more after every proper prefix', () => {
    for (const [body] of BODIES) {
      for (let length = 0; length < body.length; length++) expect(feed(body.slice(0, length)).end).to.equal(NEED_MORE);
    }
  });

  it('serves one body after another', () => {
    const scanner = new ChunkScanner(MAX_TRAILER_BYTES);
    for (let round = 0; round < 3; round++) {
      for (const [body, data] of BODIES)
        expect(feed(body, [body.length], scanner)).to.include({ end: body.length, data });
    }
  });

  it('starts anew after a reset in the middle of anything', () => {
    for (const [body] of BODIES) {
      for (let length = 0; length < body.length; length++) {
        const scanner = new ChunkScanner(MAX_TRAILER_BYTES);
        feed(body.slice(0, length), [length], scanner);
        scanner.reset();
        expect(feed('2\r\nab\r\n0\r\n\r\n', [12], scanner)).to.include({ end: 12, data: 'ab' });
      }
    }
  });

  it('works without anybody who wants the data', () => {
    const bytes = bytesOf('3\r\nabc\r\n0\r\n\r\n');
    expect(new ChunkScanner(MAX_TRAILER_BYTES).feed(bytes, 0, bytes.length)).to.equal(bytes.length);
  });

  it('follows sizes up to 2^52 exactly', () => {
    const scanner = new ChunkScanner(MAX_TRAILER_BYTES);
    expect(feed('fffffffffffff\r\nabc', [18], scanner)).to.include({ end: NEED_MORE, data: 'abc' });
    expectBroken('10000000000000\r\n', 'too many digits');
    expectBroken('00000000000001\r\n', 'too many digits');
    expectBroken('fffffffffffffffff\r\n', 'too many digits');
  });

  it('takes hexadecimal digits for a size and nothing else', () => {
    for (const size of ['', '-1', '+1', ' 1', '\t1', 'g', '0x5', '\r\n5', ';a'])
      expect(feed(`${size}\r\n`).end, JSON.stringify(size)).to.equal(BROKEN);
    expectBroken('\r\n', 'without a size');
    expectBroken('x\r\n', 'without a size');
    expectBroken('0x5\r\n', 'not a hexadecimal digit');
    expectBroken('5 \r\n', 'not a hexadecimal digit');
    expectBroken('5 ;a\r\n', 'not a hexadecimal digit');
    expectBroken('5\t\r\n', 'not a hexadecimal digit');
    expectBroken('5_\r\n', 'not a hexadecimal digit');
    expectBroken('5,5\r\n', 'not a hexadecimal digit');
  });

  it('refuses bare CR and LF at every line end', () => {
    expectBroken('3\nabc\r\n0\r\n\r\n', 'not a hexadecimal digit');
    expectBroken('3\rabc\r\n0\r\n\r\n', 'CR without LF after a chunk size');
    expectBroken('3\r\rabc\r\n', 'CR without LF after a chunk size');
    expectBroken('3;a\nabc\r\n', 'malformed chunk extension');
    expectBroken('3;a\rabc\r\n', 'CR without LF after a chunk size');
    expectBroken('3\r\nabc\n0\r\n\r\n', 'longer than its size');
    expectBroken('3\r\nabc\r0\r\n\r\n', 'CR without LF after chunk data');
    expectBroken('0\r\n\n', 'does not start with a field name');
    expectBroken('0\r\n\rX', 'CR without LF at the end');
    expectBroken('0\r\nA: b\n\r\n', 'control character in a trailer');
    expectBroken('0\r\nA: b\rX', 'CR without LF in the trailers');
    expectBroken('0\r\nA\r\n', 'not allowed');
  });

  it('refuses chunk data that is not followed by a line end', () => {
    expectBroken('3\r\nabcd\r\n', 'longer than its size');
    expectBroken('3\r\nab\r\n0\r\n\r\n', 'longer than its size');
    expectBroken('3\r\nabc0\r\n\r\n', 'longer than its size');
  });

  it('takes names, values and quoted values in extensions, and nothing that a reader could take for the end of the line', () => {
    for (const extension of [';a', ';a=b', ';a=b;c', ';a="b"', ';a="";b', ';a="b;c=\\"\\\\\t\xff"'])
      expect(feed(`1${extension}\r\nx\r\n0${extension}\r\n\r\n`).data, extension).to.equal('x');
    for (const extension of [
      '; a',
      ';',
      ';;a',
      ';a;',
      ';=b',
      ';a=',
      ';a=;b',
      ';a=b=c',
      ';a ',
      ';a =b',
      ';a= b',
      ';"a"',
      ';a"b"',
      ';a="b',
      ';a="b"c',
      ';a="b""c"',
      ';a="b"=c',
      ';a="b\\"',
      ';a(b',
      ';\xff',
      ';a\tb',
      ';a/b',
    ])
      expectBroken(`1${extension}\r\nx\r\n`, 'malformed chunk extension');
  });

  it('refuses control characters in extensions and bounds each line of them', () => {
    for (const char of ['\0', '\x7f', '\x0b', '\x1b', '\b', '\n']) {
      expectBroken(`3;a${char}b\r\n`, 'malformed chunk extension');
      expectBroken(`3;a="${char}"\r\n`, 'malformed chunk extension');
      expectBroken(`3;a="\\${char}"\r\n`, 'malformed chunk extension');
    }
    expectBroken('3;a="\r\n"', 'malformed chunk extension');
    expectBroken('3;a="\\\r\n"', 'malformed chunk extension');
    expect(feed(`0;${'x'.repeat(4096)}\r\n\r\n`).end).to.be.greaterThan(0);
    expect(feed(`0;${'x'.repeat(4097)}\r\n\r\n`)).to.include({
      end: BROKEN,
      problem: 'chunk extensions that are too long',
    });
    const twice = `1;${'x'.repeat(4000)}\r\na\r\n0;${'x'.repeat(4000)}\r\n\r\n`;
    expect(feed(twice).end).to.equal(twice.length);
  });

  it('refuses trailers with a bad name or value', () => {
    expectBroken('0\r\n: x\r\n', 'does not start with a field name');
    expectBroken('0\r\n folded\r\n', 'does not start with a field name');
    expectBroken('0\r\nA b: x\r\n', 'trailer name');
    expectBroken('0\r\nA : x\r\n', 'trailer name');
    expectBroken('0\r\n\xe4: x\r\n', 'does not start with a field name');
    expectBroken('0\r\nA\0: x\r\n', 'trailer name');
    expectBroken('0\r\nA: x\0\r\n', 'control character in a trailer');
    expectBroken('0\r\nA: x\r\n y\r\n', 'does not start with a field name');
  });

  it('refuses trailers that would change what the message is, in any letter case and place', () => {
    for (const name of [
      'Content-Length',
      'TRANSFER-encoding',
      'host',
      'Connection',
      'Proxy-Connection',
      'Keep-Alive',
      'Upgrade',
      'TE',
      'Trailer',
      'Authorization',
      'cookie',
      'Set-Cookie',
    ]) {
      expectBroken(`0\r\n${name}: 5\r\n\r\n`, 'belongs into the header section');
      expectBroken(`0\r\nA: b\r\n${name}:\r\n`, 'belongs into the header section');
    }
    for (const name of [
      'Content-Lengt',
      'Content-Length2',
      'XHost',
      'Hos',
      'Transfer-Encoding-',
      'x-transfer-encoding',
      'T',
    ])
      expect(feed(`0\r\n${name}: 5\r\n\r\n`).end, name).to.be.greaterThan(0);
  });

  it('bounds the trailer section as a whole', () => {
    const most = `A: ${'x'.repeat(MAX_TRAILER_BYTES - 5)}`;
    expect(feed(`0\r\n${most}\r\n\r\n`).end).to.be.greaterThan(0);
    expectBroken(`0\r\n${most}x\r\n\r\n`, 'trailers that are too long');
    expectBroken(`0\r\n${'A: b\r\n'.repeat(20)}\r\n`, 'trailers that are too long');
    expectBroken(`0\r\n${'a'.repeat(100)}`, 'trailers that are too long');
    expectBroken(`0\r\n${'a:\r\n'.repeat(100)}`, 'trailers that are too long');
  });
});
