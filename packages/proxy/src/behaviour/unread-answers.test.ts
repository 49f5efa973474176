import { expect } from 'chai';
import { DEFAULT_PROXY_OPTIONS } from '../options.js';
import { answerOf, type ProxyHarness, type RawUpstream } from '../testing/proxy-harness.js';
import { settleSockets, until, untilStill, useProxyRig } from '../testing/proxy-rig.js';
import { makeUnreadTail, queuedBytes, type UnreadTail } from '../testing/unread-tail.js';

const { keepAliveTimeout, lingerTimeout, responseIdleTimeout } = DEFAULT_PROXY_OPTIONS;

function get(path: string, fields = ''): string {
  return `GET ${path} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;
}

function ok(length: number): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`;
}

describe('an answer whose end waits here for its client', () => {
  const rig = useProxyRig();

  async function prepare(
    request: (path: string) => string = get,
    head: (length: number) => string = ok,
  ): Promise<{ readonly proxy: ProxyHarness; readonly upstream: RawUpstream; readonly tail: UnreadTail }> {
    const { proxy, upstream } = await rig().pair();
    const tail = await makeUnreadTail(rig(), proxy, upstream, request, head);
    expect(queuedBytes(proxy.port)).to.be.greaterThan(0);
    return { proxy, upstream, tail };
  }

  async function expectWhole({ client, length }: UnreadTail): Promise<void> {
    client.socket.resume();
    const headLength = (await client.readUntil('\r\n\r\n')).indexOf('\r\n\r\n') + 4;
    await client.awaitLength(headLength + length);
    expect(client.received.subarray(headLength).equals(Buffer.alloc(length, 'x'))).to.equal(true);
    expect(client.error).to.equal(undefined);
  }

  it('is complete although the upstream connection answers others meanwhile', async () => {
    const { upstream, proxy, tail } = await prepare();
    for (let i = 0; i < 3; i++) {
      const other = await rig().send(proxy, get(`/other-${i}`));
      await until(() => upstream.connections.some(({ text }) => text.includes(`/other-${i}`)));
      const peer = upstream.connections.find(({ text }) => text.includes(`/other-${i}`));
      peer?.write(ok(100_000));
      peer?.write(Buffer.alloc(100_000, 'other'));
      await other.awaitLength(100_000);
    }
    await expectWhole(tail);
  });

  it('is complete although keepAliveTimeout passes meanwhile, and the connection goes on', async () => {
    const { upstream, proxy, tail } = await prepare();
    rig().pass(keepAliveTimeout);
    await expectWhole(tail);
    tail.client.write(get('/next'));
    await until(() => upstream.connections.some(({ text }) => text.includes('/next')));
    upstream.connections.find(({ text }) => text.includes('/next'))?.write(answerOf('next'));
    await tail.client.readUntil('next');
    expect(proxy.proxy.stats.connectionsOpen).to.equal(1);
  });

  it('is complete although the connection closes behind it and lingerTimeout passes meanwhile', async () => {
    const { tail } = await prepare((path) => get(path, 'Connection: close\r\n'));
    rig().pass(lingerTimeout * 3);
    await expectWhole(tail);
    await tail.client.awaitEnd();
  });

  it('is complete although the request never was, and all timeouts of the request pass meanwhile', async () => {
    const { proxy, tail } = await prepare(
      (path) => `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nbegin`,
      (length) => `HTTP/1.1 413 Content Too Large\r\nContent-Length: ${length}\r\n\r\n`,
    );
    rig().pass(responseIdleTimeout);
    await until(() => proxy.outcomes.some(({ status, aborted }) => status === 413 && !aborted));
    rig().pass(lingerTimeout * 3);
    await expectWhole(tail);
    await tail.client.awaitEnd();
    await tail.peer.awaitEnd();
  });

  it('is complete although the client ends its side meanwhile', async () => {
    const { tail } = await prepare();
    tail.client.end();
    await settleSockets();
    rig().pass(lingerTimeout * 3);
    await expectWhole(tail);
    await tail.client.awaitEnd();
  });

  it('is complete although the connection closes behind it and the client ends its side meanwhile', async () => {
    const { tail } = await prepare((path) => get(path, 'Connection: close\r\n'));
    tail.client.end();
    await settleSockets();
    await expectWhole(tail);
    await tail.client.awaitEnd();
  });

  it('is complete although the listener drains meanwhile', async () => {
    const { proxy, tail } = await prepare();
    const draining = proxy.listener.drain();
    rig().pass(lingerTimeout * 3);
    await expectWhole(tail);
    await tail.client.awaitEnd();
    await draining;
  });

  it('is reset when the client reads nothing of it from one keepAliveTimeout to the next', async () => {
    const { proxy, tail } = await prepare();
    rig().pass(keepAliveTimeout);
    expect(proxy.proxy.stats.connectionsOpen).to.equal(1);
    // The kernel may have taken a little more in between; then the next one decides.
    rig().pass(2 * keepAliveTimeout);
    expect(proxy.proxy.stats.connectionsOpen).to.equal(0);
    await expectReset(tail);
  });

  it('is reset when the connection should close and the client reads nothing for responseIdleTimeout', async () => {
    const { proxy, tail } = await prepare((path) => get(path, 'Connection: close\r\n'));
    rig().pass(responseIdleTimeout - 1000);
    expect(proxy.proxy.stats.connectionsOpen).to.equal(1);
    rig().pass(1000);
    expect(proxy.proxy.stats.connectionsOpen).to.equal(0);
    await expectReset(tail);
  });

  it('does not hold the upstream connection: it goes back to the pool', async () => {
    const { proxy } = await prepare();
    expect(proxy.proxy.stats.upstreamIdle).to.be.greaterThan(0);
    expect(await untilStill(() => queuedBytes(proxy.port))).to.be.greaterThan(0);
  });

  async function expectReset({ client, length }: UnreadTail): Promise<void> {
    client.socket.resume();
    await client.awaitEnd();
    expect(client.length).to.be.lessThan(length);
    // Node reports a reset behind data as an end; the next write finds out.
    if (!client.closed) client.write('x');
    await client.awaitClose();
    expect(client.error?.code).to.equal('ECONNRESET');
  }
});
