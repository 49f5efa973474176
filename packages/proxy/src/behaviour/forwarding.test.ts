import { networkInterfaces } from 'node:os';
import { skipBecause } from '@mesher/core/testing';
import { expect } from 'chai';
import { DEFAULT_PROXY_OPTIONS, type ForwardingOptions } from '../options.js';
import { ForwardToOne, answerEach, answerOf } from '../testing/proxy-harness.js';
import { useProxyRig } from '../testing/proxy-rig.js';

const OFF: ForwardingOptions = { xForwardedFor: 'off', forwarded: false, via: false };

describe('fields that name the client', () => {
  const rig = useProxyRig();

  /** What the upstream gets and what the client gets for one request. */
  async function exchange(
    forwarding: ForwardingOptions | undefined,
    request: string,
    answer = answerOf('ok'),
  ): Promise<{ readonly request: string; readonly answer: string }> {
    const options = { forwarding: forwarding ?? DEFAULT_PROXY_OPTIONS.forwarding };
    const { upstream, proxy } = await rig().pair((peer) => answerEach(peer, () => answer), { options });
    const client = await rig().send(proxy, request);
    await client.readUntil('ok');
    return { request: upstream.connections[0].text, answer: client.text };
  }

  it('X-Forwarded-For is sent unless it is switched off', async () => {
    expect((await exchange(undefined, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')).request).to.equal(
      'GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 127.0.0.1\r\n\r\n',
    );
  });

  it('X-Forwarded-For is appended behind what was there, so that the last entry is the nearest hop', async () => {
    const { request } = await exchange(
      { ...OFF, xForwardedFor: 'append' },
      'GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1, 192.0.2.2\r\nX-Other: 1\r\n\r\n',
    );
    expect(request).to.equal(
      'GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1, 192.0.2.2\r\nX-Other: 1\r\n' +
        'X-Forwarded-For: 127.0.0.1\r\n\r\n',
    );
  });

  it('X-Forwarded-For lines arrive as one list at a real server', async () => {
    let received: string | string[] | undefined;
    const server = await rig().nodeServer((incoming, outgoing) => {
      received = incoming.headers['x-forwarded-for'];
      outgoing.end();
    });
    const proxy = await rig().proxy({
      upstreamPort: server.port,
      options: { forwarding: { ...OFF, xForwardedFor: 'append' } },
    });
    await rig().nodeRequest(proxy, { headers: { 'x-forwarded-for': '192.0.2.1' } });
    expect(received).to.equal('192.0.2.1, 127.0.0.1');
  });

  it('X-Forwarded-For of a client that is not trusted is replaced with set', async () => {
    const { request } = await exchange(
      { ...OFF, xForwardedFor: 'set' },
      'GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 6.6.6.6\r\nX-Other: 1\r\nx-forwarded-for: 7.7.7.7\r\n\r\n',
    );
    expect(request).to.equal('GET / HTTP/1.1\r\nHost: a\r\nX-Other: 1\r\nX-Forwarded-For: 127.0.0.1\r\n\r\n');
  });

  it('X-Forwarded-For passes untouched with off', async () => {
    const head = 'GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n';
    expect((await exchange(OFF, head)).request).to.equal(head);
  });

  it('Forwarded is added with forwarded, behind what was there', async () => {
    const { request } = await exchange(
      { ...OFF, forwarded: true },
      'GET / HTTP/1.1\r\nHost: a\r\nForwarded: for=192.0.2.1\r\n\r\n',
    );
    expect(request).to.equal(
      'GET / HTTP/1.1\r\nHost: a\r\nForwarded: for=192.0.2.1\r\nForwarded: for=127.0.0.1;proto=http\r\n\r\n',
    );
  });

  it('Via names the version that was received, in requests and answers', async () => {
    const modern = await exchange({ ...OFF, via: true }, 'GET / HTTP/1.1\r\nHost: a\r\nVia: 1.0 fred\r\n\r\n');
    expect(modern.request).to.match(/\r\nVia: 1\.0 fred\r\nVia: 1\.1 mesher\r\n\r\n$/);
    expect(modern.answer).to.equal('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nVia: 1.1 mesher\r\n\r\nok');
    const old = await exchange(
      { ...OFF, via: true },
      'GET / HTTP/1.0\r\nHost: a\r\n\r\n',
      answerOf('ok', 'HTTP/1.0 200 OK\r\n'),
    );
    expect(old.request).to.match(/\r\nVia: 1\.0 mesher\r\n\r\n$/);
    expect(old.answer).to.contain('\r\nVia: 1.0 mesher\r\n');
  });

  it('an IPv6 address is bracketed and quoted in Forwarded, and bare in X-Forwarded-For', async function () {
    const loopback6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));
    if (!loopback6) skipBecause(this, 'this machine has no IPv6 loopback');
    const forwarding: ForwardingOptions = { xForwardedFor: 'append', forwarded: true, via: false };
    const { upstream, proxy } = await rig().pair((peer) => answerEach(peer, () => answerOf('ok')), {
      options: { forwarding },
    });
    const listener = await proxy.proxy.listen({ host: '::1', port: 0, handler: new ForwardToOne(proxy.endpoint) });
    const client = await rig().connect(listener.port, '::1');
    client.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await client.awaitEnd();
    expect(upstream.connections[0].text).to.equal(
      'GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: ::1\r\nForwarded: for="[::1]";proto=http\r\n\r\n',
    );
  });

  it('Server-Timing says which way the call went when it is switched on', async () => {
    const { proxy } = await rig().pair((peer) => answerEach(peer, () => answerOf('ok')), {
      options: { serverTiming: true },
      handler: {
        begin: (call) => {
          call.destination = { service: 'orders' };
          return proxy.endpoint;
        },
      },
    });
    const client = await rig().send(proxy, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.readUntil('ok');
    expect(client.text).to.contain(
      `\r\nServer-Timing: mesher;desc="outbound orders ${proxy.endpoint.key}";dur=0.00\r\n\r\nok`,
    );
  });
});
