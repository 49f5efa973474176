import { expect } from 'chai';
import { byteByByte, bytesOf, scanSteps } from '../testing/split-heads.js';
import {
  COMPLETE,
  FieldScanner,
  INCOMPLETE,
  MALFORMED,
  TOO_MANY_FIELDS,
  UNSUPPORTED_CODING,
  presenceBit,
  type ScanResult,
} from './field-scanner.js';

const MAX_FIELDS = 16;

function scanOf(section: string): FieldScanner & { readonly result: ScanResult } {
  const scanner = new FieldScanner(MAX_FIELDS);
  const bytes = bytesOf(section);
  const result = scanner.scan(bytes, 0, bytes.length);
  return Object.assign(scanner, { result });
}

/** A section with the lines given, and a byte in front, since a header section never starts a message. */
function fields(...lines: string[]): FieldScanner & { readonly result: ScanResult; readonly kept: string } {
  const section = `${lines.map((line) => `${line}\r\n`).join('')}\r\n`;
  const scanner = new FieldScanner(MAX_FIELDS);
  const bytes = bytesOf(`\n${section}`);
  const result = scanner.scan(bytes, 1, bytes.length);
  let kept = '';
  let from = 1;
  for (let i = 0; i < scanner.cutCount; i += 2) {
    kept += bytes.toString('latin1', from, scanner.cuts[i]);
    from = scanner.cuts[i + 1];
  }
  kept += bytes.toString('latin1', from, bytes.length - 2);
  return Object.assign(scanner, { result, kept });
}

function expectMalformed(line: string, problem: string): void {
  const scan = fields(line);
  expect(scan.result, JSON.stringify(line)).to.equal(MALFORMED);
  expect(scan.problem, JSON.stringify(line)).to.contain(problem);
}

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

  describe('fields of one hop', () => {
    const KEPT = [
      'X-One: 1',
      'Content-Length: 5',
      'Authorization: k',
      'Trailer: t',
      'Date: d',
      'TEX: 1',
      'Upgradex: 1',
    ];
    const HOP = [
      'Connection: close',
      'Keep-Alive: timeout=5',
      'Proxy-Connection: keep-alive',
      'Proxy-Authorization: Basic x',
      'TE: trailers',
      'Upgrade: websocket',
      'HTTP2-Settings: AAMAAABk',
    ];

    it('cuts each of them wherever it stands, and keeps the rest byte for byte', () => {
      for (const hop of HOP) {
        for (let at = 0; at <= KEPT.length; at++) {
          const lines = [...KEPT.slice(0, at), hop.toUpperCase(), ...KEPT.slice(at)];
          const scan = fields(...lines);
          expect(scan.result).to.equal(COMPLETE);
          expect(scan.kept, hop).to.equal(KEPT.map((line) => `${line}\r\n`).join(''));
        }
      }
    });

    it('cuts the fields that Connection names, in any letter case, repeated, before and after it', () => {
      const scan = fields(
        'X-A: 1',
        'B: 2',
        'x-a: 3',
        'Connection: \tX-a ,, keep-alive, b',
        'X-A:4',
        'C: 5',
        'connection: c',
      );
      expect(scan).to.include({ result: COMPLETE, keepAlive: true, kept: '' });
      expect(scan.cutCount).to.equal(14);
      expect(fields('Xa: 1', 'Connection: a, x', 'ax: 2').kept).to.equal('Xa: 1\r\nax: 2\r\n');
    });

    it('keeps the cuts ascending when named fields stand between others', () => {
      const scan = fields('A: 1', 'TE: x', 'B: 2', 'Connection: b', 'D: 4', 'B: 3');
      expect(scan.kept).to.equal('A: 1\r\nD: 4\r\n');
      const cuts = [...scan.cuts.subarray(0, scan.cutCount)];
      expect(cuts).to.deep.equal([...cuts].sort((a, b) => a - b));
    });

    it('refuses a Connection field that names what the message cannot do without', () => {
      for (const name of ['host', 'Content-Length', 'TRANSFER-ENCODING', 'authorization', 'Cookie']) {
        for (const value of [name, `close, ${name}`, `${name} , keep-alive`]) {
          const scan = fields('Host: a', `Connection: ${value}`);
          expect(scan.result, value).to.equal(MALFORMED);
          expect(scan.problem).to.contain(`names "${name.toLowerCase()}"`);
        }
      }
    });

    it('does not mind what Connection names and is not there', () => {
      expect(fields('Connection: x-none, TE, http2-settings', 'A: b')).to.include({
        result: COMPLETE,
        kept: 'A: b\r\n',
      });
    });

    it('takes thousands of names in Connection without looking each up for each field', () => {
      const names = Array.from({ length: 10_000 }, (_, i) => `n${i}`).join(',');
      const scan = fields(`Connection: ${names}`, 'N9999: x', 'Other: y');
      expect(scan.kept).to.equal('Other: y\r\n');
    });
  });

  describe('Connection', () => {
    it('knows close, keep-alive and upgrade in any letter case and company', () => {
      expect(fields('Connection: Close').close).to.equal(true);
      expect(fields('Connection:\tclose \t').close).to.equal(true);
      expect(fields('Connection: KEEP-alive').keepAlive).to.equal(true);
      expect(fields('Connection: keep-alive, Upgrade')).to.include({ keepAlive: true, connectionUpgrade: true });
      expect(fields('Connection: a', 'Connection: close', 'Connection: keep-alive')).to.include({
        close: true,
        keepAlive: true,
      });
      expect(fields('Connection: closed, xclose, close\xa0')).to.include({ close: false, keepAlive: false });
    });

    it('gives the value of Upgrade without blanks', () => {
      const scan = fields('Upgrade: \twebsocket ');
      expect([scan.upgradeStart, scan.upgradeEnd]).to.deep.equal([11, 20]);
    });
  });

  describe('Keep-Alive', () => {
    it('reads the timeout wherever it stands', () => {
      expect(fields('Keep-Alive: timeout=5').keepAliveTimeout).to.equal(5);
      expect(fields('Keep-Alive:TimeOut=0').keepAliveTimeout).to.equal(0);
      expect(fields('Keep-Alive: max=100,timeout=65').keepAliveTimeout).to.equal(65);
      expect(fields('Keep-Alive: timeout=999999 , max=1').keepAliveTimeout).to.equal(999_999);
      expect(fields('Keep-Alive: ,, timeout=3,').keepAliveTimeout).to.equal(3);
    });

    it('takes what is no number of seconds for no timeout', () => {
      for (const value of [
        '',
        'timeout',
        'timeout=',
        'timeout=x',
        'timeout=5x',
        'timeout=-1',
        'timeout=1000000',
        'xtimeout=5',
        'timeout =5',
        'timeout=5 5',
        '300',
        ',',
      ])
        expect(fields(`Keep-Alive: ${value}`).keepAliveTimeout, value).to.equal(-1);
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
