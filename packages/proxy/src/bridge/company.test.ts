import type { ServerHttp2Stream } from 'node:http2';
import { Endpoint, type EndpointProtocol } from '@mesher/core';
import { expect } from 'chai';
import { DEFAULT_PROXY_OPTIONS } from '../options.js';
import { connectHttp2, requestHttp2, startHttp2Server } from '../testing/http2-peers.js';
import { answerEach, answerOf, type ProxyHarness } from '../testing/proxy-harness.js';
import { useProxyRig } from '../testing/proxy-rig.js';

const HEDGE_AFTER = 100;

describe('a call that is hedged across a bridge', () => {
  const rig = useProxyRig();

  /** A proxy whose calls go to one endpoint first, and after a while to another one as well. */
  function hedging(first: Endpoint, second: Endpoint): Promise<ProxyHarness> {
    return rig().proxy({
      handler: {
        begin: (call) => {
          call.hedgeAfter = HEDGE_AFTER;
          return first;
        },
        hedge: () => second,
      },
    });
  }

  function at(port: number, speaks: EndpointProtocol): Endpoint {
    return new Endpoint('127.0.0.1', port, undefined, 1, undefined, speaks);
  }

  const answer = (stream: ServerHttp2Stream): void => {
    stream.respond();
    stream.end('hedge');
  };

  it('gets the answer of an instance that speaks HTTP/2 in place of a slow one of HTTP/1', async () => {
    const slow = await rig().upstream();
    const instance = await startHttp2Server(rig(), answer);
    const proxy = await hedging(at(slow.port, 'http1'), at(instance.port, 'http2'));
    const client = await rig().send(proxy, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await (await slow.awaitConnection()).readUntil('\r\n\r\n');
    rig().pass(HEDGE_AFTER);
    await client.readUntil('hedge\r\n0\r\n\r\n');
    expect(proxy.proxy.stats.hedgesWon).to.equal(1);
    await slow.connections[0].awaitEnd();
  });

  it('gets the answer of an instance that speaks HTTP/1 in place of a slow one of HTTP/2', async () => {
    const slow = await startHttp2Server(rig());
    const quick = await rig().upstream((peer) => answerEach(peer, () => answerOf('hedge')));
    const proxy = await hedging(at(slow.port, 'http2'), at(quick.port, 'http1'));
    const answered = requestHttp2(connectHttp2(rig(), proxy));
    const stream = await slow.awaitStream(1);
    rig().pass(HEDGE_AFTER);
    expect((await answered).body.toString()).to.equal('hedge');
    expect(proxy.proxy.stats.hedgesWon).to.equal(1);
    if (!stream.closed) await new Promise((resolve) => stream.once('close', resolve));
  });

  it('keeps the first attempt when the first answers after all', async () => {
    const first = await startHttp2Server(rig());
    const second = await startHttp2Server(rig());
    const proxy = await hedging(at(first.port, 'http2'), at(second.port, 'http2'));
    const client = await rig().send(proxy, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const stream = await first.awaitStream(1);
    rig().pass(HEDGE_AFTER);
    const lost = await second.awaitStream(1);
    stream.respond();
    stream.end('first');
    await client.readUntil('first\r\n0\r\n\r\n');
    if (!lost.closed) await new Promise((resolve) => lost.once('close', resolve));
    expect(proxy.proxy.stats.hedgesLost).to.equal(1);
  });

  it('has no company where it would have to wait for a stream', async () => {
    const first = await startHttp2Server(rig());
    const full = await startHttp2Server(rig(), undefined, { settings: { maxConcurrentStreams: 1 } });
    const busy = at(full.port, 'http2');
    const proxy = await rig().proxy({
      options: { http2: { ...DEFAULT_PROXY_OPTIONS.http2, maxUpstreamConnections: 1 } },
      handler: {
        begin: (call) => {
          if (call.path === '/busy') return busy;
          call.hedgeAfter = HEDGE_AFTER;
          return at(first.port, 'http2');
        },
        hedge: () => busy,
      },
    });
    await rig().send(proxy, 'GET /busy HTTP/1.1\r\nHost: a\r\n\r\n');
    await full.awaitStream(1);
    const client = await rig().send(proxy, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const stream = await first.awaitStream(1);
    rig().pass(HEDGE_AFTER);
    stream.respond();
    stream.end('first');
    await client.readUntil('first\r\n0\r\n\r\n');
    expect(full.streams).to.have.length(1);
  });
});
