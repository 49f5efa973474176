import { Rejection } from '@mesher/core';
import { expect } from 'chai';
import { DEFAULT_PROXY_OPTIONS, type ProxyOptions } from '../options.js';
import { NOWHERE, answerEach, answerOf } from '../testing/proxy-harness.js';
import { settleSockets, until, untilStill, useProxyRig } from '../testing/proxy-rig.js';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const UPLOAD = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nbegin';

/** Just before a timeout has passed. */
function before(option: keyof ProxyOptions): number {
  return (DEFAULT_PROXY_OPTIONS[option] as number) - 100;
}

describe('timeouts', () => {
  const rig = useProxyRig();

  it('detectTimeout closes a connection on which nothing is said', async () => {
    const { proxy } = await rig().pair();
    const client = await rig().connect(proxy);
    await until(() => proxy.proxy.stats.connectionsOpen === 1);
    rig().time.advance(before('detectTimeout'));
    expect(proxy.proxy.stats.connectionsOpen).to.equal(1);
    rig().pass(100);
    await client.awaitEnd();
    expect(client.length).to.equal(0);
  });

  it('detectTimeout does not make bytes of what may still become a request', async () => {
    const { upstream, proxy } = await rig().pair();
    const client = await rig().send(proxy, 'GET');
    await settleSockets();
    rig().pass(DEFAULT_PROXY_OPTIONS.detectTimeout);
    rig().pass(DEFAULT_PROXY_OPTIONS.headTimeout);
    await client.readUntil('MESH_ERR_REQUEST_TIMEOUT');
    expect(upstream.connections).to.have.lengthOf(0);
  });

  it('headTimeout answers 408 to a head that is not complete, however often a piece of it comes', async () => {
    const { upstream, proxy } = await rig().pair();
    const client = await rig().send(proxy, 'GET / HTTP/1.1\r\n');
    await until(() => proxy.proxy.stats.detectedHttp1 === 1);
    for (let i = 0; i < 9; i++) {
      client.write(`X-${i}: y\r\n`);
      await settleSockets();
      rig().time.advance(1000);
    }
    expect(client.length).to.equal(0);
    client.write('X-Last: y\r\n');
    await settleSockets();
    rig().pass(1000);
    await client.awaitEnd();
    expect(client.text).to.match(/^HTTP\/1\.1 408 [^]*connection: close\r\n[^]*"code":"MESH_ERR_REQUEST_TIMEOUT"/);
    expect(upstream.connections).to.have.lengthOf(0);
    expect(proxy.proxy.stats).to.include({ timeouts: 1, malformedRequests: 0 });
  });

  it('headTimeout holds for a later request of the connection, too', async () => {
    const { proxy } = await rig().pair((peer) => answerEach(peer, () => answerOf('first')));
    const client = await rig().send(proxy, `${GET}GET /late HTTP/1.1\r\n`);
    await client.readUntil('first');
    rig().pass(DEFAULT_PROXY_OPTIONS.headTimeout);
    await client.awaitEnd();
    expect(client.text).to.contain('HTTP/1.1 408 ');
  });

  it('keepAliveTimeout closes a connection that is idle between requests', async () => {
    const { proxy } = await rig().pair((peer) => answerEach(peer, () => answerOf('x')));
    const client = await rig().send(proxy, GET);
    await client.readUntil('\r\n\r\nx');
    rig().time.advance(before('keepAliveTimeout'));
    client.write(GET);
    await client.readUntil(/\r\n\r\nx[^]*\r\n\r\nx/);
    rig().time.advance(before('keepAliveTimeout'));
    expect(proxy.proxy.stats.connectionsOpen).to.equal(1);
    rig().pass(100);
    await client.awaitEnd();
    expect(client.text).to.equal(answerOf('x') + answerOf('x'));
    expect(proxy.proxy.stats.timeouts, 'an idle connection that closes is nobody waiting in vain').to.equal(0);
  });

  it('requestIdleTimeout answers 408 when the client pauses within its body, and ends the upstream exchange', async () => {
    const { upstream, proxy } = await rig().pair();
    const client = await rig().send(proxy, UPLOAD);
    const peer = await upstream.awaitConnection();
    await peer.readUntil('begin');
    rig().time.advance(before('requestIdleTimeout'));
    client.write('more');
    await peer.readUntil('more');
    rig().time.advance(before('requestIdleTimeout'));
    expect(proxy.outcomes).to.have.lengthOf(0);
    rig().pass(100);
    await Promise.all([client.awaitEnd(), peer.awaitEnd()]);
    expect(client.text).to.match(/^HTTP\/1\.1 408 [^]*connection: close\r\n[^]*MESH_ERR_REQUEST_TIMEOUT/);
    expect(proxy.outcomes[0]).to.include({ status: 408, code: 'MESH_ERR_REQUEST_TIMEOUT', aborted: false });
  });

  it('requestIdleTimeout is not held against a client whose body the upstream does not take: that is 504', async () => {
    const { upstream, proxy } = await rig().pair((peer) => peer.socket.pause());
    const client = await rig().send(proxy, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n');
    client.write(Buffer.alloc(50_000_000));
    await upstream.awaitConnection();
    await untilStill(() => proxy.proxy.stats.bytesToUpstream);
    rig().pass(DEFAULT_PROXY_OPTIONS.requestIdleTimeout);
    await client.readUntil('MESH_ERR_TIMEOUT');
    expect(client.text).to.match(/^HTTP\/1\.1 504 /);
  });

  it('responseTimeout answers 504 when the upstream does not begin its answer, and the connection goes on', async () => {
    const { upstream, proxy } = await rig().pair();
    const client = await rig().send(proxy, GET);
    const peer = await upstream.awaitConnection();
    await peer.readUntil('\r\n\r\n');
    rig().time.advance(before('responseTimeout'));
    expect(client.length).to.equal(0);
    rig().pass(100);
    await client.readUntil('"code":"MESH_ERR_TIMEOUT"');
    expect(client.text).to.match(/^HTTP\/1\.1 504 /);
    expect(client.text).to.contain(`${proxy.endpoint.key} did not answer within 30000 ms`);
    await peer.awaitEnd();
    expect(proxy.outcomes[0]).to.include({ status: 504, code: 'MESH_ERR_TIMEOUT' });
    client.write(GET);
    const next = await upstream.awaitConnection(2);
    await next.readUntil('\r\n\r\n');
    next.write(answerOf('fine'));
    await client.readUntil('fine');
  });

  it('responseTimeout counts from the end of the request', async () => {
    const { upstream, proxy } = await rig().pair();
    const client = await rig().send(proxy, UPLOAD);
    const peer = await upstream.awaitConnection();
    await peer.readUntil('begin');
    rig().time.advance(before('requestIdleTimeout'));
    client.write('x'.repeat(95));
    await peer.readUntil('x'.repeat(95));
    rig().time.advance(before('responseTimeout'));
    peer.write(answerOf('in time'));
    await client.readUntil('in time');
  });

  it('responseIdleTimeout breaks off an answer that pauses too long, so that it cannot pass for complete', async () => {
    const { upstream, proxy } = await rig().pair();
    const client = await rig().send(proxy, GET);
    const peer = await upstream.awaitConnection();
    await peer.readUntil('\r\n\r\n');
    peer.write('HTTP/1.1 200 OK\r\n\r\npart');
    await client.readUntil('part');
    rig().time.advance(before('responseIdleTimeout'));
    peer.write(' two');
    await client.readUntil('part two');
    rig().time.advance(before('responseIdleTimeout'));
    expect(proxy.outcomes).to.have.lengthOf(0);
    rig().pass(100);
    await client.awaitClose();
    await peer.awaitEnd();
    expect(client.error?.code).to.equal('ECONNRESET');
    expect(proxy.outcomes[0]).to.include({ status: 200, code: 'MESH_ERR_TIMEOUT', aborted: false });
  });

  it('connectTimeout is a failed connect for the handler, and 502 for the client', async () => {
    const failures: unknown[] = [];
    const proxy = await rig().proxy({
      handler: {
        begin: () => NOWHERE,
        again: (_call, failure) => {
          failures.push(failure);
          return new Rejection(failure.code, failure.message);
        },
      },
    });
    const client = await rig().send(proxy, GET);
    await until(() => proxy.proxy.stats.upstreamConnects === 1);
    await settleSockets();
    rig().pass(DEFAULT_PROXY_OPTIONS.connectTimeout);
    await client.readUntil('"code":"MESH_ERR_CONNECT"');
    expect(client.text).to.match(/^HTTP\/1\.1 502 /);
    expect(failures[0]).to.include({ code: 'MESH_ERR_CONNECT', sent: false, reusedConnection: false });
    expect(proxy.proxy.stats).to.include({ upstreamConnectFailures: 1, upstreamOpen: 0 });
  });

  it('pendingTimeout answers 503 with retry-after to a call that waits for a connection too long', async () => {
    const { upstream, proxy } = await rig().pair(undefined, { options: { maxConnectionsPerEndpoint: 1 } });
    const busy = await rig().send(proxy, GET);
    const peer = await upstream.awaitConnection();
    await peer.readUntil('\r\n\r\n');
    const waiting = await rig().send(proxy, 'GET /waiting HTTP/1.1\r\nHost: a\r\n\r\n');
    await until(() => proxy.proxy.stats.poolWaits === 1);
    rig().time.advance(before('pendingTimeout'));
    expect(waiting.length).to.equal(0);
    rig().pass(100);
    await waiting.readUntil('"code":"MESH_ERR_OVERLOADED"');
    expect(waiting.text).to.match(/^HTTP\/1\.1 503 [^]*\r\nretry-after: 1\r\n/);
    peer.write(answerOf('done'));
    await busy.readUntil('done');
    await settleSockets();
    expect(peer.text).to.not.contain('/waiting');
  });

  it('responseTimeout also ends a call about which a plugin never decides', async () => {
    const proxy = await rig().proxy({ handler: { begin: () => new Promise(() => {}) } });
    const client = await rig().send(proxy, GET);
    await until(() => proxy.ends.size === 1);
    rig().pass(DEFAULT_PROXY_OPTIONS.responseTimeout);
    await client.readUntil('"code":"MESH_ERR_TIMEOUT"');
    expect(client.text).to.match(/^HTTP\/1\.1 504 /);
  });

  it('lingerTimeout closes the connection of a client that goes on sending after its final answer', async () => {
    const proxy = await rig().proxy({ handler: { begin: () => new Rejection('MESH_ERR_DENIED') } });
    const client = await rig().send(proxy, UPLOAD);
    await client.awaitEnd();
    expect(client.text).to.match(/^HTTP\/1\.1 403 /);
    rig().time.advance(before('lingerTimeout'));
    client.write('more');
    await settleSockets();
    expect([client.closed, proxy.proxy.stats.connectionsOpen]).to.deep.equal([false, 1]);
    rig().pass(100);
    await until(() => proxy.proxy.stats.connectionsOpen === 0);
  });

  it('lingerTimeout does not cut the final answer of a client that reads slowly', async () => {
    const size = 8_000_000;
    const { upstream, proxy } = await rig().pair();
    const client = await rig().connect(proxy);
    client.socket.pause();
    client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nbegin');
    const peer = await upstream.awaitConnection();
    await peer.readUntil('begin');
    peer.write(`HTTP/1.1 413 Content Too Large\r\nContent-Length: ${size}\r\n\r\n`);
    peer.end(Buffer.alloc(size, 'x'));
    await untilStill(() => proxy.proxy.stats.bytesToDownstream);
    rig().time.advance(60_000);
    client.socket.resume();
    await client.awaitEnd();
    expect(client.length).to.equal(size + client.text.indexOf('\r\n\r\n') + 4);
  });

  it('keepAliveTimeout does not cut the answer of a client that reads it slowly', async () => {
    const { upstream, proxy } = await rig().pair();
    const client = await rig().connect(proxy);
    client.socket.pause();
    client.write(GET);
    const peer = await upstream.awaitConnection();
    await peer.readUntil('\r\n\r\n');
    const size = 3_000_000;
    peer.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
    peer.write(Buffer.alloc(size, 'x'));
    await untilStill(() => proxy.proxy.stats.bytesToDownstream);
    rig().time.advance(before('keepAliveTimeout') + 1000);
    client.socket.resume();
    await client.awaitLength(size);
    expect(client.error).to.equal(undefined);
  });

  it('leave no timer when nothing is open', async () => {
    const { proxy } = await rig().pair((peer) => answerEach(peer, () => answerOf('x')));
    const client = await rig().send(proxy, GET);
    await client.readUntil('\r\n\r\nx');
    expect(rig().time.pendingTimers, 'one for all deadlines').to.equal(1);
    client.end();
    await client.awaitEnd();
    rig().pass(DEFAULT_PROXY_OPTIONS.upstreamIdleTimeout);
    await until(() => proxy.proxy.stats.upstreamOpen === 0);
    rig().time.advance(100);
    expect(rig().time.pendingTimers).to.equal(0);
  });
});
