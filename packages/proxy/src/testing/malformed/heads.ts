import { SMUGGLED, bad, head, type MalformedRequest } from './malformed-message.js';

const HOST = ['Host: a'];
/** Not HTTP: no answer, nothing forwarded. */
const NO_ANSWER: Partial<MalformedRequest> = { statuses: [] };
const WRONG_VERSION: Partial<MalformedRequest> = { statuses: [505] };

function get(name: string, requestLine: string, extra: Partial<MalformedRequest> = {}): MalformedRequest {
  return bad(name, head(requestLine, HOST, SMUGGLED), extra);
}

const REQUEST_LINES: readonly MalformedRequest[] = [
  get('two spaces after the method', 'GET  / HTTP/1.1'),
  get('two spaces before the version', 'GET /  HTTP/1.1'),
  get('space before the method', ' GET / HTTP/1.1'),
  get('space after the version', 'GET / HTTP/1.1 '),
  get('tab after the method', 'GET\t/ HTTP/1.1'),
  get('tab before the version', 'GET /\tHTTP/1.1'),
  get('vertical tab after the method', 'GET\x0b/ HTTP/1.1'),
  get('bare CR after the method', 'GET\r/ HTTP/1.1'),
  get('space inside the target', 'GET /a b HTTP/1.1'),
  get('a second version', 'GET / HTTP/1.1 HTTP/1.0'),
  get('method without target', 'GET'.concat(' HTTP/1.1')),
  get('method with a bracket', 'GE(T / HTTP/1.1', NO_ANSWER),
  get('method with a NUL', 'GE\0T / HTTP/1.1', NO_ANSWER),
  get('method with a byte above 127', 'GE\xe4T / HTTP/1.1', NO_ANSWER),
  get('method in quotes', '"GET" / HTTP/1.1', NO_ANSWER),
  bad('two empty lines before the request', `\r\n\r\n${head('GET / HTTP/1.1', HOST)}`),
  bad('bare LF before the request', `\n${head('GET / HTTP/1.1', HOST)}`),
  bad('bare CR before the request', `\r${head('GET / HTTP/1.1', HOST)}`),
  get('no version', 'GET /'),
  bad('HTTP/0.9', 'GET /\r\n'),
  bad('HTTP/0.9 with a bare LF', 'GET /\n'),
  get('version 2.0', 'GET / HTTP/2.0', WRONG_VERSION),
  get('version 1.2', 'GET / HTTP/1.2', WRONG_VERSION),
  get('version 0.9', 'GET / HTTP/0.9', WRONG_VERSION),
  get('version in small letters', 'GET / http/1.1'),
  get('version without minor', 'GET / HTTP/1'),
  get('version with two digits', 'GET / HTTP/1.10'),
  get('version with a sign', 'GET / HTTP/+1.1'),
  get('another protocol name', 'GET / HTTPS/1.1'),
  bad('request line ended by a bare LF', `GET / HTTP/1.1\nHost: a\r\n\r\n${SMUGGLED}`),
  bad('request line ended by a bare CR', `GET / HTTP/1.1\rHost: a\r\n\r\n${SMUGGLED}`),
  bad('request line ended by CR CR LF', `GET / HTTP/1.1\r\r\nHost: a\r\n\r\n${SMUGGLED}`),
];

const TARGETS: readonly MalformedRequest[] = [
  get('fragment in the target', 'GET /a#b HTTP/1.1'),
  get('fragment alone', 'GET # HTTP/1.1'),
  get('byte above 127 in the target', 'GET /\xc3\xa4 HTTP/1.1'),
  get('NUL in the target', 'GET /a\0b HTTP/1.1'),
  get('DEL in the target', 'GET /a\x7f HTTP/1.1'),
  get('escape in the target', 'GET /a\x1b[0m HTTP/1.1'),
  get('bare CR in the target', 'GET /a\rb HTTP/1.1'),
  get('bare LF in the target', 'GET /a\nb HTTP/1.1'),
  get('target without a slash', 'GET index.html HTTP/1.1'),
  get('backslash target', 'GET \\a HTTP/1.1'),
  get('query alone', 'GET ?a HTTP/1.1'),
  get('* with GET', 'GET * HTTP/1.1'),
  get('** with OPTIONS', 'OPTIONS ** HTTP/1.1'),
  get('absolute target of another host than Host', 'GET http://b/ HTTP/1.1'),
  get('absolute target of another port than Host', 'GET http://a:81/ HTTP/1.1'),
  get('absolute target with userinfo', 'GET http://b@a/ HTTP/1.1'),
  get('absolute target without a host', 'GET http:///x HTTP/1.1'),
  get('absolute target with a backslash', 'GET http://a\\b/ HTTP/1.1'),
  get('absolute target of https', 'GET https://a/ HTTP/1.1'),
  get('absolute target of ftp', 'GET ftp://a/ HTTP/1.1'),
  get('scheme without slashes', 'GET http:a HTTP/1.1'),
  get('CONNECT without a port', 'CONNECT a HTTP/1.1'),
  get('CONNECT with a path', 'CONNECT a:80/x HTTP/1.1'),
  get('CONNECT with a URL', 'CONNECT http://a:80 HTTP/1.1'),
  get('CONNECT with a slash', 'CONNECT / HTTP/1.1'),
  get('CONNECT to port 0', 'CONNECT a:0 HTTP/1.1'),
];

