import { expect } from 'chai';
import { answerEach, answerOf } from '../testing/proxy-harness.js';
import { settleSockets, until, useProxyRig } from '../testing/proxy-rig.js';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

describe('a client that ends its side', () => {
  const rig = useProxyRig();

  it('still gets the answer that comes at once', async () => {
    const { proxy } = await rig().pair((peer) => answerEach(peer, () => answerOf('answer')));
    const client = await rig().send(proxy, GET);
    client.end();
    await client.awaitEnd();
    expect(client.text).to.match(/answer$/);
    expect(proxy.outcomes[0]).to.include({ status: 200, aborted: false });
  });

  it('still gets the answer that comes within halfCloseGrace, and all of its body however long that takes', async () => {
    const { upstream, proxy } = await rig().pair(undefined, { options: { halfCloseGrace: 750 } });
    const client = await rig().send(proxy, GET);
    client.end();
    const peer = await upstream.awaitConnection();
    await peer.readUntil('\r\n\r\n');
    await settleSockets();
    rig().time.advance(700);
    peer.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello');
    await client.readUntil('hello');
    rig().time.advance(60_000);
    peer.write('world');
    await client.awaitEnd();
    expect(client.text).to.match(/helloworld$/);
    expect(proxy.outcomes[0]).to.include({ status: 200, aborted: false });
  });

  it('is held for gone when nothing was written to it for halfCloseGrace', async () => {
    const { upstream, proxy } = await rig().pair(undefined, { options: { halfCloseGrace: 750 } });
    const client = await rig().send(proxy, GET);
    client.end();
    const peer = await upstream.awaitConnection();
    await peer.readUntil('\r\n\r\n');
    await settleSockets();
    rig().pass(750);
    await peer.awaitEnd();
    expect(proxy.outcomes[0]).to.include({ status: 0, aborted: true });
  });

  it('is waited for as long as the answer takes when halfCloseGrace is long', async () => {
    const { upstream, proxy } = await rig().pair(undefined, { options: { halfCloseGrace: 60_000 } });
    const client = await rig().send(proxy, GET);
    client.end();
    const peer = await upstream.awaitConnection();
    await peer.readUntil('\r\n\r\n');
    await settleSockets();
    rig().time.advance(50_000);
    peer.write(answerOf('late'));
    await client.awaitEnd();
    expect(client.text).to.match(/late$/);
  });

  it('is closed after the answers to what it sent ahead when the last request is cut off in its body', async () => {
    const { upstream, proxy } = await rig().pair((peer) =>
      answerEach(peer, (head) => (head.startsWith('GET') ? answerOf('answer') : undefined)),
    );
    const client = await rig().connect(proxy);
    client.end(`${GET}POST /cut HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n01234`);
    await client.awaitEnd();
    expect(client.text).to.match(/^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nanswer$/);
    await proxy.awaitOutcomes(2);
    expect(proxy.outcomes[1]).to.include({ status: 0, aborted: true, path: '/cut' });
    expect(upstream.connections[0].text).not.to.contain('0123456');
  });

  it('gets all of a large answer although it reads slowly', async () => {
    const size = 20_000_000;
    const { upstream, proxy } = await rig().pair();
    const client = await rig().connect(proxy);
    client.socket.pause();
    client.write(GET);
    client.end();
    const peer = await upstream.awaitConnection();
    await peer.readUntil('\r\n\r\n');
    peer.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
    peer.write(Buffer.alloc(size, 'abcdefgh'));
    await until(() => proxy.proxy.stats.bytesToDownstream > 0);
    await settleSockets();
    client.socket.resume();
    await client.awaitEnd();
    expect(client.length).to.equal(size + client.text.indexOf('\r\n\r\n') + 4);
    await proxy.awaitOutcomes(1);
    expect(proxy.outcomes[0]).to.include({ status: 200, aborted: false });
  });

  it('gets the rest of an answer that was complete here when it ended its side', async () => {
    // Everything has left the upstream and the exchange is over, but the end of the answer waits for the client to read.
    const { upstream, proxy } = await rig().pair();
    const client = await rig().connect(proxy);
    client.socket.pause();
    client.write(GET);
    const peer = await upstream.awaitConnection();
    await peer.readUntil('\r\n\r\n');
    const size = await fillUntilStuck(peer, proxy.proxy.stats);
    peer.write('\r\n0\r\n\r\n');
    client.end();
    await settleSockets();
    client.socket.resume();
    await client.awaitEnd();
    expect(client.text.slice(-5)).to.equal('0\r\n\r\n');
    expect(client.length).to.be.greaterThan(size);
  });
});

/** Sends one endless chunk until the proxy takes no more, then lets it take the rest; gives the size of what was sent. */
async function fillUntilStuck(
  peer: { write(data: string | Buffer): boolean; readonly socket: { readonly writableLength: number } },
  stats: { readonly bytesToDownstream: number },
): Promise<number> {
  const piece = Buffer.alloc(60_000, 'x');
  peer.write(
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nEA600000\r\n'.replace(
      'EA600000',
      (60_000 * 100).toString(16),
    ),
  );
  for (let i = 0; i < 100; i++) peer.write(piece);
  await until(() => stats.bytesToDownstream > 100_000);
  await settleSockets();
  return piece.length * 100;
}
