import { SMUGGLED, bad, head, post, type MalformedRequest } from './malformed-message.js';

const NOT_IMPLEMENTED: Partial<MalformedRequest> = { statuses: [501] };

/** Content-Length that is not one plain number. */
const CONTENT_LENGTHS: readonly MalformedRequest[] = [
  post('Content-Length with a plus sign', ['Content-Length: +5'], 'abcde'),
  post('Content-Length that is negative', ['Content-Length: -1']),
  post('Content-Length as a list of the same number', ['Content-Length: 5,5'], 'abcde'),
  post('Content-Length as a list of different numbers', ['Content-Length: 5, 6'], 'abcdef'),
  post('Content-Length in hexadecimal', ['Content-Length: 0x5'], 'abcde'),
  post('Content-Length of two numbers', ['Content-Length:  5 5'], 'abcde'),
  post('Content-Length without a value', ['Content-Length:']),
  post('Content-Length of blanks', ['Content-Length: \t ']),
  post('Content-Length beyond 2^64', ['Content-Length: 18446744073709551621'], 'abcde'),
  post('Content-Length beyond exact numbers', ['Content-Length: 9007199254740993'], 'abcde'),
  post('Content-Length with a decimal point', ['Content-Length: 5.0'], 'abcde'),
  post('Content-Length in scientific notation', ['Content-Length: 5e0'], 'abcde'),
  post('Content-Length in quotes', ['Content-Length: "5"'], 'abcde'),
  post('Content-Length with a parameter', ['Content-Length: 5;a'], 'abcde'),
  post('Content-Length with an underscore', ['Content-Length: 1_0'], 'abcdefghij'),
  post('Content-Length behind a vertical tab', ['Content-Length: \x0b5'], 'abcde'),
  post('Content-Length behind a tab', ['Content-Length:\t5'], 'abcde'),
  post('Content-Length before a tab', ['Content-Length: 5\t'], 'abcde'),
  post('Content-Length before a NUL', ['Content-Length: 5\0'], 'abcde'),
  post('Content-Length behind a no-break space', ['Content-Length: \xa05'], 'abcde'),
  post('two equal Content-Length fields', ['Content-Length: 5', 'Content-Length: 5'], 'abcde'),
  post('two different Content-Length fields', ['Content-Length: 5', 'Content-Length: 44'], `abcde${SMUGGLED}`),
  post('two Content-Length fields in different letter case', ['Content-Length: 0', 'CONTENT-LENGTH: 44']),
  post('Content-Length that is folded', ['Content-Length: 5\r\n 0'], 'abcde'),
];

/** Content-Length and Transfer-Encoding at once: the classics CL.TE and TE.CL. */
const BOTH: readonly MalformedRequest[] = [
  post('CL.TE', ['Content-Length: 6', 'Transfer-Encoding: chunked'], '0\r\n\r\nG'),
  post(
    'CL.TE with a whole request behind',
    ['Content-Length: 47', 'Transfer-Encoding: chunked'],
    `0\r\n\r\n${SMUGGLED}`,
  ),
  post(
    'TE.CL',
    ['Transfer-Encoding: chunked', 'Content-Length: 4'],
    '2c\r\nGPOST / HTTP/1.1\r\nContent-Length: 15\r\n\r\nx=1\r\n0\r\n\r\n',
  ),
  post('TE.CL with equal meaning', ['Transfer-Encoding: chunked', 'Content-Length: 5'], '0\r\n\r\n'),
  post('Content-Length: 0 beside chunked', ['Content-Length: 0', 'Transfer-Encoding: chunked'], `0\r\n\r\n${SMUGGLED}`),
  post(
    'Content-Length beside a coding that is unknown',
    ['Content-Length: 5', 'Transfer-Encoding: xchunked'],
    'abcde',
    NOT_IMPLEMENTED,
  ),
  post(
    'Content-Length beside identity',
    ['Content-Length: 5', 'Transfer-Encoding: identity'],
    'abcde',
    NOT_IMPLEMENTED,
  ),
  bad(
    'GET with both',
    head('GET / HTTP/1.1', ['Host: a', 'Content-Length: 43', 'Transfer-Encoding: chunked'], `0\r\n\r\n${SMUGGLED}`),
  ),
];

const CHUNKED_BODY = `0\r\n\r\n${SMUGGLED}`;

