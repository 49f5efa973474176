import { expect } from 'chai';
import { expectMalformed, fields } from '../testing/scanned-fields.js';
import { COMPLETE, MALFORMED, UNSUPPORTED_CODING } from './field-scanner.js';

describe('fields that frame a message or name its host', () => {
  describe('Content-Length', () => {
    it('reads a plain number with spaces around it, in any letter case of the name', () => {
      expect(fields('cOnTeNt-LeNgTh:   12  ').contentLength).to.equal(12);
      expect(fields('Content-Length:0').contentLength).to.equal(0);
      expect(fields('Content-Length: 007').contentLength).to.equal(7);
      expect(fields('Content-Length: 999999999999999').contentLength).to.equal(999_999_999_999_999);
      expect(fields('X: y').contentLength).to.equal(-1);
    });

    it('refuses everything else', () => {
      for (const value of [
        '',
        ' ',
        '+5',
        '-1',
        '5,5',
        '5, 6',
        '0x5',
        '5 5',
        '5;',
        '5.0',
        '1e3',
        '\xb2',
        '1000000000000000',
        '\t5',
        '5\t',
        'chunked',
      ])
        expectMalformed(`Content-Length: ${value}`, 'not a plain number');
    });

    it('refuses a second one, be it the same', () => {
      for (const second of ['5', '6', '']) {
        const scan = fields('Content-Length: 5', `content-length: ${second}`);
        expect(scan.result).to.equal(MALFORMED);
        expect(scan.problem).to.contain('more than one Content-Length');
      }
      expect(fields('Content-Length: 0', 'Content-Length: 0').result).to.equal(MALFORMED);
    });
  });

  describe('Transfer-Encoding', () => {
    it('takes chunked alone, in any letter case and with spaces around it', () => {
      for (const line of ['Transfer-Encoding: chunked', 'transfer-encoding:CHUNKED', 'TRANSFER-ENCODING:   Chunked  '])
        expect(fields(line), line).to.include({ result: COMPLETE, chunked: true, cutCount: 0 });
    });

    it('does not implement another coding', () => {
      for (const value of [
        'identity',
        'gzip',
        'xchunked',
        'chunkedx',
        'gzip, chunked',
        'chunked, identity',
        'identity , chunked',
        'chunked,chunked',
      ]) {
        const scan = fields(`Transfer-Encoding: ${value}`);
        expect(scan.result, value).to.equal(UNSUPPORTED_CODING);
        expect(scan.problem).to.contain(`"${value}"`);
      }
    });

    it('quotes no more of an unknown coding than a message can bear', () => {
      expect(fields(`Transfer-Encoding: ${'x'.repeat(5000)}`).problem.length).to.be.lessThan(200);
    });

    it('refuses what is no list of codings', () => {
      for (const value of [
        '',
        '"chunked"',
        'chunked;q=1',
        'chunked chunked',
        ',chunked',
        'chunked,',
        '\xa0chunked',
        '\tchunked',
        'chunked\t',
        'chunked\xa0',
        "chunked, ''\"",
        '{chunked}',
      ])
        expectMalformed(`Transfer-Encoding: ${value}`, 'not a list of codings');
    });

    it('refuses control characters around it', () => {
      for (const value of ['\x0bchunked', 'chunked\x0b', '\0chunked', 'chunked\x0c', '\x7fchunked', 'chunk\x08ed'])
        expect(fields(`Transfer-Encoding: ${value}`).result, JSON.stringify(value)).to.equal(MALFORMED);
    });

    it('refuses a second one, and one beside Content-Length in either order', () => {
      expect(fields('Transfer-Encoding: chunked', 'Transfer-Encoding: chunked').result).to.equal(MALFORMED);
      expect(fields('Transfer-Encoding: chunked', 'Transfer-Encoding: identity').result).to.equal(MALFORMED);
      for (const length of ['0', '5']) {
        const after = fields('Transfer-Encoding: chunked', `Content-Length: ${length}`);
        expect(after.result).to.equal(MALFORMED);
        expect(after.problem).to.contain('both Content-Length and Transfer-Encoding');
        expect(fields(`Content-Length: ${length}`, 'Transfer-Encoding: chunked').result).to.equal(MALFORMED);
      }
    });
  });

  describe('Host', () => {
    it('gives its range without the blanks around it', () => {
      const scan = fields('HOST: \ta:80 \t');
      expect([scan.hostStart, scan.hostEnd]).to.deep.equal([8, 12]);
    });

    it('refuses a second one, also after an empty one', () => {
      expect(fields('Host: a', 'Host: a').problem).to.contain('more than one Host');
      expect(fields('Host:', 'host: a').result).to.equal(MALFORMED);
    });
  });
});
