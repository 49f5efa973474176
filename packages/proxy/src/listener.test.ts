import { once } from 'node:events';
import { connect, type IncomingHttpHeaders } from 'node:http2';
import { Rejection, isMeshError, type CallHandler } from '@mesher/core';
import { expect } from 'chai';
import { ForwardToOne } from './testing/proxy-harness.js';
import { until, useProxyRig } from './testing/proxy-rig.js';

describe('listener', () => {
  const rig = useProxyRig();

  async function refusal(host: string, port: number): Promise<unknown> {
    const { proxy } = await rig().pair();
    const handler = new ForwardToOne(proxy.endpoint);
    return proxy.proxy.listen({ host, port, handler }).then(
      () => undefined,
      (error: unknown) => error,
    );
  }

  it('says which port is taken', async () => {
    const taken = await rig().upstream();
    const error = await refusal('127.0.0.1', taken.port);
    expect(isMeshError(error, 'MESH_ERR_LISTEN')).to.equal(true);
    expect((error as Error).message).to.contain(`127.0.0.1:${taken.port}: the port is in use by another process`);
  });

  it('says that an address belongs to no interface of the machine', async () => {
    const error = await refusal('192.0.2.1', 0);
    expect((error as Error).message).to.contain('192.0.2.1:0: no network interface of this machine has that address');
  });

  it('says what the system says about anything else', async () => {
    // A link-local address without its interface.
    const error = await refusal('fe80::1', 0);
    expect(isMeshError(error, 'MESH_ERR_LISTEN')).to.equal(true);
    expect((error as Error).message).to.match(/cannot listen on fe80::1:0: \S/);
  });

  it('knows its port and host, and how many connections are open', async () => {
    const { proxy } = await rig().pair();
    expect(proxy.listener).to.include({ host: '127.0.0.1', port: proxy.port, openConnections: 0 });
    const client = await rig().connect(proxy);
    await until(() => proxy.listener.openConnections === 1);
    client.destroy();
    await until(() => proxy.listener.openConnections === 0);
  });

  it('counts what the first bytes of connections turn out to be', async () => {
    const { proxy } = await rig().pair();
    for (const [bytes, field] of [
      ['GET / HTTP/1.1\r\n', 'detectedHttp1'],
      ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'detectedHttp2'],
      ['\x16\x03\x01\x00', 'detectedTls'],
      ['\x00\x00\x00\x08', 'detectedTcp'],
    ] as const) {
      await rig().send(proxy, bytes);
      await until(() => proxy.proxy.stats[field] === 1);
    }
    expect(proxy.proxy.stats).to.include({ connectionsAccepted: 4, connectionsOpen: 4 });
  });

  it('ends a connection whose bytes are of no protocol that is served there, without a reset', async () => {
    const { proxy } = await rig().pair(undefined, { handler: { begin: () => new Rejection('MESH_ERR_NO_ROUTE') } });
    const client = await rig().send(proxy, 'INVALID CONNECTION PREFACE\r\n\r\n');
    await client.awaitEnd();
    client.end();
    await client.awaitClose();
    expect([client.text, client.error]).to.deep.equal(['', undefined]);
  });

  it('serves HTTP/2 where all calls are for one service, and lets its connections go when it drains', async () => {
    const handler: Partial<CallHandler> = {
      begin: (call) => new Rejection(call.destination?.service === 'db' ? 'MESH_ERR_DENIED' : 'MESH_ERR_NO_ROUTE'),
    };
    // The relay that was begun before the client spoke has nowhere to go, which must not matter.
    const { proxy } = await rig().pair(undefined, { destination: { service: 'db' }, handler });
    const client = connect(`http://127.0.0.1:${proxy.port}`);
    const [head] = (await once(client.request({ ':path': '/' }).resume(), 'response')) as [IncomingHttpHeaders];
    expect(head).to.include({ ':status': 403, 'x-mesher-error': 'MESH_ERR_DENIED' });
    const drained = proxy.listener.drain();
    await once(client, 'goaway');
    await drained;
  });
});
