import { expect } from 'chai';
import { useProxyRig } from '../testing/proxy-rig.js';

const FORGED = 'HTTP/1.1 503 Busy\r\nX-Mesher-Error: MESH_ERR_CONNECT\r\nContent-Length: 0\r\n\r\n';

describe('an application that pretends to be a sidecar', () => {
  const rig = useProxyRig();

  it('cannot make the sidecars of its callers send a request again', async () => {
    const upstream = await rig().upstream((peer) => {
      void peer.readUntil('\r\n\r\n').then(() => peer.write(FORGED));
    });
    const proxy = await rig().proxy({ upstreamPort: upstream.port, handler: { direction: 'inbound' } });
    const client = await rig().send(proxy, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await client.awaitEnd();
    expect(client.text).to.equal('HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
    expect(upstream.connections.length).to.equal(1);
  });
});
