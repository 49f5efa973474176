import type { Verdict } from '@mesher/core';
import { expect } from 'chai';
import type { ProxyHarness, RawPeer, RawUpstream } from '../testing/proxy-harness.js';
import { settleSockets, useProxyRig } from '../testing/proxy-rig.js';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

describe('a deadline that was chosen for the called service', () => {
  const rig = useProxyRig();

  async function chosen(
    deadline: number,
    responseTimeout: number,
    onConnection?: (peer: RawPeer) => void,
  ): Promise<{ readonly upstream: RawUpstream; readonly proxy: ProxyHarness }> {
    const { upstream, proxy } = await rig().pair(onConnection, {
      options: { responseTimeout },
      handler: {
        begin: (call) => {
          call.deadlineAt = call.startedAt + deadline;
          call.deadlineIsOurs = true;
          return proxy.endpoint;
        },
      },
    });
    return { upstream, proxy };
  }

  it('takes the place of responseTimeout, also when it is later', async () => {
    const { upstream, proxy } = await chosen(5_000, 300);
    const client = await rig().send(proxy, GET);
    const peer = await upstream.awaitConnection();
    await peer.readUntil('\r\n\r\n');
    rig().time.advance(4_900);
    await settleSockets();
    expect(client.length).to.equal(0);
    rig().time.advance(200);
    await client.readUntil('within the deadline of 5000 ms');
  });

  it('counts from the end of the request: an upload may take longer', async () => {
    const { upstream, proxy } = await chosen(250, 30_000);
    const client = await rig().send(proxy, 'PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\n');
    const peer = await upstream.awaitConnection();
    for (const piece of ['ab', 'cd', 'ef']) {
      client.write(piece);
      await peer.readUntil(piece);
      rig().time.advance(200);
    }
    await settleSockets();
    expect(client.length).to.equal(0);
    client.write('gh');
    await peer.readUntil('gh');
    rig().time.advance(200);
    await settleSockets();
    expect(client.length, 'the time of the service has not passed').to.equal(0);
    rig().time.advance(150);
    await client.readUntil('MESH_ERR_TIMEOUT');
  });

  it('counts from the end of the request also when that comes between two attempts', async () => {
    let goOn: (verdict: Verdict) => void = () => {};
    const { upstream, proxy } = await rig().pair(undefined, {
      handler: {
        begin: (call) => {
          call.deadlineAt = call.startedAt + 250;
          call.deadlineIsOurs = true;
          call.tryTimeout = 100;
          return proxy.endpoint;
        },
        again: () => new Promise((resolve) => (goOn = resolve)),
      },
    });
    const client = await rig().send(proxy, 'PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\nabcd');
    await (await upstream.awaitConnection()).readUntil('abcd');
    rig().time.advance(150);
    await settleSockets();
    rig().time.advance(400);
    client.write('efgh');
    await settleSockets();
    rig().time.advance(200);
    await settleSockets();
    expect(client.length, 'the time of the service has not passed').to.equal(0);
    rig().time.advance(100);
    await client.readUntil('MESH_ERR_TIMEOUT');
    goOn(proxy.endpoint);
    await settleSockets();
    expect(upstream.connections).to.have.lengthOf(1);
  });
});
