import { expect } from 'chai';
import { once } from 'node:events';
import { connectHttp2, openStream, startHttp2Server } from './testing/http2-peers.js';
import { useProxyRig } from './testing/proxy-rig.js';

describe('the numbers of the HTTP/2 connections of a proxy', () => {
  const rig = useProxyRig();

  it('say what is open on both sides, and who has reset what', async () => {
    const server = await startHttp2Server(rig());
    const proxy = await rig().proxy({ upstreamPort: server.port, speaks: 'http2' });
    expect(proxy.proxy.http2.downstream).to.deep.equal({ open: 0, streams: 0 });
    const session = connectHttp2(rig(), proxy);
    const stream = openStream(session, { ':path': '/' });
    const upstream = await server.awaitStream(1);
    const { downstream, upstream: instances, resetsReceived } = proxy.proxy.http2;
    expect([downstream, instances.open, instances.streams, resetsReceived]).to.deep.equal([
      { open: 1, streams: 1 },
      1,
      1,
      0,
    ]);
    const gone = once(upstream, 'close');
    stream.close(8);
    await gone;
    expect(proxy.proxy.http2).to.include({ resetsReceived: 1, resetsSent: 1 });
    expect(proxy.proxy.http2.downstream).to.deep.equal({ open: 1, streams: 0 });
    expect(proxy.proxy.http2.upstream).to.include({ open: 1, streams: 0 });
  });
});
