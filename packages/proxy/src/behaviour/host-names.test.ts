import { Endpoint, Rejection } from '@mesher/core';
import { expect } from 'chai';
import { answerEach, answerOf } from '../testing/proxy-harness.js';
import { until, useProxyRig } from '../testing/proxy-rig.js';

/** No name server is asked about it: a label has 63 characters at most (RFC 1035, 2.3.4). */
const IMPOSSIBLE = `${'x'.repeat(64)}.example`;

describe('an endpoint with a host name', () => {
  const rig = useProxyRig();

  it('is looked up and dialled, for requests in absolute form, for tunnels and for relays', async () => {
    const upstream = await rig().upstream((peer) => answerEach(peer, () => answerOf('found')));
    const endpoint = new Endpoint('localhost', upstream.port, undefined);
    const proxy = await rig().proxy({ handler: { begin: () => endpoint } });
    const plain = await rig().send(proxy, 'GET http://outside.example/x?y HTTP/1.1\r\nHost: outside.example\r\n\r\n');
    await plain.readUntil('found');
    expect(upstream.connections[0].text).to.equal('GET /x?y HTTP/1.1\r\nHost: outside.example\r\n\r\n');
    const tunnel = await rig().send(proxy, 'CONNECT outside.example:443 HTTP/1.1\r\nHost: outside.example:443\r\n\r\n');
    await tunnel.readUntil('200 Connection established\r\n\r\n');
    tunnel.write('GET / HTTP/1.1\r\nHost: b\r\n\r\n');
    await tunnel.readUntil('found');
    tunnel.end();
    const relayed = await rig().proxy({ destination: { service: 'outside' }, handler: { begin: () => endpoint } });
    const bytes = await rig().send(relayed, '\x00bytes');
    await (await upstream.awaitConnection(3)).readUntil('bytes');
    bytes.end();
    expect(proxy.outcomes[0]).to.include({ status: 200, code: undefined });
  });

  it('keeps its connections in a pool of its own, like one with an address', async () => {
    const { upstream, proxy } = await rig().pair((peer) => answerEach(peer, () => answerOf('found')), {
      handler: { begin: () => byName },
    });
    const byName = new Endpoint('localhost', upstream.port, undefined);
    const client = await rig().connect(proxy);
    for (let i = 1; i <= 3; i++) {
      client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await client.readUntil(new RegExp(`(found[^]*){${i}}`));
    }
    expect(upstream.connections).to.have.lengthOf(1);
  });

  it('that nobody knows is answered for with 502, and nothing was sent', async () => {
    const failures: unknown[] = [];
    const proxy = await rig().proxy({
      handler: {
        begin: () => new Endpoint(IMPOSSIBLE, 80, undefined),
        again: (_call, failure) => {
          failures.push(failure);
          return new Rejection(failure.code, failure.message);
        },
      },
    });
    const client = await rig().send(proxy, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi');
    await client.readUntil('"code":"MESH_ERR_CONNECT"');
    expect(client.text)
      .to.match(/^HTTP\/1\.1 502 /)
      .and.to.contain(`the host name ${IMPOSSIBLE} is not known`);
    expect(failures[0]).to.include({ code: 'MESH_ERR_CONNECT', sent: false });
  });

  it('takes from connectTimeout what its look-up takes', async () => {
    const proxy = await rig().proxy({
      handler: {
        begin: () => {
          // Before the event loop turns, no look-up can have ended.
          process.nextTick(() => rig().pass(2000));
          return new Endpoint('localhost', 1, undefined);
        },
        again: (_call, failure) => new Rejection(failure.code, failure.message),
      },
    });
    const client = await rig().send(proxy, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.readUntil('connect to localhost:1 took longer than 2000 ms');
    await until(() => proxy.proxy.stats.upstreamOpen === 0);
  });
});
