import { expect } from 'chai';
import { DEFAULT_PROXY_OPTIONS } from './options.js';
import { answerEach, answerOf } from './testing/proxy-harness.js';
import { useProxyRig } from './testing/proxy-rig.js';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

describe('a proxy that is given other options', () => {
  const rig = useProxyRig();

  it('goes by them from the next wait on, also on connections that are open', async () => {
    const { upstream, proxy } = await rig().pair();
    const client = await rig().send(proxy, GET);
    const peer = await upstream.awaitConnection();
    await peer.readUntil('\r\n\r\n');
    proxy.proxy.reconfigure({ ...DEFAULT_PROXY_OPTIONS, responseTimeout: 100 });
    rig().pass(1000);
    peer.write(answerOf('in time'));
    await client.readUntil('in time');
    client.write(GET);
    await peer.readUntil(/(\r\n\r\n[^]*){2}/);
    rig().pass(100);
    await client.readUntil('did not answer within 100 ms');
  });

  it('keeps how it forwards, and how many fields it takes', async () => {
    const { upstream, proxy } = await rig().pair((peer) => answerEach(peer, () => answerOf('hi')));
    proxy.proxy.reconfigure({
      ...DEFAULT_PROXY_OPTIONS,
      maxHeaderFields: 1,
      forwarding: { xForwardedFor: 'append', forwarded: true, via: true },
    });
    const request = 'GET / HTTP/1.1\r\nHost: a\r\nX-Two: 2\r\n\r\n';
    const client = await rig().send(proxy, request);
    await client.readUntil('hi');
    expect(upstream.connections[0].text).to.equal(request);
  });
});
