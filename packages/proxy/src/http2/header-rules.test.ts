import { expect } from 'chai';
import { isLengthBroken, requestProblem, responseProblem, trailerProblem } from './header-rules.js';
import { HeaderBlock } from './hpack/header-block.js';
import { HeaderField } from './hpack/header-field.js';

type Pairs = readonly (readonly [name: string, value: string])[];

function block(pairs: Pairs): HeaderBlock {
  return HeaderBlock.of(pairs.map(([name, value]) => new HeaderField(name, value)));
}

const REQUEST: Pairs = [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', '/a?b=c'],
  [':authority', 'orders:80'],
];
const CONNECT: Pairs = [
  [':method', 'CONNECT'],
  [':authority', 'orders:80'],
];
const WEBSOCKET: Pairs = [[':method', 'CONNECT'], [':protocol', 'websocket'], ...REQUEST.slice(1)];

function without(name: string): Pairs {
  return REQUEST.filter((pair) => pair[0] !== name);
}

function withValue(name: string, value: string): Pairs {
  return REQUEST.map((pair) => (pair[0] === name ? [name, value] : pair));
}

const GOOD_REQUESTS: Readonly<Record<string, Pairs>> = {
  'the four pseudo-header fields': REQUEST,
  'a host field and no :authority': [...without(':authority'), ['host', 'orders']],
  'a :scheme of another kind, which needs no host': [
    [':method', 'GET'],
    [':scheme', 'a+b.c-1'],
    [':path', 'x'],
  ],
  'a host field like :authority': [...REQUEST, ['host', 'Orders:80']],
  'te: trailers': [...REQUEST, ['te', 'trailers']],
  'the same content-length twice': [...REQUEST, ['content-length', '3'], ['content-length', '3']],
  'OPTIONS *': [
    [':method', 'OPTIONS'],
    [':scheme', 'http'],
    [':path', '*'],
    [':authority', 'orders'],
  ],
  'a plain CONNECT': CONNECT,
  'cookies in several fields': [...REQUEST, ['cookie', 'a=1'], ['cookie', 'b=2']],
};

const BAD_REQUESTS: Readonly<Record<string, Pairs>> = {
  'no fields': [],
  'no :method': without(':method'),
  'no :scheme': without(':scheme'),
  'a :scheme that is none': withValue(':scheme', 'ht tp'),
  'an empty :scheme': withValue(':scheme', ''),
  'neither :authority nor host': without(':authority'),
  'no :path': without(':path'),
  'an empty :path': withValue(':path', ''),
  'an empty :method': withValue(':method', ''),
  'a :method that is no token': withValue(':method', 'G T'),
  'a :path without a slash': withValue(':path', 'a'),
  'a :path with a space': withValue(':path', '/a HTTP/1.1'),
  'a :path with LF': withValue(':path', '/\nx'),
  'a :path with a fragment': withValue(':path', '/a#b'),
  'a :path * in a POST': withValue(':path', '*'),
  'an empty :authority': withValue(':authority', ''),
  'an :authority with userinfo': withValue(':authority', 'me@orders'),
  'an :authority with a slash': withValue(':authority', 'orders/x'),
  'a pseudo-header field twice': [...REQUEST, [':path', '/b']],
  'a pseudo-header field after others': [...without(':path'), ['a', 'b'], [':path', '/']],
  'an unknown pseudo-header field': [[':x', 'y'], ...REQUEST],
  'a :status': [...REQUEST, [':status', '200']],
  'a :protocol that was not agreed on': [...REQUEST, [':protocol', 'websocket']],
  'a CONNECT with :path': withValue(':method', 'CONNECT'),
  'a CONNECT without :authority': [[':method', 'CONNECT']],
  'an upper-case name': [...REQUEST, ['X-a', 'b']],
  'a name with a space': [...REQUEST, ['x a', 'b']],
  'an empty name': [...REQUEST, ['', 'b']],
  'a colon within a name': [...REQUEST, ['x:a', 'b']],
  'CR in a value': [...REQUEST, ['a', 'b\rc']],
  'NUL in a value': [...REQUEST, ['a', 'b\0c']],
  'a blank before a value': [...REQUEST, ['a', ' b']],
  'a tab after a value': [...REQUEST, ['a', 'b\t']],
  connection: [...REQUEST, ['connection', 'close']],
  'keep-alive': [...REQUEST, ['keep-alive', 'timeout=5']],
  'proxy-connection': [...REQUEST, ['proxy-connection', 'close']],
  'transfer-encoding': [...REQUEST, ['transfer-encoding', 'chunked']],
  upgrade: [...REQUEST, ['upgrade', 'websocket']],
  'te: gzip': [...REQUEST, ['te', 'gzip']],
  'te: trailers, gzip': [...REQUEST, ['te', 'trailers, gzip']],
  'different content-lengths': [...REQUEST, ['content-length', '3'], ['content-length', '4']],
  'a content-length with a sign': [...REQUEST, ['content-length', '+3']],
  'a content-length of a list': [...REQUEST, ['content-length', '3, 3']],
  'an empty content-length': [...REQUEST, ['content-length', '']],
  'a content-length beyond exact numbers': [...REQUEST, ['content-length', '1'.repeat(16)]],
  'a host field other than :authority': [...REQUEST, ['host', 'payments']],
  'two host fields': [...without(':authority'), ['host', 'a'], ['host', 'a']],
};