function host(name: string, ...lines: readonly string[]): MalformedRequest {
  return bad(name, head('GET / HTTP/1.1', lines, SMUGGLED));
}

const HOSTS: readonly MalformedRequest[] = [
  host('no Host', 'X: y'),
  host('two equal Host fields', 'Host: a', 'Host: a'),
  host('two different Host fields', 'Host: a', 'Host: b'),
  host('two Host fields in different letter case', 'Host: a', 'hOST: b'),
  host('an empty Host field', 'Host:'),
  host('Host with a space', 'Host: a b'),
  host('Host with a slash', 'Host: a/b'),
  host('Host with userinfo', 'Host: user@host'),
  host('Host with a port that is too large', 'Host: host:99999'),
  host('Host with an empty port', 'Host: host:'),
  host('Host with a port that is no number', 'Host: host:http'),
  host('Host with two ports', 'Host: host:80:81'),
  host('Host with an open bracket', 'Host: [::1'),
  host('Host with a bracket and more', 'Host: [::1]x'),
  host('Host with something that is no address in brackets', 'Host: [::g]'),
  host('Host that is a URL', 'Host: http://a/'),
  host('Host that is a list', 'Host: a, b'),
  host('Host with a NUL', 'Host: a\0'),
  host('Host with a byte above 127', 'Host: \xe4'),
  host('Host with a broken percent sign', 'Host: a%zz'),
  host('space before the colon of Host', 'Host : a'),
  host('Host that is folded', 'Host:\r\n a'),
  bad('two Host fields in HTTP/1.0', head('GET / HTTP/1.0', ['Host: a', 'Host: b'])),
  bad('two Host fields behind an absolute target', head('GET http://a/ HTTP/1.1', ['Host: a', 'Host: b'])),
];

function field(name: string, line: string): MalformedRequest {
  return bad(name, head('GET / HTTP/1.1', ['Host: a', line], SMUGGLED));
}

const FIELDS: readonly MalformedRequest[] = [
  field('bare LF at the end of a field', 'X: y\nZ: w'),
  field('bare CR at the end of a field', 'X: y\rZ: w'),
  field('bare CR before the end of a field', 'X: y\r'),
  field('NUL in a value', 'X: a\0b'),
  field('DEL in a value', 'X: a\x7fb'),
  field('escape in a value', 'X: a\x1bb'),
  field('backspace in a value', 'X: a\bb'),
  field('NUL in a name', 'X\0Y: b'),
  field('folded line with a space', 'X: a\r\n b'),
  field('folded line with a tab', 'X: a\r\n\tb'),
  field('folded line of blanks only', 'X: a\r\n '),
  field('space before the colon', 'X : y'),
  field('tab before the colon', 'X\t: y'),
  field('space inside a name', 'X Y: z'),
  field('empty name', ': y'),
  field('no colon', 'X'),
  field('a name in quotes', '"X": y'),
  field('a name with a byte above 127', 'X\xe4: y'),
  field('a name with a slash', 'X/Y: z'),
  bad('folded line first', head('GET / HTTP/1.1', [' X: y', 'Host: a'])),
  bad('empty line of a bare LF', `GET / HTTP/1.1\r\nHost: a\r\n\n${SMUGGLED}`),
  bad('empty line of a bare CR', `GET / HTTP/1.1\r\nHost: a\r\n\rX${SMUGGLED}`),
  bad('empty line of two bare LF', `GET / HTTP/1.1\r\nHost: a\n\n${SMUGGLED}`),
];

export const MALFORMED_HEADS: readonly MalformedRequest[] = [...REQUEST_LINES, ...TARGETS, ...HOSTS, ...FIELDS];
