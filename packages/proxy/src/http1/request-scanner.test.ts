import { expect } from 'chai';
import { byteByByte, bytesOf, deliveries, completeAtEnd, scanSteps } from '../testing/split-heads.js';
import { COMPLETE, INCOMPLETE, MALFORMED, TOO_MANY_FIELDS, WRONG_VERSION, type ScanResult } from './field-scanner.js';
import { RequestScanner } from './request-scanner.js';

interface Scanned {
  readonly result: ScanResult;
  readonly scan: RequestScanner;
  readonly method: string;
  readonly target: string;
  readonly path: string;
  readonly authority: string;
}

function scanRequest(text: string, from = 0): Scanned {
  const bytes = bytesOf(text);
  const scan = new RequestScanner(32);
  const result = scan.scanRequest(bytes, from, bytes.length);
  return {
    result,
    scan,
    method: text.slice(scan.start, scan.methodEnd),
    target: text.slice(scan.targetStart, scan.targetEnd),
    path: text.slice(scan.pathStart, scan.targetEnd),
    authority: text.slice(scan.authorityStart, scan.authorityEnd),
  };
}

function line(requestLine: string, ...fields: string[]): Scanned {
  return scanRequest(`${requestLine}\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n`);
}

function expectMalformed(scanned: Scanned, problem: string, what: string): void {
  expect(scanned.result, what).to.equal(MALFORMED);
  expect(scanned.scan.problem, what).to.contain(problem);
}

/** Valid heads of all kinds, for the split tests. */
const HEADS: readonly string[] = [
  'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  '\r\nPOST /a/b?c=d&e HTTP/1.1\r\nHost: world:8080\r\nContent-Length: 10\r\nX-Empty:\r\nConnection: x-empty, keep-alive\r\n\r\n',
  'GET http://world:80/x HTTP/1.1\r\nhost: WORLD\r\nTransfer-Encoding: chunked\r\n\r\n',
  'CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\n\r\n',
  'OPTIONS * HTTP/1.0\r\n\r\n',
  `GET /${'long/'.repeat(60)} HTTP/1.1\r\nHost: a\r\n${'X-Many: values of some length\r\n'.repeat(12)}\r\n`,
];

