import { request } from 'node:http';
import { expect } from 'chai';
import { answerEach, answerOf, type ProxyHarness, type RawClient, type RawPeer } from '../testing/proxy-harness.js';
import { settleSockets, until, untilStill, useProxyRig, type ProxyRig } from '../testing/proxy-rig.js';
import { queuedTowards, writeUntilQueued } from '../testing/unread-tail.js';

const UPGRADE =
  'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n';
const SWITCHED =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n';
const CONNECT = 'CONNECT svc:443 HTTP/1.1\r\nHost: svc:443\r\n\r\n';
const MB = 1024 * 1024;

interface OpenTunnel {
  readonly proxy: ProxyHarness;
  readonly client: RawClient;
  readonly peer: RawPeer;
}

async function openUpgraded(rig: ProxyRig): Promise<OpenTunnel> {
  const { upstream, proxy } = await rig.pair();
  const client = await rig.send(proxy, UPGRADE);
  const peer = await upstream.awaitConnection();
  await peer.readUntil('\r\n\r\n');
  peer.write(SWITCHED);
  await client.readUntil('\r\n\r\n');
  return { proxy, client, peer };
}

async function openConnect(rig: ProxyRig): Promise<OpenTunnel> {
  const { upstream, proxy } = await rig.pair();
  const client = await rig.send(proxy, CONNECT);
  await client.readUntil('HTTP/1.1 200 Connection established\r\n\r\n');
  return { proxy, client, peer: await upstream.awaitConnection() };
}

