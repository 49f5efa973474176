import { expect } from 'chai';
import { NOTE, noted, ObservedRig } from '../../testing/observed-rig.js';

const GET = 'GET /a HTTP/1.1\r\nhOsT: Odd:80\r\nX-odd:  a \r\nConnection: keep-alive\r\n\r\n';
const HEAD = GET.replace('GET', 'HEAD');
const OLD = 'GET /old HTTP/1.0\r\n\r\n';
const NEXT = 'GET /next HTTP/1.1\r\nHost: h\r\n\r\n';
const NEXT_ANSWER = 'HTTP/1.1 202 Next\r\ncontent-length: 1\r\n\r\nn';

/** What a server may say to a request, and whether the connection may go on. */
const ANSWERS: readonly (readonly [kind: string, request: string, answer: string, status: number, goesOn: boolean])[] =
  [
    [
      'a Content-Length',
      GET,
      'HTTP/1.1 200 OK\r\nX-b: 1\r\nx-A:  2 \r\nContent-Length: 3\r\nKeep-Alive: timeout=5\r\n\r\nabc',
      200,
      true,
    ],
    [
      'chunks with extensions and trailers',
      GET,
      'HTTP/1.1 200 \r\nTransfer-Encoding: Chunked\r\n\r\n3;x=y\r\nabc\r\n1\r\nd\r\n0\r\nX-Sum: 1\r\n\r\n',
      200,
      true,
    ],
    ['no body and no length, to HEAD', HEAD, 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', 200, true],
    ['a length and no body, to HEAD', HEAD, 'HTTP/1.1 200 OK\r\nContent-Length: 700\r\n\r\n', 200, true],
    ['204', GET, 'HTTP/1.1 204 No Content\r\nVary: x\r\n\r\n', 204, true],
    ['304 with a length', GET, 'HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n', 304, true],
    [
      'interim answers',
      GET,
      'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 102 P\r\n\r\nHTTP/1.1 500 E\r\nContent-Length: 0\r\n\r\n',
      500,
      true,
    ],
    ['the end of the connection', GET, 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end', 200, false],
    ['HTTP/1.0', OLD, 'HTTP/1.0 200 OK\r\nServer: old\r\n\r\nuntil the end', 200, false],
    [
      'HTTP/1.0 that is kept alive',
      OLD,
      'HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nok',
      200,
      true,
    ],
  ];

describe('a connection whose requests are observed', () => {
  const rig = ObservedRig.use();

  for (const [kind, request, answer, status, goesOn] of ANSWERS) {
    for (const size of [Infinity, 1]) {
      it(`passes an answer with ${kind} as it came${size === 1 ? ', byte by byte' : ''}`, async () => {
        const { client, peer, awaitRequests } = await rig.scene();
        await client.writePieces(request, Math.min(size, request.length));
        expect(await peer.readUntil('\r\n\r\n')).to.equal(noted(request));
        await peer.writePieces(answer, Math.min(size, answer.length));
        if (!goesOn) {
          peer.end();
          expect((await client.awaitEnd()).toString('latin1')).to.equal(answer);
        } else {
          await client.awaitLength(answer.length);
          client.write(NEXT);
          expect(await peer.readUntil('/next\r\n\r\n')).to.equal(noted(request) + noted(NEXT));
          peer.write(NEXT_ANSWER);
          expect(await client.readUntil(NEXT_ANSWER)).to.equal(answer + NEXT_ANSWER);
        }
        const outcomes = await awaitRequests(goesOn ? 2 : 1);
        expect(outcomes.map((one) => one.status)).to.deep.equal(goesOn ? [status, 202] : [status]);
        expect(outcomes.some(({ code, aborted }) => aborted || code !== undefined)).to.equal(false);
      });
    }
  }

  it('passes requests as they came but for what is added, with bodies of both framings', async () => {
    const { client, peer, proxy, awaitRequests } = await rig.scene();
    const first = 'POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n';
    const second = 'POST http://h/2 HTTP/1.1\r\nHost: h\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\n\r\n';
    const chunks = '2;a\r\nab\r\n0\r\nT: 1\r\n\r\n';
    const sent = `${first}hello${second}${chunks}\r\n${NEXT}`;
    await client.writePieces(sent, 3);
    const arrived = `${noted(first)}hello${noted(second).replace('http://h/2\r\n\r\n', '/2\r\n\r\n')}${chunks}\r\n${noted(NEXT)}`;
    expect(await peer.readUntil(`${NOTE}: /next\r\n\r\n`)).to.equal(arrived);
    peer.write(NEXT_ANSWER.repeat(3));
    await awaitRequests(3);
    expect(
      [...proxy.ends.keys()].slice(1).map(({ requestBytes, responseBytes }) => [requestBytes, responseBytes]),
    ).to.deep.equal([
      [5, 1],
      [chunks.length, 1],
      [0, 1],
    ]);
  });

  it('replaces a field that the observer sets, however it was written', async () => {
    const { client, peer } = await rig.scene();
    client.write('GET /a HTTP/1.1\r\nX-NOTE: theirs\r\nHost: h\r\nx-note:again\r\nLast: 1\r\n\r\n');
    expect(await peer.readUntil('\r\n\r\n')).to.equal(`GET /a HTTP/1.1\r\nHost: h\r\nLast: 1\r\n${NOTE}: /a\r\n\r\n`);
  });

  it('keeps one upstream connection for each client connection', async () => {
    const { client, peer, proxy, upstream } = await rig.scene();
    const second = await rig.proxies.connect(proxy);
    const other = await upstream.awaitConnection(2);
    for (const [from, to] of [
      [client, peer],
      [second, other],
      [client, peer],
    ] as const) {
      const before = to.length;
      from.write(NEXT);
      await to.awaitLength(before + noted(NEXT).length);
      to.write(NEXT_ANSWER);
      await from.readUntil(NEXT_ANSWER);
    }
    expect(upstream.connections).to.have.length(2);
    expect(peer.text).to.equal(noted(NEXT).repeat(2));
    expect([...proxy.proxy.pools]).to.have.length(0);
  });

  it('lets a client wait for 100 before it sends its body', async () => {
    const { client, peer, awaitRequests } = await rig.scene();
    client.write('PUT /a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n');
    await peer.readUntil('\r\n\r\n');
    peer.write('HTTP/1.1 100 Continue\r\n\r\n');
    await client.readUntil('100 Continue\r\n\r\n');
    client.write('body');
    await peer.readUntil('body');
    peer.write('HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n');
    await client.readUntil('Length: 0\r\n\r\n');
    expect((await awaitRequests(1))[0]).to.include({ status: 201, method: 'PUT' });
  });

  it('passes each event of a stream at once', async () => {
    const { client, peer } = await rig.scene();
    client.write(GET);
    await peer.readUntil('\r\n\r\n');
    peer.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n');
    for (const event of ['data: 1\n\n', 'data: 2\n\n', 'data: 3\n\n']) {
      peer.write(`${event.length.toString(16)}\r\n${event}\r\n`);
      await client.readUntil(event);
    }
    expect(rig.proxies.time.now()).to.equal(0);
  });

  it('passes half of a connection on: a client that ends its side still gets its answer', async () => {
    const { client, peer, awaitRequests } = await rig.scene();
    client.end(GET);
    expect((await peer.awaitEnd()).toString('latin1')).to.equal(noted(GET));
    peer.end('HTTP/1.1 200 OK\r\n\r\nlate');
    expect((await client.awaitEnd()).toString('latin1')).to.equal('HTTP/1.1 200 OK\r\n\r\nlate');
    expect((await awaitRequests(1))[0]).to.include({ status: 200, aborted: false, code: undefined });
  });

  it('passes a large body both ways with back-pressure, and counts it', async () => {
    const { client, peer, proxy, awaitRequests } = await rig.scene();
    const body = Buffer.alloc(3_000_000, 'x');
    client.write(`POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: ${body.length}\r\n\r\n`);
    client.write(body);
    await peer.readUntil('\r\n\r\n');
    const head = peer.text.indexOf('\r\n\r\n') + 4;
    await peer.awaitLength(head + body.length);
    const answer = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`;
    peer.write(answer);
    peer.write(body);
    await client.awaitLength(answer.length + body.length);
    await awaitRequests(1);
    const call = [...proxy.ends.keys()][1];
    expect(call).to.include({ requestBytes: body.length, responseBytes: body.length });
  });
});