describe('rules for header sections (RFC 9113, 8)', () => {
  for (const [name, pairs] of Object.entries(GOOD_REQUESTS)) {
    it(`accept a request with ${name}`, () => {
      expect(requestProblem(block(pairs), { extendedConnect: false })).to.equal(undefined);
    });
  }

  for (const [name, pairs] of Object.entries(BAD_REQUESTS)) {
    it(`refuse a request with ${name}`, () => {
      expect(requestProblem(block(pairs), { extendedConnect: false })).to.be.a('string');
    });
  }

  it('refuse a request that ends with its head but announces content', () => {
    const announced = block([...REQUEST, ['content-length', '5']]);
    expect(requestProblem(announced, { extendedConnect: false }, false)).to.equal(undefined);
    expect(requestProblem(announced, { extendedConnect: false }, true)).to.be.a('string');
    expect(requestProblem(block([...REQUEST, ['content-length', '0']]), { extendedConnect: false }, true)).to.equal(
      undefined,
    );
  });

  it('accept an extended CONNECT only when it was announced and complete', () => {
    expect(requestProblem(block(WEBSOCKET), { extendedConnect: true })).to.equal(undefined);
    expect(requestProblem(block(WEBSOCKET), { extendedConnect: false })).to.be.a('string');
    expect(requestProblem(block(WEBSOCKET.slice(0, -1)), { extendedConnect: true })).to.be.a('string');
    expect(requestProblem(block([...REQUEST, [':protocol', 'x']]), { extendedConnect: true })).to.be.a('string');
  });

  it('want exactly :status of an answer, with three digits', () => {
    const problem = (...pairs: Pairs): string | undefined => responseProblem(block(pairs));
    expect(problem([':status', '200'], ['a', 'b'])).to.equal(undefined);
    expect(problem([':status', '103'])).to.equal(undefined);
    const bad: Pairs[] = [
      [],
      [['a', 'b']],
      [[':status', '20']],
      [[':status', '2000']],
      [[':status', '099']],
      [[':status', '+20']],
      [[':status', '101']],
      [
        [':status', '200'],
        [':status', '200'],
      ],
      [
        [':status', '200'],
        [':path', '/'],
      ],
      [
        ['a', 'b'],
        [':status', '200'],
      ],
      [
        [':status', '200'],
        ['connection', 'close'],
      ],
      [
        [':status', '200'],
        ['A', 'b'],
      ],
    ];
    for (const pairs of bad) expect(problem(...pairs), JSON.stringify(pairs)).to.be.a('string');
  });

  it('want no pseudo-header field and no framing in trailers', () => {
    const problem = (...pairs: Pairs): string | undefined => trailerProblem(block(pairs));
    expect(problem(['grpc-status', '0'])).to.equal(undefined);
    expect(problem()).to.equal(undefined);
    expect(problem([':status', '200'])).to.be.a('string');
    expect(problem(['content-length', '0'])).to.be.a('string');
    expect(problem(['transfer-encoding', 'chunked'])).to.be.a('string');
    expect(problem(['X', 'y'])).to.be.a('string');
  });

  it('are worked out once per block', () => {
    const request = block(REQUEST);
    requestProblem(request, { extendedConnect: false });
    const { summary } = request;
    requestProblem(request, { extendedConnect: true });
    expect(request.summary)
      .to.equal(summary)
      .and.to.include({ method: 'POST', path: '/a?b=c', authority: 'orders:80' });
  });

  it('compare a body with its content-length', () => {
    expect(isLengthBroken(-1, 9, true)).to.equal(false);
    expect(isLengthBroken(5, 3, false)).to.equal(false);
    expect(isLengthBroken(5, 5, true)).to.equal(false);
    expect(isLengthBroken(5, 6, false)).to.equal(true);
    expect(isLengthBroken(5, 4, true)).to.equal(true);
    expect(isLengthBroken(0, 0, true)).to.equal(false);
  });
});
