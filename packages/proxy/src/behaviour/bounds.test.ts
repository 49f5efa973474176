import { expect } from 'chai';
import { answerEach, answerOf, type RawClient } from '../testing/proxy-harness.js';
import { settleSockets, until, useProxyRig } from '../testing/proxy-rig.js';

function get(path: string, fields = ''): string {
  return `GET ${path} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;
}

describe('bounds', () => {
  const rig = useProxyRig();

  it('maxConnectionsPerEndpoint lets calls wait in line, first come first served', async () => {
    const { upstream, proxy } = await rig().pair(undefined, { options: { maxConnectionsPerEndpoint: 2 } });
    const clients: RawClient[] = [];
    for (let i = 0; i < 5; i++) {
      clients.push(await rig().send(proxy, get(`/${i}`)));
      await until(() => proxy.ends.size === i + 1);
    }
    await upstream.awaitConnection(2);
    await settleSockets();
    expect(upstream.connections).to.have.lengthOf(2);
    expect([...proxy.proxy.pools].map(({ open, idle, waiting }) => [open, idle, waiting])).to.deep.equal([[2, 0, 3]]);
    const [one, two] = upstream.connections;
    for (const [peer, own, next] of [
      [two, '/1', '/2'],
      [one, '/0', '/3'],
      [one, '/3', '/4'],
    ] as const) {
      await peer.readUntil(`GET ${own} `);
      peer.write(answerOf(`[${own}]`));
      await peer.readUntil(`GET ${next} `);
    }
    one.write(answerOf('[/4]'));
    two.write(answerOf('[/2]'));
    for (let i = 0; i < 5; i++) await clients[i].readUntil(`[/${i}]`);
    expect(upstream.connections).to.have.lengthOf(2);
  });

  it('maxConnectionsPerEndpoint gives the place of a connection that closed to the next in line', async () => {
    const { upstream, proxy } = await rig().pair(
      (peer) => answerEach(peer, () => answerOf('bye', 'HTTP/1.1 200 OK\r\nConnection: close\r\n')),
      { options: { maxConnectionsPerEndpoint: 1 } },
    );
    const clients = [
      await rig().send(proxy, get('/0')),
      await rig().send(proxy, get('/1')),
      await rig().send(proxy, get('/2')),
    ];
    await Promise.all(clients.map((client) => client.readUntil('bye')));
    expect(upstream.connections).to.have.lengthOf(3);
  });

  it('maxConnectionsPerEndpoint does not let calls wait for ever behind an endpoint that cannot be reached', async () => {
    const gone = await rig().upstream();
    await gone.close();
    const proxy = await rig().proxy({ upstreamPort: gone.port, options: { maxConnectionsPerEndpoint: 1 } });
    const clients = [
      await rig().send(proxy, get('/0')),
      await rig().send(proxy, get('/1')),
      await rig().send(proxy, get('/2')),
    ];
    for (const client of clients) await client.readUntil('"code":"MESH_ERR_CONNECT"');
  });

  it('maxPendingPerEndpoint answers 503 with retry-after to calls that find the line full', async () => {
    const { upstream, proxy } = await rig().pair(undefined, {
      options: { maxConnectionsPerEndpoint: 1, maxPendingPerEndpoint: 1 },
    });
    const busy = await rig().send(proxy, get('/busy'));
    const peer = await upstream.awaitConnection();
    await peer.readUntil('\r\n\r\n');
    const waiting = await rig().send(proxy, get('/waiting'));
    await until(() => proxy.proxy.stats.poolWaits === 1);
    const refused = await rig().send(proxy, get('/refused'));
    await refused.readUntil('"code":"MESH_ERR_OVERLOADED"');
    expect(refused.text).to.match(/^HTTP\/1\.1 503 [^]*\r\nretry-after: 1\r\n/);
    expect(proxy.proxy.stats).to.include({ poolWaits: 1, poolOverflows: 1 });
    peer.write(answerOf('one'));
    await busy.readUntil('one');
    await peer.readUntil('/waiting');
    peer.write(answerOf('two'));
    await waiting.readUntil('two');
  });

  it('maxDownstreamConnections closes what comes beyond it at once', async () => {
    const { proxy } = await rig().pair((peer) => answerEach(peer, () => answerOf('ok')), {
      options: { maxDownstreamConnections: 2 },
    });
    const [first] = [await rig().connect(proxy), await rig().connect(proxy)];
    await until(() => proxy.proxy.stats.connectionsOpen === 2);
    const third = await rig().connect(proxy);
    await third.awaitEnd();
    expect(proxy.proxy.stats).to.include({ connectionsAccepted: 3, connectionsRefused: 1, connectionsOpen: 2 });
    first.destroy();
    await until(() => proxy.proxy.stats.connectionsOpen === 1);
    const fourth = await rig().send(proxy, get('/'));
    await fourth.readUntil('ok');
  });

  it('maxHeadBytes answers 431 to a head that is too large, complete or not', async () => {
    const { upstream, proxy } = await rig().pair(undefined, { options: { maxHeadBytes: 4096 } });
    for (const head of [
      get('/', `X-Filler: ${'x'.repeat(5000)}\r\n`),
      `GET / HTTP/1.1\r\nHost: a\r\nX-Filler: ${'x'.repeat(5000)}`,
    ]) {
      const client = await rig().send(proxy, head);
      await client.awaitEnd();
      expect(client.text).to.match(/^HTTP\/1\.1 431 [^]*connection: close\r\n[^]*MESH_ERR_HEADER_TOO_LARGE/);
    }
    expect(upstream.connections).to.have.lengthOf(0);
  });

  it('maxHeadBytes answers 414 when the first line alone is too large, complete or not', async () => {
    const { upstream, proxy } = await rig().pair(undefined, { options: { maxHeadBytes: 4096 } });
    for (const head of [get(`/${'x'.repeat(5000)}`), `GET /${'x'.repeat(5000)}`]) {
      const client = await rig().send(proxy, head);
      await client.awaitEnd();
      expect(client.text).to.match(/^HTTP\/1\.1 414 [^]*MESH_ERR_URI_TOO_LONG/);
    }
    expect(upstream.connections).to.have.lengthOf(0);
  });

  it('maxHeadBytes lets a head of exactly that size pass, in one piece and in many', async () => {
    const { proxy } = await rig().pair((peer) => answerEach(peer, () => answerOf('ok')), {
      options: { maxHeadBytes: 4096 },
    });
    const head = get('/', `X-Filler: ${'x'.repeat(4096 - get('/', 'X-Filler: \r\n').length)}\r\n`);
    expect(head).to.have.lengthOf(4096);
    for (const size of [4096, 100]) {
      const client = await rig().connect(proxy);
      await client.writePieces(head, size);
      await client.readUntil('ok');
    }
  });

  it('maxHeaderFields answers 431 to a head with more fields', async () => {
    const { proxy } = await rig().pair((peer) => answerEach(peer, () => answerOf('ok')), {
      options: { maxHeaderFields: 20 },
    });
    const fine = await rig().send(proxy, get('/', 'X: y\r\n'.repeat(19)));
    await fine.readUntil('ok');
    const refused = await rig().send(proxy, get('/', 'X: y\r\n'.repeat(20)));
    await refused.awaitEnd();
    expect(refused.text).to.match(/^HTTP\/1\.1 431 [^]*more than 20 header fields/);
  });

  it('maxHeadBytes bounds the head of an answer, too: 502', async () => {
    const { proxy } = await rig().pair(
      (peer) =>
        answerEach(peer, () => `HTTP/1.1 200 OK\r\nX-Filler: ${'x'.repeat(100_000)}\r\nContent-Length: 0\r\n\r\n`),
      { options: { maxHeadBytes: 65_536 } },
    );
    const client = await rig().send(proxy, get('/'));
    await client.readUntil('"code":"MESH_ERR_BAD_UPSTREAM"');
    expect(client.text).to.match(/^HTTP\/1\.1 502 /);
  });

  it('maxTrailerBytes refuses a request with larger trailers', async () => {
    const { proxy } = await rig().pair(undefined, { options: { maxTrailerBytes: 1000 } });
    const client = await rig().send(
      proxy,
      `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ${'y'.repeat(1000)}\r\n\r\n`,
    );
    await client.awaitEnd();
    expect(client.text).to.match(/^HTTP\/1\.1 400 [^]*trailers that are too long/);
  });
});
