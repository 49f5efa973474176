import { METHODS, createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import fc from 'fast-check';
import { pairsOf, type FramedMessage } from '../testing/framing/framed-message.js';
import { fastCheckParameters, fuzzSettings } from '../testing/framing/fuzz-settings.js';
import { REQUESTS } from '../testing/framing/messages.js';
import { mutated } from '../testing/framing/mutations.js';
import { OurRequests } from '../testing/framing/our-requests.js';
import { rawRequest, startProxy, type ProxyHarness } from '../testing/proxy-harness.js';

const HOP_FIELDS: ReadonlySet<string> = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'proxy-authorization', 'te', 'upgrade', 'http2-settings'],
]);

/** What Node must see at the far end of one message that we read at this end. */
function expectedUpstream(message: FramedMessage): Omit<FramedMessage, 'complete'> {
  const named = message.fields
    .filter(([name]) => name === 'connection')
    .flatMap(([, value]) =>
      value
        .toLowerCase()
        .split(',')
        .map((option) => option.trim()),
    );
  const fields = message.fields.filter(([name]) => !HOP_FIELDS.has(name) && !named.includes(name));
  const [method, target] = message.start.split(' ');
  const url = /^http:\/\/([^/?]+)(.*)$/i.exec(target);
  let path = target;
  if (url !== null) path = url[2] === '' ? (method === 'OPTIONS' ? '*' : '/') : url[2].replace(/^\?/, '/?');
  // HTTP/1.0 may leave Host out.
  if (!fields.some(([name]) => name === 'host')) fields.unshift(['host', url === null ? '' : url[1]]);
  const { body, trailers } = message;
  return { start: `${method} ${path}`, minorVersion: 1, fields, body, trailers };
}

/** A run takes a few milliseconds; one that takes this long hangs, which is a failure and not the end of the time. */
const RUN_TIMEOUT_MS = 5_000;

const settings = fuzzSettings(500);

describe(`requests forwarded to a server of Node (${settings.title})`, function () {
  this.timeout(settings.timeLimit === undefined ? 0 : 60_000);

  const ours = new OurRequests();
  let server: Server;
  let proxy: ProxyHarness;
  let seen: Omit<FramedMessage, 'complete'>[] = [];

  function onRequest(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on('error', () => undefined);
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (request.complete) {
        seen.push({
          start: `${request.method} ${request.url}`,
          minorVersion: request.httpVersionMinor,
          fields: pairsOf(request.rawHeaders),
          body: Buffer.concat(chunks).toString('latin1'),
          trailers: pairsOf(request.rawTrailers),
        });
      }
      response.end('ok');
    });
  }

  before(async () => {
    server = createServer(onRequest);
    server.on('checkExpectation', onRequest);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    proxy = await startProxy({
      upstreamPort: (server.address() as AddressInfo).port,
      options: { forwarding: { xForwardedFor: 'off', forwarded: false, via: false } },
    });
  });

  after(async () => {
    proxy.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('are those that were read, and no others', async () => {
    let forwarded = 0;
    await fc.assert(
      fc.asyncProperty(mutated(REQUESTS, 2), async (text) => {
        const bytes = Buffer.from(text, 'latin1');
        const { messages } = ours.read(bytes);
        const isPlain = messages.every(
          ({ start, fields }) =>
            METHODS.includes(start.split(' ')[0]) &&
            !start.startsWith('CONNECT ') &&
            !fields.some(([name]) => name === 'upgrade'),
        );
        // What is not detected as HTTP reaches Node as it is: it must not find requests in there that we have not seen.
        // Node answers unknown methods itself, and what follows CONNECT or Upgrade is no message.
        if (!isPlain) return;
        seen = [];
        await rawRequest(proxy.port, bytes, { endAfter: true });
        const expected = messages.filter(({ complete }) => complete).map(expectedUpstream);
        expect(seen).to.deep.equal(expected);
        forwarded += seen.length;
      }),
      { ...fastCheckParameters(settings), timeout: RUN_TIMEOUT_MS },
    );
    expect(forwarded).to.be.greaterThan(0);
  });
});