describe('request scanner', () => {
  describe('pieces', () => {
    it('finds each head complete with its last byte and not before, delivered byte by byte', () => {
      for (const head of HEADS) {
        const bytes = bytesOf(head);
        const scan = new RequestScanner(32);
        const outcome = scanSteps(scan.scanRequest.bind(scan), bytes, byteByByte(bytes.length));
        expect(outcome, head).to.deep.equal({ result: COMPLETE, at: bytes.length });
        expect(scan.end).to.equal(bytes.length);
      }
    });

    it('finds each head complete however it is cut into two or three pieces', () => {
      for (const head of HEADS) {
        const bytes = bytesOf(head);
        const scan = new RequestScanner(32);
        const boundScan = scan.scanRequest.bind(scan);
        for (const ends of deliveries(bytes.length, Math.ceil(bytes.length / 40))) {
          if (!completeAtEnd(scanSteps(boundScan, bytes, ends), bytes.length)) {
            expect.fail(`cut at ${ends.join(', ')}: ${JSON.stringify(head)} ${scan.problem}`);
          }
        }
      }
    });

    it('scans from the middle of a buffer and reads nothing behind the limit', () => {
      const text = 'garbage\n' + HEADS[2];
      const scanned = scanRequest(text, 8);
      expect(scanned).to.include({ result: COMPLETE, method: 'GET', authority: 'world:80', path: '/x' });
      const bytes = bytesOf(`${HEADS[0]}`);
      const scan = new RequestScanner(32);
      for (let limit = 0; limit < bytes.length; limit++) {
        expect(scan.scanRequest(bytes, 0, limit), `limit ${limit}`).to.equal(INCOMPLETE);
      }
    });
  });

  describe('request line', () => {
    it('gives method, target and version', () => {
      expect(line('GET /a?b HTTP/1.1', 'Host: h')).to.include({
        result: COMPLETE,
        method: 'GET',
        target: '/a?b',
        path: '/a?b',
        authority: 'h',
      });
      expect(line('GET / HTTP/1.1', 'Host: h').scan).to.include({ minorVersion: 1, form: 'origin' });
      expect(line('GET / HTTP/1.0').scan).to.include({ minorVersion: 0 });
    });

    it('skips one empty line before it and no more', () => {
      expect(scanRequest('\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n')).to.include({ result: COMPLETE, method: 'GET' });
      expect(scanRequest('\r').result).to.equal(INCOMPLETE);
      expect(scanRequest('\r\n').result).to.equal(INCOMPLETE);
      expect(scanRequest('\r\n\r').result).to.equal(INCOMPLETE);
      for (const start of ['\r\n\r\n', '\n', '\rG', '\r\r', ' ', '\t', '\r\n '])
        expectMalformed(
          scanRequest(`${start}GET / HTTP/1.1\r\nHost: a\r\n\r\n`),
          'does not start with a method',
          start,
        );
    });

    it('takes any token for a method', () => {
      for (const method of ['PATCH', 'M-SEARCH', "x!#$%&'*+-.^_`|~9", 'a'])
        expect(line(`${method} / HTTP/1.1`, 'Host: a')).to.include({ result: COMPLETE, method });
      for (const method of ['', 'G(T', 'GE"T', 'G\0T', 'G\x80T', 'G,T', '\x7f'])
        expectMalformed(line(`${method} / HTTP/1.1`, 'Host: a'), 'does not start with a method', method);
    });

    it('refuses other blanks than single spaces, and targets with bytes that must be encoded', () => {
      expectMalformed(line('GET  / HTTP/1.1', 'Host: a'), 'more than one space', 'two spaces');
      expectMalformed(line('GET\t/ HTTP/1.1', 'Host: a'), 'does not start with a method', 'tab');
      expectMalformed(line('GET /\tHTTP/1.1', 'Host: a'), 'control character in the request target', 'tab');
      expectMalformed(line('GET /  HTTP/1.1', 'Host: a'), 'does not end with an HTTP version', 'two spaces');
      expectMalformed(line('GET / HTTP/1.1 ', 'Host: a'), 'does not end with an HTTP version', 'space at the end');
      expectMalformed(line('GET /a b HTTP/1.1', 'Host: a'), 'does not end with an HTTP version', 'space in the target');
      expectMalformed(line('GET /a#b HTTP/1.1', 'Host: a'), 'fragment', '#');
      expectMalformed(line('GET /\xe4 HTTP/1.1', 'Host: a'), 'above 127', 'high byte');
      expectMalformed(line('GET /\0 HTTP/1.1', 'Host: a'), 'control character', 'NUL');
      expectMalformed(line('GET /\x7f HTTP/1.1', 'Host: a'), 'control character', 'DEL');
    });

    it('refuses HTTP/0.9', () => {
      expectMalformed(line('GET /'), 'HTTP/0.9', 'without version');
      expectMalformed(scanRequest('GET /\n'), 'HTTP/0.9', 'bare LF');
      expectMalformed(line('GET'), 'does not start with a method', 'method only');
      expectMalformed(line('GET '), 'HTTP/0.9', 'empty target');
    });

    it('tells a version it does not speak from something that is no version', () => {
      for (const version of ['HTTP/2.0', 'HTTP/1.2', 'HTTP/0.9', 'HTTP/3.0', 'HTTP/9.9', 'HTTP/0.1', 'HTTP/2.1']) {
        const scanned = line(`GET / ${version}`, 'Host: a');
        expect(scanned.result, version).to.equal(WRONG_VERSION);
        expect(scanned.scan.problem).to.contain(version);
      }
      for (const version of [
        'http/1.1',
        'HTTP/1',
        'HTTP/1.',
        'HTTP/1.10',
        'HTTP/11',
        'HTTP/',
        'HTTP',
        'HTTPS/1.1',
        'HTTP/a.b',
        'HTTP/1,1',
        'HTTP/+1.1',
        'X',
        'ICE/1.0',
        'HTTP/1.1\r',
      ])
        expectMalformed(line(`GET / ${version}`, 'Host: a'), 'does not end with an HTTP version', version);
      expectMalformed(scanRequest('GET / HTTP/1.1\nHost: a\n\n'), 'bare LF', 'bare LF');
      expectMalformed(scanRequest('GET / HTTP/1.1\n'), 'bare LF', 'bare LF at the end');
      expectMalformed(scanRequest('GET / HTTP/1.1\rHost: a\r\n\r\n'), 'does not end with an HTTP version', 'bare CR');
    });

    it('refuses a version as soon as it can no longer become one, so that no short line waits for the timeout', () => {
      for (const rest of [
        'X',
        'HX',
        'HTTP\r',
        'HTTP/x',
        'HTTP/1\r',
        'HTTP/1x',
        'HTTP/1.\r',
        'HTTP/1.x',
        'HTTP/1.1 ',
        'HTTP/1.1x',
        'HTTP/\r\n',
        'HTTP/1.\r\n',
      ])
        expect(scanRequest(`GET / ${rest}`).result, rest).to.equal(MALFORMED);
      for (const rest of ['', 'H', 'HTTP', 'HTTP/', 'HTTP/1', 'HTTP/2.', 'HTTP/1.2', 'HTTP/1.1\r'])
        expect(scanRequest(`GET / ${rest}`).result, rest).to.equal(INCOMPLETE);
    });

    it('passes on what is wrong with the fields', () => {
      expectMalformed(line('GET / HTTP/1.1', 'Host : a'), 'whitespace between', 'fields');
      const many = line('GET / HTTP/1.1', ...Array.from({ length: 33 }, () => 'A: b'));
      expect(many.result).to.equal(TOO_MANY_FIELDS);
    });
  });

  describe('Host', () => {
    it('must be there in HTTP/1.1 and may be missing in HTTP/1.0', () => {
      expectMalformed(line('GET / HTTP/1.1', 'X: y'), 'no Host', 'HTTP/1.1');
      expect(line('GET / HTTP/1.0', 'X: y')).to.include({ result: COMPLETE, authority: '' });
      expect(line('GET / HTTP/1.0', 'Host: a')).to.include({ result: COMPLETE, authority: 'a' });
    });

    it('takes a host with an optional port', () => {
      for (const host of [
        'a',
        'A.b-c_d~e',
        '127.0.0.1:1',
        'a:65535',
        '[::1]',
        '[2001:DB8::1]:80',
        '[::ffff:1.2.3.4]',
        'a%20b',
        "a!$&'()*+,;=b",
        'xn--bcher-kva',
      ])
        expect(line('GET / HTTP/1.1', `Host:  ${host}\t`), host).to.include({ result: COMPLETE, authority: host });
    });

    it('refuses everything else', () => {
      for (const host of [
        ...['', 'a b', 'a/b', 'a\\b', 'user@a', 'a@', 'http://a', 'a?b', 'a#b', '"a"', '<a>', 'a\xe4', 'a|b', 'a^b'],
        ...['a:', 'a:0', 'a:65536', 'a:99999', 'a:100000', 'a:8o', 'a:+80', 'a:-1', 'a:80:80', ':80', ':', 'a: 80'],
        ...[
          '[::1',
          '::1',
          '[]',
          '[::1]x',
          '[::1]:',
          '[::1]80',
          '[::g]',
          '[:::]',
          '[1.2.3.4]',
          '[fe80::1%25eth0]',
          '[fe80::1%eth0]',
        ],
        ...['a[b', 'a]b', '[v1.x]', ']', '[', 'a%', 'a%2', 'a%zz', '%', 'a%2:80'],
      ])
        expectMalformed(line('GET / HTTP/1.1', `Host: ${host}`), 'Host field that is not a host', host);
    });
  });

  describe('target', () => {
    it('takes absolute form, whose authority counts', () => {
      for (const [target, authority, path] of [
        ['http://world/', 'world', '/'],
        ['http://world', 'world', ''],
        ['HTTP://world:8083/a?b', 'world:8083', '/a?b'],
        ['http://world?q=/x', 'world', '?q=/x'],
        ['http://[::1]:80', '[::1]:80', ''],
        ['http://world//x', 'world', '//x'],
      ] as const) {
        const scanned = line(`GET ${target} HTTP/1.1`, `Host: ${authority}`);
        expect(scanned, target).to.include({ result: COMPLETE, authority, path });
        expect(scanned.scan.form).to.equal('absolute');
      }
      expect(line('GET http://a/ HTTP/1.0')).to.include({ result: COMPLETE, authority: 'a' });
    });

    it('takes a Host field that says the same with the default port or in another letter case', () => {
      for (const [target, host] of [
        ['a', 'A'],
        ['a:80', 'a'],
        ['a', 'A:80'],
        ['[::A]', '[::a]:80'],
      ])
        expect(line(`GET http://${target}/ HTTP/1.1`, `Host: ${host}`).result, `${target} ${host}`).to.equal(COMPLETE);
    });

    it('refuses a Host field that differs', () => {
      for (const [target, host] of [
        ['a', 'b'],
        ['a', 'a.'],
        ['a:80', 'a:81'],
        ['a:8080', 'a'],
        ['a', 'a:443'],
        ['a_', 'a\x7f'],
        ['ab', 'a'],
        ['a!', "a'"],
      ])
        expect(line(`GET http://${target}/ HTTP/1.1`, `Host: ${host}`).result, `${target} ${host}`).to.equal(MALFORMED);
      expectMalformed(line('GET http://a/ HTTP/1.1'), 'no Host', 'without Host');
    });

    it('refuses absolute targets of other shapes', () => {
      for (const [target, problem] of [
        ['https://a/', 'CONNECT'],
        ['HTTPS://a/', 'CONNECT'],
        ['http:/a/', 'neither a path nor'],
        ['http:a', 'neither a path nor'],
        ['http:', 'neither a path nor'],
        ['ftp://a/', 'neither a path nor'],
        ['a', 'neither a path nor'],
        ['a:80', 'neither a path nor'],
        ['?a', 'neither a path nor'],
        ['\\a', 'neither a path nor'],
        ['**', 'neither a path nor'],
        ['http://', 'host is missing'],
        ['http:///a', 'host is missing'],
        ['http://?a', 'host is missing'],
        ['http://user@a/', 'host is missing'],
        ['http://user:pw@a/', 'host is missing'],
        ['http://a:0/', 'host is missing'],
        ['http://a\\b/', 'host is missing'],
        ['http://[::1/', 'host is missing'],
      ])
        expectMalformed(line(`GET ${target} HTTP/1.1`, 'Host: a'), problem, target);
    });

    it('takes * with OPTIONS only', () => {
      const scanned = line('OPTIONS * HTTP/1.1', 'Host: a');
      expect(scanned).to.include({ result: COMPLETE, path: '*', authority: 'a' });
      expect(scanned.scan.form).to.equal('asterisk');
      for (const method of ['GET', 'OPTION', 'options', 'OPTIONSX'])
        expectMalformed(line(`${method} * HTTP/1.1`, 'Host: a'), 'target *', method);
    });

    it('takes host:port with CONNECT, and nothing else', () => {
      const scanned = line('CONNECT a:443 HTTP/1.1', 'Host: b');
      expect(scanned).to.include({ result: COMPLETE, path: '', authority: 'a:443' });
      expect(scanned.scan.form).to.equal('authority');
      expect(line('CONNECT [::1]:1 HTTP/1.0')).to.include({ result: COMPLETE, authority: '[::1]:1' });
      for (const target of [
        'a',
        '[::1]',
        'a:443/',
        '/',
        '*',
        'http://a:443',
        'a:',
        ':443',
        'a:0',
        'u@a:443',
        'a:99999',
      ])
        expectMalformed(line(`CONNECT ${target} HTTP/1.1`, 'Host: a'), 'CONNECT target', target);
      expectMalformed(line('connect a:443 HTTP/1.1', 'Host: a'), 'neither a path nor', 'small letters');
    });

    it('refuses a CONNECT that announces a body, which would be tunnel bytes to us and a body to others', () => {
      expectMalformed(line('CONNECT a:1 HTTP/1.1', 'Host: a:1', 'Content-Length: 3'), 'CONNECT', 'length');
      expectMalformed(line('CONNECT a:1 HTTP/1.1', 'Host: a:1', 'Transfer-Encoding: chunked'), 'CONNECT', 'chunked');
      expect(line('CONNECT a:1 HTTP/1.1', 'Host: a:1', 'Content-Length: 0').result).to.equal(COMPLETE);
    });
  });

  it('refuses Transfer-Encoding in HTTP/1.0', () => {
    expectMalformed(line('POST / HTTP/1.0', 'Transfer-Encoding: chunked'), 'HTTP/1.0', 'chunked');
  });
});
