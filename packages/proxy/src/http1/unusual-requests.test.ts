import { expect } from 'chai';
import {
  RawClient,
  startProxy,
  startRawUpstream,
  type ProxyHarness,
  type RawUpstream,
} from '../testing/proxy-harness.js';
import { SMUGGLED } from '../testing/malformed/index.js';

const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const CLOSE = 'Connection: close\r\n';

/** Requests that look odd and are valid: what is sent, and what the upstream gets when that differs. */
const UNUSUAL: readonly (readonly [name: string, sent: string, forwarded?: string])[] = [
  ['chunked in capitals', 'POST / HTTP/1.1\r\nHost: a\r\nTRANSFER-ENCODING: CHUNKED\r\n\r\n3\r\nabc\r\n0\r\n\r\n'],
  ['chunked between spaces', 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:   chunked  \r\n\r\n0\r\n\r\n'],
  ['chunked without a blank', 'POST / HTTP/1.1\r\nHost:a\r\nTransfer-Encoding:chunked\r\n\r\n0\r\n\r\n'],
  [
    'chunk extensions and trailers',
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n003;a=b;c="d;e"\r\nabc\r\n00;z\r\nX: y\r\n\r\n',
  ],
  [
    'a chunk size in both letter cases',
    `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\naA\r\n${'x'.repeat(170)}\r\n0\r\n\r\n`,
  ],
  ['leading zeros in Content-Length', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0003\r\n\r\nabc'],
  ['a GET with a body', 'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc'],
  [
    'a request in a body of known length',
    `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`,
  ],
  [
    'a request in a chunk',
    `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`,
  ],
  [
    'the end of a chunked body inside a chunk',
    `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n0\r\n\r\n\r\n${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`,
  ],
  [
    'a request in a chunk extension',
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;a="GET /smuggled HTTP/1.1"\r\nx\r\n0\r\n\r\n',
  ],
  [
    'header-like bytes in a body',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 28\r\n\r\nTransfer-Encoding: chunked\r\n',
  ],
  ['an extension method', 'M-SEARCH /x HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['odd bytes in target and values', 'GET /a|b{}"<>\\^`?%zz HTTP/1.1\r\nHost: a\r\nX: \xe4\t"\xff\r\n\r\n'],
  ['empty and repeated fields', 'GET / HTTP/1.1\r\nX:\r\nHost: a\r\nx: 1\r\nX: \t\r\n\r\n'],
  [
    'names that look like framing',
    'GET / HTTP/1.1\r\nHost: a\r\nX-Content-Length: 5\r\nContent-Length2: 5\r\nTransfer_Encoding: chunked\r\nTransfer-Encodin: chunked\r\n\r\n',
  ],
  ['an empty line before the request', '\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
  [
    'absolute form with the default port in one place',
    'GET http://A:80/x HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET /x HTTP/1.1\r\nHost: a\r\n\r\n',
  ],
  [
    'absolute form with an IPv6 address and a query alone',
    'GET http://[::1]:81?q HTTP/1.1\r\nHost: [::1]:81\r\n\r\n',
    'GET /?q HTTP/1.1\r\nHost: [::1]:81\r\n\r\n',
  ],
  [
    'OPTIONS for a server by URL',
    'OPTIONS http://a HTTP/1.1\r\nHost: a\r\n\r\n',
    'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n',
  ],
  [
    'HTTP/1.0 without Host',
    'GET http://a/x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n',
    'GET /x HTTP/1.1\r\nHost: a\r\n\r\n',
  ],
  [
    'fields that Connection names',
    'GET / HTTP/1.1\r\nX-A: 1\r\nHost: a\r\nConnection: X-A, te\r\nTE: trailers\r\nX-B: 2\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: a\r\nX-B: 2\r\n\r\n',
  ],
];

describe('unusual requests that are valid', () => {
  let upstream: RawUpstream;
  let proxy: ProxyHarness;
  let awaited = '';

  before(async () => {
    upstream = await startRawUpstream((peer) => {
      peer.socket.on('data', () => {
        if (peer.text.length >= awaited.length) peer.write(ANSWER);
      });
    });
    proxy = await startProxy({
      upstreamPort: upstream.port,
      options: { forwarding: { xForwardedFor: 'off', forwarded: false, via: false } },
    });
  });

  after(async () => {
    proxy.close();
    await upstream.close();
  });

  for (const [name, sent, forwarded = sent] of UNUSUAL) {
    for (const pieceSize of [sent.length, 1]) {
      it(`${name} reaches the upstream as one request, ${pieceSize === 1 ? 'byte by byte' : 'in one piece'}`, async () => {
        const before = upstream.connections.length;
        awaited = forwarded;
        const client = await RawClient.connect(proxy.port);
        await client.writePieces(sent, pieceSize);
        const text = await client.readUntil('\r\n\r\nok');
        expect(text).to.match(/^HTTP\/1\.1 200 OK\r\n/);
        client.destroy();
        await client.awaitClose();
        expect(upstream.connections.slice(before).map((peer) => peer.text)).to.deep.equal([forwarded]);
        for (const pool of proxy.proxy.pools) pool.closeIdle();
      });
    }
  }

  it('two in one packet reach the upstream one after the other and are answered in order', async () => {
    const first = 'POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc';
    const second = `GET /2 HTTP/1.1\r\nHost: a\r\n${CLOSE}\r\n`;
    awaited = first;
    const client = await RawClient.connect(proxy.port);
    client.write(first + second);
    await client.awaitEnd();
    client.destroy();
    expect(client.text.match(/HTTP\/1\.1 200 OK/g)).to.have.length(2);
    expect(upstream.connections.at(-1)?.text).to.equal(first + second.replace(CLOSE, ''));
  });
});
