import { expect } from 'chai';
import { answerEach, answerOf, type ProxyHarness } from '../testing/proxy-harness.js';
import { settleSockets, useProxyRig } from '../testing/proxy-rig.js';

describe('the bytes of bodies', () => {
  const rig = useProxyRig();

  function bytesOf(proxy: ProxyHarness, index = 0): unknown {
    const { requestBytes, responseBytes } = [...proxy.ends.keys()][index];
    return [requestBytes, responseBytes];
  }

  it('are counted for each call, without heads, and 0 when there is no body', async () => {
    const { proxy } = await rig().pair((peer) =>
      answerEach(peer, (head) =>
        head.startsWith('HEAD') ? 'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n' : answerOf('12345'),
      ),
    );
    const client = await rig().send(proxy, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.readUntil('12345');
    client.write('HEAD / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.readUntil('99\r\n\r\n');
    expect([bytesOf(proxy, 0), bytesOf(proxy, 1)]).to.deep.equal([
      [0, 5],
      [0, 0],
    ]);
  });

  it('are counted in pieces, and once although they are sent twice', async () => {
    const { upstream, proxy } = await rig().pair(undefined, { handler: { again: () => proxy.endpoint } });
    const client = await rig().send(proxy, 'PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nfirst');
    const one = await upstream.awaitConnection(1);
    await one.readUntil('first');
    one.reset();
    const two = await upstream.awaitConnection(2);
    client.write('later');
    await two.readUntil('firstlater');
    two.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nab');
    await client.readUntil('ab');
    two.write('cdef');
    await client.readUntil('abcdef');
    await settleSockets();
    expect(bytesOf(proxy)).to.deep.equal([10, 6]);
  });

  it('of a tunnel are those that pass it', async () => {
    const { upstream, proxy } = await rig().pair();
    const client = await rig().send(proxy, 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n');
    await client.readUntil('\r\n\r\n');
    const peer = await upstream.awaitConnection();
    client.write('up');
    await peer.readUntil('up');
    peer.write('down');
    await client.readUntil('down');
    expect(bytesOf(proxy)).to.deep.equal([2, 4]);
    client.end();
  });
});
