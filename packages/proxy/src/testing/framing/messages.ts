import fc from 'fast-check';

/** A field line without its line end; blanks around the value and letter case as they come. */
function fieldLine(name: string): fc.Arbitrary<string> {
  const value = fc.string({ unit: fc.constantFrom(...'abcXYZ019 \t:;,="/\xe4\xff'), maxLength: 12 });
  const blank = fc.constantFrom('', ' ', '\t', '  ', ' \t');
  return fc
    .tuple(oddCase(name), blank, value, blank)
    .map(([spelled, before, text, after]) => `${spelled}:${before}${text}${after}`);
}

/** A name with some of its letters in the other case. */
function oddCase(name: string): fc.Arbitrary<string> {
  return fc.constantFrom(
    name,
    name.toLowerCase(),
    name.toUpperCase(),
    name.replace(/[a-z]/g, (letter, at) => (at % 2 === 0 ? letter.toUpperCase() : letter)),
  );
}

const TOKEN_CHARS = [..."abzABZ019!#$%&'*+-.^_`|~"];

/** Names that frame nothing. */
const HARMLESS_NAME = fc.oneof(
  fc.constantFrom(
    'Accept',
    'X-Request-Id',
    'Cookie',
    'Set-Cookie',
    'Trailer',
    'Content-Type',
    'X-Content-Length',
    'Content_Length',
    'Via',
    'Date',
  ),
  fc.string({ unit: fc.constantFrom(...TOKEN_CHARS), minLength: 1, maxLength: 6 }).map((name) => `x${name}`),
);

const HARMLESS_FIELDS = fc.array(HARMLESS_NAME.chain(fieldLine), { maxLength: 4 });

const BODY = fc.oneof(
  fc.string({ unit: fc.constantFrom(...'abc\r\n0 :\0\xff'), maxLength: 30 }),
  fc.constantFrom(
    '',
    '0\r\n\r\n',
    '\r\n',
    'GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
    '5\r\nabcde\r\n0\r\n\r\n',
  ),
);

const EXTENSION = fc.constantFrom('', '', '', ';a', ';a=b', ';a="b"', ';a=b;c=d');
const TRAILERS = fc.array(fc.constantFrom('X-Trailer', 'Grpc-Status', 'x-a').chain(fieldLine), { maxLength: 2 });

/** The body in chunks of various sizes, with extensions, leading zeros and trailers. */
const CHUNKED_BODY: fc.Arbitrary<string> = fc
  .tuple(BODY, fc.integer({ min: 1, max: 20 }), EXTENSION, fc.constantFrom('', '0', '00'), fc.boolean(), TRAILERS)
  .map(([body, size, extension, zeros, capitals, trailers]) => {
    let text = '';
    for (let i = 0; i < body.length; i += size) {
      const chunk = body.slice(i, i + size);
      const digits = chunk.length.toString(16);
      text += `${zeros}${capitals ? digits.toUpperCase() : digits}${extension}\r\n${chunk}\r\n`;
    }
    return `${text}${zeros}0${extension}\r\n${trailers.map((line) => `${line}\r\n`).join('')}\r\n`;
  });

/** Field lines that frame a body, and the body as it is sent. */
const FRAMED_BODY: fc.Arbitrary<readonly [lines: readonly string[], body: string]> = fc.oneof(
  { weight: 2, arbitrary: fc.constant<[string[], string]>([[], '']) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(oddCase('Content-Length'), BODY, fc.constantFrom('', ' ', '  ', ' 0'))
      .map(([name, body, before]) => [[`${name}:${before}${body.length}`], body] as const),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(oddCase('Transfer-Encoding'), oddCase('chunked'), CHUNKED_BODY)
      .map(([name, coding, body]) => [[`${name}: ${coding}`], body] as const),
  },
);

/** `lines` with the others put between them, in an order that `seed` decides. */
function shuffle(lines: readonly string[], seed: number): string[] {
  const result: string[] = [];
  lines.forEach((line, i) => result.splice((seed * (i + 7)) % (result.length + 1), 0, line));
  return result;
}

function section(lines: readonly string[]): string {
  return `${lines.map((line) => `${line}\r\n`).join('')}\r\n`;
}

const REQUEST_LINE = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(
        fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'PATCH', 'OPTIONS', 'M-SEARCH'),
        fc.constantFrom('/', '/a?b=c', '/a/b%20c', '/?', '//x', "/!$&'()*+,;=:@[]"),
      )
      .map((parts) => parts.join(' ')),
  },
  { weight: 1, arbitrary: fc.constantFrom('GET http://a/x', 'POST http://a', 'GET HTTP://A:80?q', 'OPTIONS *') },
);

const CONNECTION = fc.constantFrom(
  [],
  [],
  [],
  [],
  ['Connection: keep-alive'],
  ['connection: close'],
  ['Connection: x-named', 'X-Named: y'],
  ['Keep-Alive: timeout=5'],
);

/** One valid request. */
export const REQUEST: fc.Arbitrary<string> = fc
  .tuple(
    REQUEST_LINE,
    oddCase('Host'),
    HARMLESS_FIELDS,
    FRAMED_BODY,
    CONNECTION,
    fc.nat(1000),
    fc.constantFrom('', '', '', '', '\r\n'),
    fc.constantFrom('1', '1', '1', '1', '0'),
  )
  .map(([line, host, fields, [framing, body], connection, seed, before, minor]) => {
    // HTTP/1.0 knows no chunks.
    const version = body !== '' && framing[0].toLowerCase().startsWith('transfer') ? '1' : minor;
    return `${before}${line} HTTP/1.${version}\r\n${section(shuffle([`${host}: a`, ...fields, ...framing, ...connection], seed))}${body}`;
  });

/** One to three valid requests, one right behind the other. */
export const REQUESTS: fc.Arbitrary<string> = fc
  .array(REQUEST, { minLength: 1, maxLength: 3 })
  .map((requests) => requests.join(''));

const STATUS_LINE = fc
  .tuple(
    fc.constantFrom('200', '201', '301', '404', '503', '599'),
    fc.constantFrom(' ', ' OK', ' Not at all', ' \xe4', ''),
  )
  .map((parts) => parts.join(''));

/** One valid answer that ends by its own framing or with the connection, perhaps behind interim ones. */
export const RESPONSE: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom('', '', '', 'HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n', 'HTTP/1.1 100 Continue\r\n\r\n'),
    STATUS_LINE,
    HARMLESS_FIELDS,
    FRAMED_BODY,
    CONNECTION,
    fc.nat(1000),
    fc.constantFrom('1', '1', '1', '0'),
    BODY,
  )
  .map(([interim, line, fields, [framing, framed], connection, seed, minor, bare]) => {
    const version = framed !== '' && framing[0].toLowerCase().startsWith('transfer') ? '1' : minor;
    const body = framing.length === 0 ? bare : framed;
    return `${interim}HTTP/1.${version} ${line}\r\n${section(shuffle([...fields, ...framing, ...connection], seed))}${body}`;
  });
