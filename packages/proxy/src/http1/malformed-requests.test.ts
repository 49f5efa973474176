import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Rejection, type CallHandler } from '@mesher/core';
import { expect } from 'chai';
import type { ProxyOptions } from '../options.js';
import { MALFORMED_REQUESTS, type MalformedRequest } from '../testing/malformed/index.js';
import {
  RawClient,
  startProxy,
  startRawUpstream,
  type ProxyHarness,
  type RawUpstream,
} from '../testing/proxy-harness.js';

const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
/** Small cases go byte by byte; the few large ones in about this many pieces. */
const MOST_PIECES = 400;

/** What came back for one case, and what got through. */
interface Seen {
  readonly statuses: number[];
  readonly text: string;
  /** Why the connection broke instead of being closed; undefined when it was closed. */
  readonly reset: string | undefined;
  /** Calls that a handler was asked about. */
  readonly begun: number;
}

/** Sends HTTP to one upstream, and nothing else anywhere, as a sidecar does that knows no destination for raw bytes. */
function onlyHttp(port: () => ProxyHarness, begun: { count: number }): Partial<CallHandler> {
  return {
    begin(call) {
      if (call.protocol !== 'http') return new Rejection('MESH_ERR_NO_ROUTE');
      begun.count++;
      return port().endpoint;
    },
    again: (_call, failure) => new Rejection(failure.code),
  };
}

async function send(proxy: ProxyHarness, begun: { count: number }, bytes: string, pieceSize: number): Promise<Seen> {
  begun.count = 0;
  const client = await RawClient.connect(proxy.port);
  if (pieceSize >= bytes.length) client.write(bytes);
  else await client.writePieces(bytes, pieceSize);
  await client.awaitEnd();
  client.end();
  await client.awaitClose();
  return {
    statuses: [...client.text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1])),
    text: client.text,
    reset: client.error?.code,
    begun: begun.count,
  };
}

function pieceSizeOf(bytes: string): number {
  return Math.ceil(bytes.length / MOST_PIECES);
}

function expectRefusal(seen: Seen, malformed: MalformedRequest): void {
  const { validBefore = 0 } = malformed;
  expect(seen.statuses.slice(0, validBefore)).to.deep.equal(Array<number>(validBefore).fill(200));
  const [answer, ...more] = seen.statuses.slice(validBefore);
  expect(more, 'further answers').to.deep.equal([]);
  if (malformed.statuses.length === 0) {
    expect(seen.text, 'answer').to.equal('');
    return;
  }
  // A reset could overtake the answer: the rest of what the client sends is read before the connection is closed.
  expect(seen.reset, 'reset').to.equal(undefined);
  expect(malformed.statuses, seen.text).to.include(answer);
  expect(lastHead(seen.text)).to.match(/\r\nconnection: close\r\n/i);
}

describe('malformed requests', () => {
  let upstream: RawUpstream;
  let shared: ProxyHarness;
  const begun = { count: 0 };

  async function start(options: Partial<ProxyOptions>, upstreamPort: number): Promise<ProxyHarness> {
    const harness: ProxyHarness = await startProxy({ upstreamPort, options, handler: onlyHttp(() => harness, begun) });
    return harness;
  }

  before(async () => {
    upstream = await startRawUpstream((peer) => {
      peer.socket.on('data', () => {
        if (endsWithRequest(peer.text)) peer.write(ANSWER);
      });
    });
    shared = await start({}, upstream.port);
  });

  after(async () => {
    shared.close();
    await upstream.close();
  });

  it('are at least ninety, each with a name of its own', () => {
    expect(MALFORMED_REQUESTS.length).to.be.greaterThan(90);
    expect(new Set(MALFORMED_REQUESTS.map(({ name }) => name)).size).to.equal(MALFORMED_REQUESTS.length);
  });

  /** Runs one case through a proxy of its own or the shared one; upstream must get just the valid requests in front. */
  async function refuse(malformed: MalformedRequest, pieceSize: number): Promise<void> {
    const proxy = malformed.options === undefined ? shared : await start(malformed.options, upstream.port);
    const connectsBefore = proxy.proxy.stats.upstreamConnects;
    const requestsBefore = requestLines(upstream);
    try {
      const seen = await send(proxy, begun, malformed.bytes, pieceSize);
      const { validBefore = 0 } = malformed;
      expectRefusal(seen, malformed);
      expect(seen.begun, 'calls').to.equal(validBefore);
      if (validBefore === 0) expect(proxy.proxy.stats.upstreamConnects - connectsBefore, 'connections').to.equal(0);
      const forwarded = requestLines(upstream).slice(requestsBefore.length);
      expect(forwarded, 'forwarded').to.have.length(validBefore);
      for (const line of forwarded) expect(line).to.match(/^(?:GET|POST) \/first HTTP\/1\.1$/);
    } finally {
      if (proxy !== shared) proxy.close();
      // What the next case sends must not come over a connection of this one.
      for (const pool of shared.proxy.pools) pool.closeIdle();
    }
  }

  describe('in one piece are refused and closed, and not a byte of them is forwarded', () => {
    for (const malformed of MALFORMED_REQUESTS) {
      it(malformed.name, () => refuse(malformed, malformed.bytes.length));
    }
  });

  describe('byte by byte meet the same verdict', () => {
    for (const malformed of MALFORMED_REQUESTS.filter(({ inBody }) => inBody === undefined)) {
      it(malformed.name, () => refuse(malformed, pieceSizeOf(malformed.bytes)));
    }
  });

  describe('with the fault behind a head that is under way', () => {
    let server: Server;
    let proxy: ProxyHarness;
    const completed: string[] = [];

    before(async () => {
      server = createServer((request, response) => {
        request.on('error', () => undefined);
        request.on('end', () => {
          if (request.complete) completed.push(`${request.method} ${request.url}`);
          response.end('ok');
        });
        request.resume();
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      proxy = await start({}, (server.address() as AddressInfo).port);
    });

    after(async () => {
      proxy.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });

    for (const malformed of MALFORMED_REQUESTS.filter(({ inBody }) => inBody === true)) {
      it(`the upstream never gets a complete request: ${malformed.name}`, async () => {
        const seen = await send(proxy, begun, malformed.bytes, pieceSizeOf(malformed.bytes));
        expectRefusal(seen, malformed);
        expect(seen.begun, 'calls').to.equal(1);
        expect(completed).to.deep.equal([]);
        expect(proxy.proxy.stats.upstreamIdle, 'connections kept').to.equal(0);
      });
    }
  });
});

/** The first line of every request that the upstream got; a body of the valid ones is no line with a version. */
function requestLines(upstream: RawUpstream): string[] {
  return upstream.connections.flatMap((peer) => peer.text.split('\r\n').filter((line) => line.includes(' HTTP/')));
}

/** True when the last byte ends a request; of those the valid ones here have a body of five bytes, chunks, or none. */
function endsWithRequest(text: string): boolean {
  const last = text.slice(text.lastIndexOf(' HTTP/1.1\r\n'));
  const [head, body] = last.split(/\r\n\r\n([^]*)/);
  if (body === undefined) return false;
  if (/transfer-encoding/i.test(head)) return body.endsWith('0\r\n\r\n');
  return body.length === (/content-length/i.test(head) ? 5 : 0);
}

function lastHead(text: string): string {
  const start = [...text.matchAll(/HTTP\/1\.1 \d{3} /g)].at(-1)?.index ?? 0;
  return text.slice(start, text.indexOf('\r\n\r\n', start) + 2);
}