/** Transfer-Encoding that one reader takes for chunked and another does not: TE.TE. */
const CODINGS: readonly MalformedRequest[] = [
  post('xchunked', ['Transfer-Encoding: xchunked'], CHUNKED_BODY, NOT_IMPLEMENTED),
  post('chunked, identity', ['Transfer-Encoding: chunked, identity'], CHUNKED_BODY, NOT_IMPLEMENTED),
  post('identity, chunked', ['Transfer-Encoding: identity, chunked'], CHUNKED_BODY, NOT_IMPLEMENTED),
  post('identity', ['Transfer-Encoding: identity'], CHUNKED_BODY, NOT_IMPLEMENTED),
  post('gzip, chunked', ['Transfer-Encoding: gzip, chunked'], CHUNKED_BODY, NOT_IMPLEMENTED),
  post('chunked twice in a list', ['Transfer-Encoding: chunked, chunked'], CHUNKED_BODY, NOT_IMPLEMENTED),
  post('chunked in two fields', ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'], CHUNKED_BODY),
  post(
    'chunked and identity in two fields',
    ['Transfer-Encoding: chunked', 'Transfer-Encoding: identity'],
    CHUNKED_BODY,
  ),
  post(
    'identity and chunked in two fields',
    ['Transfer-Encoding: identity', 'Transfer-Encoding: chunked'],
    CHUNKED_BODY,
    NOT_IMPLEMENTED,
  ),
  post('chunked and cow in two fields', ['Transfer-Encoding: chunked', 'Transfer-encoding: cow'], CHUNKED_BODY),
  post('an empty coding', ['Transfer-Encoding:'], CHUNKED_BODY),
  post('an empty coding in a list', ['Transfer-Encoding: , chunked'], CHUNKED_BODY),
  post('chunked in double quotes', ['Transfer-Encoding: "chunked"'], CHUNKED_BODY),
  post('chunked in single quotes', ["Transfer-Encoding: 'chunked'"], CHUNKED_BODY, NOT_IMPLEMENTED),
  post('chunked with a parameter', ['Transfer-Encoding: chunked;q=1'], CHUNKED_BODY),
  post('chunked with trailing garbage', ['Transfer-Encoding: chunked garbage'], CHUNKED_BODY),
  post('chunked behind a tab', ['Transfer-Encoding:\tchunked'], CHUNKED_BODY),
  post('chunked before a tab', ['Transfer-Encoding: chunked\t'], CHUNKED_BODY),
  post('chunked behind a vertical tab', ['Transfer-Encoding: \x0bchunked'], CHUNKED_BODY),
  post('chunked before a vertical tab', ['Transfer-Encoding: chunked\x0b'], CHUNKED_BODY),
  post('chunked before a form feed', ['Transfer-Encoding: chunked\x0c'], CHUNKED_BODY),
  post('chunked behind a NUL', ['Transfer-Encoding: \0chunked'], CHUNKED_BODY),
  post('chunked with a NUL inside', ['Transfer-Encoding: chun\0ked'], CHUNKED_BODY),
  post('chunked behind a no-break space', ['Transfer-Encoding: \xa0chunked'], CHUNKED_BODY),
  post('chunked before a byte above 127', ['Transfer-Encoding: chunked\xff'], CHUNKED_BODY),
  post('chunked in an obs-fold', ['Transfer-Encoding:\r\n chunked'], CHUNKED_BODY),
  post('chunked hidden by a bare CR', ['X: y\rTransfer-Encoding: chunked'], CHUNKED_BODY),
  post('chunked hidden by a bare LF', ['X: y\nTransfer-Encoding: chunked'], CHUNKED_BODY),
  post('space before the colon of Transfer-Encoding', ['Transfer-Encoding : chunked'], CHUNKED_BODY),
  post('tab before the colon of Transfer-Encoding', ['Transfer-Encoding\t: chunked'], CHUNKED_BODY),
  post('vertical tab before the colon of Transfer-Encoding', ['Transfer-Encoding\x0b: chunked'], CHUNKED_BODY),
  post('NUL before the colon of Transfer-Encoding', ['Transfer-Encoding\0: chunked'], CHUNKED_BODY),
  post('space before Transfer-Encoding', [' Transfer-Encoding: chunked'], CHUNKED_BODY),
  post('Transfer-Encoding without a colon', ['Transfer-Encoding chunked'], CHUNKED_BODY),
  bad('chunked in HTTP/1.0', head('POST / HTTP/1.0', ['Host: a', 'Transfer-Encoding: chunked'], CHUNKED_BODY)),
  bad(
    'chunked in HTTP/1.0 with keep-alive',
    head('POST / HTTP/1.0', ['Host: a', 'Connection: keep-alive', 'Transfer-Encoding: chunked'], CHUNKED_BODY),
  ),
  bad('CONNECT with a body', head('CONNECT a:80 HTTP/1.1', ['Host: a:80', 'Content-Length: 5'], 'abcde')),
  bad(
    'CONNECT with a chunked body',
    head('CONNECT a:80 HTTP/1.1', ['Host: a:80', 'Transfer-Encoding: chunked'], CHUNKED_BODY),
  ),
];

/** Connection that would have the proxy take away what the message needs. */
const CONNECTION: readonly MalformedRequest[] = [
  'Host',
  'content-length',
  'Transfer-Encoding',
  'authorization',
  'Cookie',
].map((name) =>
  bad(
    `Connection that names ${name}`,
    head('POST / HTTP/1.1', ['Host: a', 'Content-Length: 41', `Connection: keep-alive, ${name}`], SMUGGLED),
  ),
);

export const MALFORMED_FRAMING: readonly MalformedRequest[] = [...CONTENT_LENGTHS, ...BOTH, ...CODINGS, ...CONNECTION];
