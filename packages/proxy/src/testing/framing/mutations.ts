import fc from 'fast-check';

/** Pieces that have split parsers before. */
const FRAGMENTS: readonly string[] = [
  ...[
    '\r\n',
    '\n',
    '\r',
    '\r\n\r\n',
    '\n\n',
    '\r\n ',
    '\r\n\t',
    '\0',
    ' ',
    '\t',
    '\x0b',
    '\x0c',
    '\x7f',
    '\x85',
    '\xa0',
    ':',
    ';',
    ',',
    '"',
    '#',
  ],
  ...[
    'Content-Length: 5\r\n',
    'Content-Length: 0\r\n',
    'content-length:3\r\n',
    'Content-Length: +5\r\n',
    'Content-Length: 5, 5\r\n',
  ],
  ...[
    'Content-Length : 5\r\n',
    'Content-Length:\r\n',
    'Content-Length: 0x5\r\n',
    'Content-Length: 5 5\r\n',
    'Content-Length: -0\r\n',
    'Content-Length: 1e1\r\n',
  ],
  ...[
    'Transfer-Encoding: chunked\r\n',
    'transfer-encoding:CHUNKED\r\n',
    'Transfer-Encoding: identity\r\n',
    'Transfer-Encoding: chunked, identity\r\n',
  ],
  ...[
    'Transfer-Encoding: xchunked\r\n',
    'Transfer-Encoding : chunked\r\n',
    'Transfer-Encoding:\tchunked\r\n',
    'Transfer-Encoding: \x0bchunked\r\n',
  ],
  ...[
    'Transfer-Encoding: gzip, chunked\r\n',
    'Transfer-Encoding:\r\n chunked\r\n',
    'Transfer-Encoding: chunked;q=1\r\n',
    'Transfer_Encoding: chunked\r\n',
  ],
  ...[
    'X: y\rTransfer-Encoding: chunked\r\n',
    'X: y\nTransfer-Encoding: chunked\r\n',
    ' Transfer-Encoding: chunked\r\n',
    'Transfer-Encoding: "chunked"\r\n',
  ],
  ...[
    'Connection: close\r\n',
    'Connection: content-length\r\n',
    'Connection: upgrade\r\n',
    'Upgrade: websocket\r\n',
    'Connection: keep-alive\r\n',
  ],
  ...[
    'Host: b\r\n',
    'Host:\r\n',
    'Expect: 100-continue\r\n',
    'Expect: x\r\n',
    'TE: trailers\r\n',
    'Trailer: Content-Length\r\n',
    'Proxy-Connection: close\r\n',
  ],
  ...[
    '0\r\n\r\n',
    '0\r\n',
    '5\r\n',
    '0x5',
    '00',
    'g',
    '-1',
    '+5',
    ' 5',
    '5 ',
    '5;a=b\r\n',
    '5;a\n',
    '5;"\r\n',
    'fffffffffffffffff',
    ';',
    ';\n',
    '1\r\nZ\r\nQ',
  ],
  ...[
    'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET /hidden HTTP/1.1\r\n',
    'HTTP/1.1 200 OK\r\n\r\n',
    'HTTP/1.0',
    'HTTP/1.1',
    'HTTP/2.0',
    'http/1.1',
    'HTTP/0.9',
  ],
  ...[
    'HTTP/1.1 100 Continue\r\n\r\n',
    'HTTP/1.1 204 No Content\r\n',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    '\x16\x03\x01',
  ],
];

const BYTE = fc.oneof(
  fc.integer({ min: 0, max: 255 }),
  fc.constantFrom(...[0, 9, 10, 11, 12, 13, 32, 44, 48, 58, 59, 127, 128, 255]),
);
const PLACES = 4096;
/** A place as a share of the length, so that shrinking the message moves it along. (`fc.double` would give nearly nothing but zero.) */
const PLACE = fc.integer({ min: 0, max: PLACES - 1 }).map((place) => place / PLACES);

type Mutation = (text: string) => string;

function at(text: string, place: number): number {
  return Math.floor(place * (text.length + 1));
}

/** A place right behind a line end, where a fragment is most likely to be understood. */
function atLine(text: string, place: number): number {
  const ends = [0, ...[...text.matchAll(/\r\n/g)].map((match) => match.index + 2)];
  return ends[Math.floor(place * ends.length)];
}

const FLIP = fc.tuple(PLACE, BYTE).map<Mutation>(([place, byte]) => (text) => {
  const i = at(text, place);
  return text.slice(0, i) + String.fromCharCode(byte) + text.slice(i + 1);
});
const FLIP_BIT = fc.tuple(PLACE, fc.nat(7)).map<Mutation>(([place, bit]) => (text) => {
  const i = Math.min(at(text, place), text.length - 1);
  return i < 0 ? text : text.slice(0, i) + String.fromCharCode(text.charCodeAt(i) ^ (1 << bit)) + text.slice(i + 1);
});
const INSERT = fc.tuple(PLACE, BYTE).map<Mutation>(([place, byte]) => (text) => {
  const i = at(text, place);
  return text.slice(0, i) + String.fromCharCode(byte) + text.slice(i);
});
const DELETE = fc.tuple(PLACE, fc.integer({ min: 1, max: 6 })).map<Mutation>(([place, count]) => (text) => {
  const i = at(text, place);
  return text.slice(0, i) + text.slice(i + count);
});
const DUPLICATE = fc.tuple(PLACE, fc.integer({ min: 1, max: 30 })).map<Mutation>(([place, count]) => (text) => {
  const i = at(text, place);
  return text.slice(0, i + count) + text.slice(i);
});
const DUPLICATE_LINE = PLACE.map<Mutation>((place) => (text) => {
  const i = atLine(text, place);
  const end = text.indexOf('\r\n', i);
  return end < 0 ? text : text.slice(0, end + 2) + text.slice(i);
});
const SPLICE = fc
  .tuple(PLACE, fc.constantFrom(...FRAGMENTS), fc.boolean())
  .map<Mutation>(([place, fragment, anywhere]) => (text) => {
    const i = anywhere ? at(text, place) : atLine(text, place);
    return text.slice(0, i) + fragment + text.slice(i);
  });
const LINE_END = fc
  .tuple(PLACE, fc.constantFrom('\n', '\r', '\r\r\n', '\n\r', '', ' \r\n', '\r\n ', '\0\r\n'))
  .map<Mutation>(([place, end]) => (text) => {
    const ends = [...text.matchAll(/\r\n/g)].map((match) => match.index);
    if (ends.length === 0) return text;
    const i = ends[Math.floor(place * ends.length)];
    return text.slice(0, i) + end + text.slice(i + 2);
  });
const CUT = PLACE.map<Mutation>((place) => (text) => text.slice(0, at(text, place)));

const MUTATION = fc.oneof(
  { weight: 2, arbitrary: FLIP },
  { weight: 1, arbitrary: FLIP_BIT },
  { weight: 2, arbitrary: INSERT },
  { weight: 2, arbitrary: DELETE },
  { weight: 1, arbitrary: DUPLICATE },
  { weight: 1, arbitrary: DUPLICATE_LINE },
  { weight: 6, arbitrary: SPLICE },
  { weight: 2, arbitrary: LINE_END },
  { weight: 1, arbitrary: CUT },
);

/** `text` with up to `most` mutations, often none. */
export function mutated(text: fc.Arbitrary<string>, most: number): fc.Arbitrary<string> {
  return fc
    .tuple(text, fc.array(MUTATION, { maxLength: most }))
    .map(([valid, mutations]) => mutations.reduce((result, mutate) => mutate(result), valid));
}
