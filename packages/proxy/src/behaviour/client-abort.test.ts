import { expect } from 'chai';
import type { ProxyHarness, RawClient } from '../testing/proxy-harness.js';
import { answerEach, answerOf } from '../testing/proxy-harness.js';
import { settleSockets, until, useProxyRig } from '../testing/proxy-rig.js';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const UPLOAD = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc';
const SSE = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n6\r\ndata\n\n\r\n';

/** The ways in which a client goes away. */
const LEAVINGS: readonly (readonly [string, (client: RawClient) => void])[] = [
  ['resets the connection', (client) => client.reset()],
  ['closes the connection', (client) => client.destroy()],
];

function expectAbort(proxy: ProxyHarness, status: number): void {
  expect(proxy.outcomes).to.have.lengthOf(1);
  expect(proxy.outcomes[0]).to.include({ status, aborted: true, code: undefined });
  expect(proxy.proxy.stats).to.include({ clientAborts: 1, connectionsOpen: 0, upstreamOpen: 0 });
}

describe('a client that goes away', () => {
  const rig = useProxyRig();

  for (const [how, leave] of LEAVINGS) {
    it(`ends the upstream exchange when it ${how} in the middle of its request`, async () => {
      const { upstream, proxy } = await rig().pair();
      const client = await rig().send(proxy, UPLOAD);
      const peer = await upstream.awaitConnection();
      await peer.readUntil('abc');
      leave(client);
      await peer.awaitEnd();
      await proxy.awaitOutcomes(1);
      expectAbort(proxy, 0);
    });

    it(`ends the upstream exchange within a second when it ${how} while it waits`, async () => {
      const { upstream, proxy } = await rig().pair();
      const client = await rig().send(proxy, GET);
      const peer = await upstream.awaitConnection();
      await peer.readUntil('\r\n\r\n');
      leave(client);
      await settleSockets();
      rig().time.advance(1000);
      await peer.awaitEnd();
      await proxy.awaitOutcomes(1);
      expectAbort(proxy, 0);
    });

    it(`ends the upstream exchange when it ${how} during the answer`, async () => {
      const { upstream, proxy } = await rig().pair();
      const client = await rig().send(proxy, GET);
      const peer = await upstream.awaitConnection();
      await peer.readUntil('\r\n\r\n');
      peer.write('HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\nabc');
      await client.readUntil('abc');
      leave(client);
      // The next writes find out that nobody reads.
      while (!peer.ended && !peer.closed) {
        peer.write('x'.repeat(1000));
        await settleSockets();
      }
      await proxy.awaitOutcomes(1);
      expectAbort(proxy, 200);
    });

    it(`ends an idle event stream within a second when it ${how}`, async () => {
      const { upstream, proxy } = await rig().pair();
      const client = await rig().send(proxy, GET);
      const peer = await upstream.awaitConnection();
      await peer.readUntil('\r\n\r\n');
      peer.write(SSE);
      await client.readUntil('data\n\n\r\n');
      leave(client);
      await settleSockets();
      rig().time.advance(1000);
      await peer.awaitEnd();
      await proxy.awaitOutcomes(1);
      expectAbort(proxy, 200);
    });

    it(`ends the exchange when it ${how} while it does not read and the answer waits for it`, async () => {
      const { upstream, proxy } = await rig().pair();
      const client = await rig().connect(proxy);
      client.socket.pause();
      client.write(GET);
      const peer = await upstream.awaitConnection();
      await peer.readUntil('\r\n\r\n');
      peer.write('HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n');
      peer.write(Buffer.alloc(50_000_000));
      await until(() => proxy.proxy.stats.bytesToDownstream > 1_000_000);
      await settleSockets();
      leave(client);
      await proxy.awaitOutcomes(1);
      expectAbort(proxy, 200);
    });

    it(`does not send its call upstream any more when it ${how} while a decision is awaited`, async () => {
      let decide: () => void = () => {};
      const upstream = await rig().upstream();
      const proxy: ProxyHarness = await rig().proxy({
        upstreamPort: upstream.port,
        handler: { begin: () => new Promise((resolve) => (decide = () => resolve(proxy.endpoint))) },
      });
      const client = await rig().send(proxy, GET);
      await until(() => proxy.ends.size === 1);
      leave(client);
      await settleSockets();
      rig().time.advance(1000);
      await proxy.awaitOutcomes(1);
      decide();
      await settleSockets();
      expect(upstream.connections).to.have.lengthOf(0);
      expectAbort(proxy, 0);
    });

    it(`leaves the line for a connection when it ${how}`, async () => {
      const { upstream, proxy } = await rig().pair(undefined, { options: { maxConnectionsPerEndpoint: 1 } });
      const busy = await rig().send(proxy, GET);
      const peer = await upstream.awaitConnection();
      await peer.readUntil('\r\n\r\n');
      const leaving = await rig().send(proxy, 'GET /gone HTTP/1.1\r\nHost: a\r\n\r\n');
      await until(() => proxy.proxy.stats.poolWaits === 1);
      leave(leaving);
      await settleSockets();
      rig().time.advance(1000);
      await proxy.awaitOutcomes(1);
      expect(proxy.outcomes[0]).to.include({ path: '/gone', aborted: true });
      peer.write(answerOf('still fine'));
      await busy.readUntil('still fine');
      await settleSockets();
      expect(peer.text).to.not.contain('/gone');
    });
  }

  it('leaves a connection that was being made for it to the pool', async () => {
    const { upstream, proxy } = await rig().pair((peer) => answerEach(peer, () => answerOf('hello')));
    const other = await proxy.proxy.listen({
      host: '127.0.0.1',
      port: 0,
      handler: {
        direction: 'outbound',
        begin: () => {
          // Once the connection is on its way, and before it is there, all clients of this listener go away.
          process.nextTick(() => other.close());
          return proxy.endpoint;
        },
        again: () => proxy.endpoint,
        connected: () => {},
        end: (_call, { aborted }) => aborts.push(aborted),
      },
    });
    const aborts: boolean[] = [];
    const client = await rig().send(other.port, GET);
    await client.awaitEnd();
    await until(() => proxy.proxy.stats.upstreamIdle === 1);
    expect(aborts).to.deep.equal([true]);
    expect(upstream.receivedBytes).to.equal(0);
    await (await rig().send(proxy, GET)).readUntil('hello');
    expect(upstream.connections).to.have.lengthOf(1);
  });

  it('counts neither as an abort when it closes an idle connection, nor as anything else', async () => {
    const { proxy } = await rig().pair();
    for (const [, leave] of LEAVINGS) {
      const client = await rig().connect(proxy);
      leave(client);
    }
    await until(() => proxy.proxy.stats.connectionsAccepted === 2 && proxy.proxy.stats.connectionsOpen === 0);
    expect(proxy.proxy.stats.clientAborts).to.equal(0);
    expect(proxy.outcomes).to.have.lengthOf(0);
  });

  it('ends silently when it leaves in the middle of a request head', async () => {
    const { upstream, proxy } = await rig().pair();
    const client = await rig().send(proxy, 'GET / HTTP/1.1\r\nHos');
    await until(() => proxy.proxy.stats.detectedHttp1 === 1);
    client.end();
    await client.awaitEnd();
    expect(client.length).to.equal(0);
    expect(upstream.connections).to.have.lengthOf(0);
  });
});