describe('a protocol switch', () => {
  const rig = useProxyRig();

  it('sends the handshake on as it is, and the answer back as it is', async () => {
    const { client, peer } = await openUpgraded(rig());
    expect(peer.text).to.equal(
      'GET /chat HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n' +
        'Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    );
    expect(client.text).to.equal(SWITCHED);
  });

  it('passes bytes that come right behind the 101', async () => {
    const { upstream, proxy } = await rig().pair();
    const client = await rig().send(proxy, UPGRADE);
    const peer = await upstream.awaitConnection();
    await peer.readUntil('\r\n\r\n');
    peer.write(`${SWITCHED}\x81\x05hello`);
    await client.readUntil('\x81\x05hello');
    expect(client.text).to.equal(`${SWITCHED}\x81\x05hello`);
  });

  it('passes bytes that the client sends before it has the 101, after it', async () => {
    const { upstream, proxy } = await rig().pair();
    const client = await rig().send(proxy, `${UPGRADE}\x81\x01x`);
    const peer = await upstream.awaitConnection();
    await peer.readUntil('\r\n\r\n');
    await settleSockets();
    expect(peer.text).to.match(/\r\n\r\n$/);
    peer.write(SWITCHED);
    await peer.readUntil('\r\n\r\n\x81\x01x');
    await client.readUntil('\r\n\r\n');
  });

  it('that the upstream refuses with 200 is an ordinary answer, and both connections go on', async () => {
    const { upstream, proxy } = await rig().pair((peer) => answerEach(peer, (_, index) => answerOf(`answer ${index}`)));
    const client = await rig().send(proxy, UPGRADE + UPGRADE);
    await client.readUntil('answer 1');
    expect(client.text).to.equal(answerOf('answer 0') + answerOf('answer 1'));
    expect(upstream.connections).to.have.lengthOf(1);
    expect(proxy.outcomes.map(({ status }) => status)).to.deep.equal([200, 200]);
  });

  it('that nobody asked for is a malformed answer', async () => {
    const { proxy } = await rig().pair((peer) => answerEach(peer, () => SWITCHED));
    const client = await rig().send(proxy, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.readUntil('"code":"MESH_ERR_BAD_UPSTREAM"');
    expect(client.text).to.match(/^HTTP\/1\.1 502 /);
  });

  it('to h2c that brings no settings is not offered to the upstream', async () => {
    const { upstream, proxy } = await rig().pair((peer) => answerEach(peer, () => answerOf('ok')));
    const client = await rig().send(proxy, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n');
    await client.readUntil('ok');
    expect(upstream.connections[0].text).to.equal('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  });

  it('of a request with a body is not offered to the upstream', async () => {
    const { upstream, proxy } = await rig().pair((peer) => answerEach(peer, () => answerOf('ok')));
    const client = await rig().send(
      proxy,
      'POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\nhi',
    );
    await client.readUntil('ok');
    expect(upstream.connections[0].text).to.equal('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi');
  });

  it('carries a real upgrade of node:http at both ends', async () => {
    const server = await rig().nodeServer(() => {});
    server.on('upgrade', (_incoming, socket, early: Buffer) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
      socket.write(early);
      socket.pipe(socket);
    });
    const proxy = await rig().proxy({ upstreamPort: server.port });
    const echoed = await new Promise<string>((resolve, reject) => {
      const outgoing = request({
        host: '127.0.0.1',
        port: proxy.port,
        agent: false,
        headers: { connection: 'Upgrade', upgrade: 'echo' },
      });
      outgoing.on('error', reject);
      outgoing.on('upgrade', (_answer, socket) => {
        socket.setEncoding('utf8');
        socket.on('data', (text: string) => {
          socket.end();
          resolve(text);
        });
        socket.write('hello tunnel');
      });
      outgoing.end();
    });
    expect(echoed).to.equal('hello tunnel');
    await proxy.awaitOutcomes(1);
    expect(proxy.outcomes[0]).to.include({ status: 101, code: undefined, aborted: false });
  });
});

describe('CONNECT', () => {
  const rig = useProxyRig();

  it('opens a connection of its own and sends no head', async () => {
    const { upstream, proxy } = await rig().pair((peer) => answerEach(peer, () => answerOf('pooled')));
    await (await rig().send(proxy, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')).readUntil('pooled');
    const client = await rig().send(proxy, CONNECT);
    await client.readUntil('\r\n\r\n');
    expect(client.text).to.equal('HTTP/1.1 200 Connection established\r\n\r\n');
    const peer = await upstream.awaitConnection(2);
    expect(peer.length).to.equal(0);
    client.write('raw');
    await peer.readUntil('raw');
    expect(peer.text).to.equal('raw');
  });

  it('passes bytes that the client sends at once behind the head', async () => {
    const { upstream, proxy } = await rig().pair();
    const client = await rig().send(proxy, `${CONNECT}\x16\x03\x01early`);
    const peer = await upstream.awaitConnection();
    await peer.readUntil('\x16\x03\x01early');
    peer.write('and back');
    await client.readUntil('and back');
  });

  it('passes what a server says first', async () => {
    const { proxy } = await rig().pair((peer) => peer.write('220 ready\r\n'));
    const client = await rig().send(proxy, CONNECT);
    await client.readUntil('220 ready\r\n');
    expect(client.text).to.equal('HTTP/1.1 200 Connection established\r\n\r\n220 ready\r\n');
  });

  it('is answered with an error when there is no connection', async () => {
    const gone = await rig().upstream();
    await gone.close();
    const proxy = await rig().proxy({ upstreamPort: gone.port });
    const client = await rig().send(proxy, `${CONNECT}early`);
    await client.readUntil('"code":"MESH_ERR_CONNECT"');
    expect(client.text).to.match(/^HTTP\/1\.1 502 /);
    expect(proxy.outcomes[0]).to.include({ status: 502, code: 'MESH_ERR_CONNECT', authority: 'svc:443' });
  });

  it('takes the place of an idle connection when all places are taken', async () => {
    const { upstream, proxy } = await rig().pair((peer) => answerEach(peer, () => answerOf('pooled')), {
      options: { maxConnectionsPerEndpoint: 1 },
    });
    await (await rig().send(proxy, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')).readUntil('pooled');
    const client = await rig().send(proxy, CONNECT);
    await client.readUntil('200 Connection established');
    await upstream.connections[0].awaitEnd();
    expect(upstream.connections).to.have.lengthOf(2);
  });
});

for (const [kind, open] of [
  ['an upgraded connection', openUpgraded],
  ['a CONNECT tunnel', openConnect],
] as const) {
  describe(kind, () => {
    const rig = useProxyRig();

    it('passes bytes both ways and reports the call once, at its end', async () => {
      const { proxy, client, peer } = await open(rig());
      for (let i = 0; i < 3; i++) {
        client.write(`ping ${i}`);
        await peer.readUntil(`ping ${i}`);
        peer.write(`pong ${i}`);
        await client.readUntil(`pong ${i}`);
      }
      expect(proxy.outcomes).to.have.lengthOf(0);
      client.end();
      peer.end();
      await Promise.all([client.awaitClose(), peer.awaitClose()]);
      await proxy.awaitOutcomes(1);
      expect(proxy.outcomes[0]).to.include({ code: undefined, aborted: false });
      expect(proxy.proxy.stats.upstreamOpen).to.equal(0);
    });

    it('goes on towards the client when the client has ended its side', async () => {
      const { client, peer } = await open(rig());
      client.end('last word');
      await peer.awaitEnd();
      expect(peer.text).to.match(/last word$/);
      rig().time.advance(60_000);
      peer.write('still ');
      await client.readUntil('still ');
      peer.end('talking');
      await client.awaitEnd();
      expect(client.text).to.match(/still talking$/);
    });

    it('goes on towards the upstream when the upstream has ended its side', async () => {
      const { client, peer } = await open(rig());
      peer.end('last word');
      await client.awaitEnd();
      expect(client.text).to.match(/last word$/);
      client.write('still ');
      await peer.readUntil('still ');
      client.end('talking');
      await peer.awaitEnd();
      expect(peer.text).to.match(/still talking$/);
    });

    it('passes a reset of the client on', async () => {
      const { proxy, client, peer } = await open(rig());
      client.reset();
      await peer.awaitClose();
      expect(peer.error?.code).to.equal('ECONNRESET');
      expect(proxy.outcomes[0].aborted).to.equal(true);
    });

    it('passes a reset on that comes right behind data, which Node reports as an end', async () => {
      for (const who of ['client', 'upstream']) {
        const { proxy, client, peer } = await open(rig());
        const [first, second] = who === 'client' ? [client, peer] : [peer, client];
        first.write('last word');
        first.reset();
        await second.readUntil('last word');
        await second.awaitEnd();
        if (!second.closed) second.write('');
        await second.awaitClose();
        expect(second.error?.code).to.equal('ECONNRESET');
        await proxy.awaitOutcomes(1);
      }
    });

    it('passes a reset of the upstream on', async () => {
      const { proxy, client, peer } = await open(rig());
      peer.reset();
      await client.awaitClose();
      expect(client.error?.code).to.equal('ECONNRESET');
      expect(proxy.outcomes[0]).to.include({ code: 'MESH_ERR_UPSTREAM_RESET', aborted: false });
    });

    it('holds back a sender whose receiver does not read, in both directions, and loses nothing', async () => {
      const { proxy, client, peer } = await open(rig());
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
        expect(to.received.subarray(before, before + MB).equals(piece)).to.equal(true);
        expect(to.received.subarray(-MB).equals(piece)).to.equal(true);
      }
    });

    it('delivers everything to a slow reader after both sides have ended', async () => {
      const { proxy, client, peer } = await open(rig());
      const before = client.length;
      client.socket.pause();
      peer.end(Buffer.alloc(20 * MB, 'x'));
      client.end();
      await untilStill(() => proxy.proxy.stats.bytesToDownstream);
      rig().time.advance(60_000);
      client.socket.resume();
      await client.awaitLength(before + 20 * MB);
      await client.awaitEnd();
      expect(client.error).to.equal(undefined);
    });

    it('delivers what waits for a slow upstream after both sides have ended, however long that takes', async () => {
      const { proxy, client, peer } = await open(rig());
      const before = peer.length;
      peer.socket.pause();
      peer.end();
      const sent = await writeUntilQueued(client, proxy.endpoint.port);
      client.end();
      await proxy.awaitOutcomes(1);
      rig().time.advance(600_000);
      expect(queuedTowards(proxy.endpoint.port)).to.be.greaterThan(0);
      peer.socket.resume();
      await peer.awaitEnd();
      expect(peer.length - before).to.equal(sent);
      expect(peer.error).to.equal(undefined);
    });

    it('does not wait for ever for a slow upstream after both sides have ended', async () => {
      const { proxy, client, peer } = await open(rig());
      peer.socket.pause();
      peer.end();
      await writeUntilQueued(client, proxy.endpoint.port);
      client.end();
      await proxy.awaitOutcomes(1);
      expect(proxy.proxy.stats.upstreamOpen).to.equal(1);
      rig().pass(3_600_000);
      expect(proxy.proxy.stats.upstreamOpen).to.equal(0);
    });

    it('is reset when nothing has passed for tunnelIdleTimeout', async () => {
      const { proxy, client, peer } = await open(rig());
      rig().time.advance(3_500_000);
      client.write('x');
      await peer.readUntil(/x$/);
      rig().time.advance(3_500_000);
      expect(proxy.outcomes).to.have.lengthOf(0);
      rig().pass(100_000);
      await Promise.all([client.awaitClose(), peer.awaitClose()]);
      expect(proxy.outcomes[0].code).to.equal('MESH_ERR_TIMEOUT');
    });

    it('ends with the proxy', async () => {
      const { proxy, client, peer } = await open(rig());
      proxy.close();
      await Promise.all([client.awaitEnd(), peer.awaitEnd()]);
      await until(() => proxy.outcomes.length === 1);
    });
  });
}
