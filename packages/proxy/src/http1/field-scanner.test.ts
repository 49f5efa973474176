import { expect } from 'chai';
import { MAX_FIELDS, expectMalformed, fields, scanOf } from '../testing/scanned-fields.js';
import { byteByByte, bytesOf, scanSteps } from '../testing/split-heads.js';
import { COMPLETE, FieldScanner, INCOMPLETE, MALFORMED, TOO_MANY_FIELDS, presenceBit } from './field-scanner.js';

describe('field scanner', () => {
  describe('syntax', () => {
    it('ends after the empty line and leaves what follows alone', () => {
      const scan = scanOf('A: b\r\nC:d\r\n\r\nGET /');
      expect(scan.result).to.equal(COMPLETE);
      expect(scan.end).to.equal(13);
    });

    it('takes a section without fields, fields without value, and every byte that a value may hold', () => {
      expect(scanOf('\r\n').result).to.equal(COMPLETE);
      expect(fields('A:', 'B: \t ', `C: \t\x20~\x80\xff`).result).to.equal(COMPLETE);
    });

    it('refuses a name with any byte that is no token character', () => {
      for (let byte = 0; byte < 256; byte++) {
        const char = String.fromCharCode(byte);
        const expected = /[!#$%&'*+\-.^_`|~0-9A-Za-z:]/.test(char) ? COMPLETE : MALFORMED;
        expect(fields(`X${char}Y: v`).result, `byte ${byte}`).to.equal(expected);
      }
    });

    it('refuses a value with any control character', () => {
      for (let byte = 0; byte < 256; byte++) {
        const expected = byte === 9 || (byte >= 32 && byte !== 127) ? COMPLETE : MALFORMED;
        expect(fields(`X: a${String.fromCharCode(byte)}b`).result, `byte ${byte}`).to.equal(expected);
      }
    });

    it('says which rule a malformed line breaks', () => {
      expectMalformed('Host : a', 'whitespace between field name and colon');
      expectMalformed('Host\t: a', 'whitespace between field name and colon');
      expectMalformed(' folded', 'obs-fold');
      expectMalformed('\tfolded', 'obs-fold');
      expectMalformed(': value', 'without a name');
      expectMalformed('no colon\n', 'whitespace between');
      expectMalformed('nocolon\nX: y', 'bare LF');
      expectMalformed('no"colon: x', 'not allowed');
      expectMalformed('X: a\nY: b', 'bare LF');
      expectMalformed('X: a\rY: b', 'CR without LF');
      expectMalformed('X: a\r\rY: b', 'CR without LF');
      expectMalformed('X: a\0b', 'NUL');
      expectMalformed('X: a\x7fb', 'control character');
      expectMalformed('\rX: a', 'CR without LF');
      expectMalformed('X\r\nY: b', 'not allowed');
    });

    it('refuses a bare LF even when it is the last byte so far', () => {
      const bytes = bytesOf('X: a\n');
      expect(new FieldScanner(MAX_FIELDS).scan(bytes, 0, bytes.length)).to.equal(MALFORMED);
    });

    it('takes as many fields as allowed and not one more', () => {
      const lines = (count: number): string[] => Array.from({ length: count }, (_, i) => `X-${i}: v`);
      expect(fields(...lines(MAX_FIELDS)).result).to.equal(COMPLETE);
      const tooMany = fields(...lines(MAX_FIELDS + 1));
      expect(tooMany.result).to.equal(TOO_MANY_FIELDS);
      expect(tooMany.problem).to.equal('more than 16 header fields');
    });

    it('holds the cuts of a section in which every line is for one hop', () => {
      const scan = fields(...Array.from({ length: MAX_FIELDS }, () => 'TE: trailers'));
      expect(scan.result).to.equal(COMPLETE);
      expect(scan.cutCount).to.equal(MAX_FIELDS * 2);
      expect(scan.kept).to.equal('');
    });
  });

  describe('pieces', () => {
    const SECTION =
      'Host: a\r\nContent-Length: 12\r\nX:\r\nConnection: x-a, close\r\nKeep-Alive: timeout=7\r\nX-A: b \t\r\nx-long: ' +
      `${'v'.repeat(300)}\r\n\r\n`;

    it('is incomplete with every proper prefix, whether grown byte by byte or given at once', () => {
      const bytes = bytesOf(SECTION);
      const scanner = new FieldScanner(MAX_FIELDS);
      const outcome = scanSteps(scanner.scan.bind(scanner), bytes, byteByByte(bytes.length));
      expect(outcome).to.deep.equal({ result: COMPLETE, at: bytes.length });
      expect(scanner).to.include({ contentLength: 12, close: true, keepAliveTimeout: 7, end: bytes.length });
    });

    it('forgets everything about the section before', () => {
      const scanner = new FieldScanner(MAX_FIELDS);
      const first = bytesOf(
        'Connection: close, upgrade, keep-alive, x\r\nUpgrade: u\r\nHost: h\r\nExpect: 100-continue\r\nKeep-Alive: timeout=3\r\nContent-Length: 1\r\n\r\n',
      );
      expect(scanner.scan(first, 0, first.length)).to.equal(COMPLETE);
      const chunked = bytesOf('Transfer-Encoding: chunked\r\n\r\n');
      expect(scanner.scan(chunked, 0, chunked.length)).to.equal(COMPLETE);
      for (const section of ['A: b\r\n\r\n', '\r\n']) {
        const second = bytesOf(section);
        expect(scanner.scan(second, 0, second.length)).to.equal(COMPLETE);
        expect(scanner).to.include({
          contentLength: -1,
          chunked: false,
          close: false,
          keepAlive: false,
          connectionUpgrade: false,
          upgradeStart: 0,
          hostStart: 0,
          expectsContinue: false,
          keepAliveTimeout: -1,
          cutCount: 0,
        });
      }
      expect(scanner.presence).to.equal(0);
    });

    it('tells what is wrong with this section, not with the one before', () => {
      const scanner = new FieldScanner(1);
      const folded = bytesOf(' x\r\n\r\n');
      expect(scanner.scan(folded, 0, folded.length)).to.equal(MALFORMED);
      const two = bytesOf('A: b\r\nC: d\r\n\r\n');
      expect(scanner.scan(two, 0, two.length)).to.equal(TOO_MANY_FIELDS);
      expect(scanner.problem).to.equal('more than 1 header fields');
    });
  });

  it('notes that the client waits for 100 Continue, and no other expectation', () => {
    expect(fields('Expect: 100-Continue ').expectsContinue).to.equal(true);
    expect(fields('Expect: 100-continue\xa0').expectsContinue).to.equal(false);
    expect(fields('Expect: 200-ok').expectsContinue).to.equal(false);
    expect(fields('Expecd: 100-continue').expectsContinue).to.equal(false);
  });

  it('sets the presence bit of every name, the same in any letter case', () => {
    for (const name of ['a', 'host', 'x-request-id', '_x', '~', '1a']) {
      const bit = presenceBit(name.charCodeAt(0), name.length);
      expect(fields(`${name}: v`).presence & bit).to.equal(bit);
      expect(fields(`${name.toUpperCase()}: v`).presence & bit).to.equal(bit);
    }
    expect(scanOf('\r\n').presence).to.equal(0);
    expect(scanOf('A: b').result).to.equal(INCOMPLETE);
  });
});
