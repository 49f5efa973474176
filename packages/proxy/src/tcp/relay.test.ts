import type { Endpoint } from '@mesher/core';
import { expect } from 'chai';
import { answerEach, answerOf, type ProxyHarnessOptions, type RawPeer } from '../testing/proxy-harness.js';
import { settleSockets, until, untilStill, useProxyRig } from '../testing/proxy-rig.js';
import { writeUntilQueued } from '../testing/unread-tail.js';

const MB = 1024 * 1024;
const DESTINATION = { service: 'db' };
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
/** Bytes of which no prefix could become an HTTP request. */
const BINARY = '\x00\x01\x02binary';

describe('TCP relay', () => {
  const rig = useProxyRig();

  function relay(
    onConnection?: (peer: RawPeer) => void,
    settings: Omit<ProxyHarnessOptions, 'upstreamPort'> = {},
  ): ReturnType<ReturnType<typeof rig>['pair']> {
    return rig().pair(onConnection, { destination: DESTINATION, ...settings });
  }

  it('lets a server speak first without waiting for the client', async () => {
    const { proxy } = await relay((peer) => peer.write('220 mail ready\r\n'));
    const client = await rig().connect(proxy);
    await client.readUntil('220 mail ready\r\n');
    client.write('EHLO me\r\n');
    expect(rig().time.now(), 'no time had to pass').to.equal(0);
  });

  it('passes bytes both ways, and the handler sees one TCP call for the destination of the listener', async () => {
    const { upstream, proxy } = await relay();
    const client = await rig().send(proxy, BINARY);
    const peer = await upstream.awaitConnection();
    await peer.readUntil(BINARY);
    peer.write('answer');
    await client.readUntil('answer');
    expect(proxy.proxy.stats).to.include({ upstreamConnects: 1, upstreamOpen: 1, connectionsOpen: 1 });
    const [call] = [...proxy.ends.keys()];
    expect(call).to.include({ protocol: 'tcp', method: '', destination: DESTINATION, remoteAddress: '127.0.0.1' });
    client.end();
    peer.end();
    await Promise.all([client.awaitClose(), peer.awaitClose()]);
    await proxy.awaitOutcomes(1);
    expect(proxy.outcomes[0]).to.include({ status: 0, code: undefined, aborted: false, attempts: 1 });
  });

  it('takes the HTTP path for a client that speaks HTTP, with the destination of the listener', async () => {
    const { upstream, proxy } = await relay((peer) => answerEach(peer, () => answerOf('http')));
    const client = await rig().connect(proxy);
    for (let i = 0; i < 2; i++) {
      client.write(GET);
      await client.readUntil(new RegExp(`(http[^]*){${i + 1}}$`));
    }
    const calls = [...proxy.ends.keys()].map(({ protocol, destination }) => ({ protocol, destination }));
    expect(calls[0], 'the connection had been dialled at once').to.deep.equal({
      protocol: 'tcp',
      destination: DESTINATION,
    });
    expect(proxy.outcomes.map(({ superseded }) => superseded)).to.deep.equal([true, undefined, undefined]);
    expect(calls.slice(1)).to.deep.equal([
      { protocol: 'http', destination: DESTINATION },
      { protocol: 'http', destination: DESTINATION },
    ]);
    await until(() => upstream.connections.some((peer) => peer.ended && peer.length === 0));
    expect(proxy.proxy.stats).to.include({ connectionsOpen: 1, detectedHttp1: 1, detectedTcp: 0 });
  });

  it('takes the HTTP path for a request that comes byte by byte', async () => {
    const { proxy } = await relay((peer) => answerEach(peer, () => answerOf('http')));
    const client = await rig().connect(proxy);
    await client.writePieces(GET, 1);
    await client.readUntil('http');
  });

  it('passes bytes on that begin like a request but are none', async () => {
    for (const [begin, rest] of [
      ['PI', 'NG\r\n'],
      ['QUIT', '\r\n'],
      ['HELLO w', 'orld\r\n'],
    ]) {
      const { upstream, proxy } = await relay();
      const client = await rig().send(proxy, begin);
      const peer = await upstream.awaitConnection();
      await settleSockets();
      expect(peer.length, 'nothing is sent before the protocol is known').to.equal(0);
      client.write(rest);
      await peer.readUntil(begin + rest);
    }
  });

  it('passes the beginning of a word on when the server speaks, the client ends, or detectTimeout passes', async () => {
    for (const settle of [
      (peer: RawPeer) => peer.write('hello'),
      (_peer: RawPeer, client: RawPeer) => client.end(),
      () => rig().pass(10_000),
    ]) {
      const { upstream, proxy } = await relay(undefined, { options: { detectTimeout: 10_000 } });
      const client = await rig().send(proxy, 'GET');
      const peer = await upstream.awaitConnection();
      await settleSockets();
      expect(peer.length).to.equal(0);
      settle(peer, client);
      await peer.readUntil('GET');
    }
  });

  it('is what carries TLS and unknown protocols on a listener without a destination', async () => {
    const { upstream, proxy } = await rig().pair();
    for (const bytes of ['\x16\x03\x01\x00\x05hello', BINARY]) {
      await rig().send(proxy, bytes);
      const peer = await upstream.awaitConnection(proxy.ends.size + 1);
      await peer.readUntil(bytes);
      expect([...proxy.ends.keys()].at(-1)?.protocol).to.equal('tcp');
    }
    expect(proxy.proxy.stats).to.include({ detectedTls: 1, detectedTcp: 1 });
  });

  it('passes what the client sends before the connection is there, and its end', async () => {
    let decide: (to: Endpoint) => void = () => {};
    const { upstream, proxy } = await relay(undefined, {
      handler: { begin: () => new Promise((resolve) => (decide = resolve)) },
    });
    const client = await rig().send(proxy, BINARY);
    await until(() => proxy.proxy.stats.detectedTcp === 1);
    client.write(' and more');
    client.end();
    await settleSockets();
    decide(proxy.endpoint);
    const peer = await upstream.awaitConnection();
    await peer.awaitEnd();
    expect(peer.text).to.equal(`${BINARY} and more`);
    peer.end('answer');
    await client.readUntil('answer');
  });

  it('passes half-close on in both directions', async () => {
    for (const who of ['client', 'upstream']) {
      const { upstream, proxy } = await relay();
      const client = await rig().send(proxy, BINARY);
      const peer = await upstream.awaitConnection();
      await peer.readUntil(BINARY);
      const [first, second] = who === 'client' ? [client, peer] : [peer, client];
      first.end('last word');
      await second.awaitEnd();
      expect(second.text).to.match(/last word$/);
      rig().time.advance(60_000);
      second.write('still ');
      await first.readUntil('still ');
      second.end('talking');
      await first.awaitEnd();
      expect(first.text).to.match(/still talking$/);
    }
  });

  it('passes half-close on when the client ended together with its first bytes', async () => {
    const { upstream, proxy } = await rig().pair();
    const client = await rig().connect(proxy);
    client.end('\x00hello');
    const peer = await upstream.awaitConnection();
    await peer.awaitEnd();
    expect(peer.text).to.equal('\x00hello');
    peer.end('bye');
    await client.awaitEnd();
    expect(client.text).to.equal('bye');
  });

  it('holds back a sender whose receiver does not read, in both directions, and loses nothing', async () => {
    const { upstream, proxy } = await relay();
    const client = await rig().send(proxy, BINARY);
    const peer = await upstream.awaitConnection();
    await peer.readUntil(BINARY);
    for (const [from, to, count] of [
      [client, peer, () => proxy.proxy.stats.bytesToUpstream],
      [peer, client, () => proxy.proxy.stats.bytesToDownstream],
    ] as const) {
      const before = to.length;
      to.socket.pause();
      const piece = Buffer.alloc(MB, 'abcdefgh');
      for (let i = 0; i < 48; i++) from.write(piece);
      expect(await untilStill(count)).to.be.lessThan(24 * MB);
      to.socket.resume();
      await to.awaitLength(before + 48 * MB);
      expect(to.received.subarray(before).equals(Buffer.alloc(48 * MB, 'abcdefgh'))).to.equal(true);
    }
  });

  it('passes a reset on in both directions', async () => {
    for (const [who, lastWord] of [
      ['client', undefined],
      ['upstream', undefined],
      // Node reports a reset right behind data as an end.
      ['client', 'last word'],
      ['upstream', 'last word'],
    ] as const) {
      const { upstream, proxy } = await relay();
      const client = await rig().send(proxy, BINARY);
      const peer = await upstream.awaitConnection();
      await peer.readUntil(BINARY);
      const [first, second] = who === 'client' ? [client, peer] : [peer, client];
      if (lastWord !== undefined) first.write(lastWord);
      first.reset();
      await second.awaitEnd();
      expect(isReset(second), `${who} ${lastWord}`).to.equal(true);
      await proxy.awaitOutcomes(1);
      expect(proxy.outcomes[0]).to.include(
        who === 'client' ? { aborted: true, code: undefined } : { aborted: false, code: 'MESH_ERR_UPSTREAM_RESET' },
      );
    }
  });

  it('delivers what a server said before it reset a connection that the client still wrote to', async () => {
    const { upstream, proxy } = await relay();
    const client = await rig().send(proxy, BINARY);
    const peer = await upstream.awaitConnection();
    await peer.readUntil(BINARY);
    // In one turn of the event loop: the proxy finds more to write before it finds what the server said, and cannot write it.
    client.write('more');
    peer.write('too many connections');
    peer.reset();
    await client.awaitClose();
    expect(client.text).to.equal('too many connections');
  });

  it('delivers everything to a slow reader after both sides have ended', async () => {
    const { upstream, proxy } = await relay();
    const client = await rig().send(proxy, BINARY);
    const peer = await upstream.awaitConnection();
    await peer.readUntil(BINARY);
    client.socket.pause();
    peer.end(Buffer.alloc(20 * MB, 'x'));
    client.end();
    await untilStill(() => proxy.proxy.stats.bytesToDownstream);
    rig().time.advance(60_000);
    client.socket.resume();
    await client.awaitEnd();
    expect(client.length).to.equal(20 * MB);
    expect(client.error).to.equal(undefined);
  });

  it('delivers what waits for a slow server after both sides have ended, but does not wait for ever', async () => {
    for (const patience of [600_000, 3_600_000]) {
      const { upstream, proxy } = await relay();
      const client = await rig().send(proxy, BINARY);
      const peer = await upstream.awaitConnection();
      await peer.readUntil(BINARY);
      peer.socket.pause();
      peer.end();
      const sent = await writeUntilQueued(client, upstream.port);
      client.end();
      await proxy.awaitOutcomes(1);
      rig().pass(patience);
      await settleSockets();
      expect(proxy.proxy.stats.upstreamOpen).to.equal(patience < 3_600_000 ? 1 : 0);
      peer.socket.resume();
      await peer.awaitEnd();
      if (patience < 3_600_000) expect(peer.length).to.equal(BINARY.length + sent);
      else expect(isReset(peer)).to.equal(true);
    }
  });

  it('resets a connection whose bytes nobody takes for tunnelIdleTimeout', async () => {
    const { upstream, proxy } = await relay();
    const client = await rig().send(proxy, BINARY);
    const peer = await upstream.awaitConnection();
    await peer.readUntil(BINARY);
    client.socket.pause();
    await fillUntilStuck(peer, () => proxy.proxy.stats.bytesToDownstream);
    peer.end();
    rig().pass(3_600_000);
    expect(proxy.listener.openConnections).to.equal(0);
    expect(proxy.outcomes[0].code).to.equal('MESH_ERR_TIMEOUT');
    client.socket.resume();
    await client.awaitEnd();
    expect(isReset(client)).to.equal(true);
  });

  it('resets both sides when nothing has passed for tunnelIdleTimeout', async () => {
    const { upstream, proxy } = await relay(undefined, { options: { tunnelIdleTimeout: 100_000 } });
    const client = await rig().send(proxy, BINARY);
    const peer = await upstream.awaitConnection();
    await peer.readUntil(BINARY);
    rig().time.advance(90_000);
    peer.write('x');
    await client.readUntil('x');
    rig().time.advance(90_000);
    expect(proxy.outcomes).to.have.lengthOf(0);
    rig().pass(10_000);
    await Promise.all([client.awaitClose(), peer.awaitClose()]);
    expect(proxy.outcomes[0].code).to.equal('MESH_ERR_TIMEOUT');
  });
});

/** Sends until the proxy takes no more. */
async function fillUntilStuck(peer: RawPeer, taken: () => number): Promise<void> {
  const piece = Buffer.alloc(MB);
  while (peer.socket.writableLength === 0) {
    peer.write(piece);
    await untilStill(taken);
  }
}

/** Whether the connection is reset, which Node may have reported as an end. */
function isReset({ socket }: RawPeer): boolean {
  // Once our own side has ended, a write fails for that reason alone; then it is enough that the connection is gone.
  if (socket.writable) socket.write('');
  return socket.errored !== null || socket.destroyed;
}
