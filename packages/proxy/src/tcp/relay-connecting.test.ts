import { Endpoint, Rejection } from '@mesher/core';
import { expect } from 'chai';
import { NOWHERE, type ProxyHarness } from '../testing/proxy-harness.js';
import { settleSockets, until, useProxyRig } from '../testing/proxy-rig.js';

const DESTINATION = { service: 'db' };
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
/** Bytes of which no prefix could become an HTTP request. */
const BINARY = '\x00\x01\x02binary';

describe('connecting a TCP relay', () => {
  const rig = useProxyRig();

  it('asks the handler again after a failed connect, and goes where it says', async () => {
    const gone = await rig().upstream();
    await gone.close();
    const spare = await rig().upstream((peer) => peer.write('hello from the other one'));
    const failures: unknown[] = [];
    const reached: unknown[] = [];
    const other = new Endpoint('127.0.0.1', spare.port, undefined);
    const proxy = await rig().proxy({
      upstreamPort: gone.port,
      destination: DESTINATION,
      handler: {
        again: (call, failure) => {
          failures.push({ ...failure, attempts: call.attempts });
          return other;
        },
        connected: (endpoint) => reached.push(endpoint),
      },
    });
    const client = await rig().connect(proxy);
    await client.readUntil('hello from the other one');
    expect(failures).to.deep.equal([
      {
        code: 'MESH_ERR_CONNECT',
        message: `connect ECONNREFUSED 127.0.0.1:${gone.port}`,
        sent: false,
        reusedConnection: false,
        attempts: 1,
      },
    ]);
    expect(reached).to.deep.equal([other]);
  });

  it('resets a client that cannot be connected', async () => {
    const gone = await rig().upstream();
    await gone.close();
    const proxy = await rig().proxy({ upstreamPort: gone.port, destination: DESTINATION });
    const client = await rig().send(proxy, BINARY);
    await client.awaitClose();
    expect(client.error?.code).to.equal('ECONNRESET');
    expect(proxy.outcomes[0]).to.include({ code: 'MESH_ERR_CONNECT', aborted: false });
  });

  it('tells an HTTP client why it cannot be connected, and resets a silent one after refusalGrace', async () => {
    const proxy = await rig().proxy({
      destination: DESTINATION,
      handler: { begin: () => new Rejection('MESH_ERR_NO_INSTANCE') },
      options: { refusalGrace: 250 },
    });
    const silent = await rig().connect(proxy);
    await proxy.awaitOutcomes(0);
    const http = await rig().send(proxy, GET);
    await http.readUntil('"code":"MESH_ERR_NO_INSTANCE"');
    expect(http.text).to.match(/^HTTP\/1\.1 503 /);
    await until(() => proxy.proxy.stats.connectionsAccepted === 2);
    expect(silent.closed).to.equal(false);
    rig().pass(250);
    await silent.awaitClose();
    expect(silent.error?.code).to.equal('ECONNRESET');
  });

  it('gives up connecting after connectTimeout and asks the handler', async () => {
    const proxy: ProxyHarness = await rig().proxy({
      destination: DESTINATION,
      options: { connectTimeout: 2000 },
      handler: {
        begin: () => NOWHERE,
        again: (_call, failure) => new Rejection(failure.code, failure.message),
      },
    });
    const client = await rig().send(proxy, BINARY);
    await until(() => proxy.proxy.stats.upstreamConnects === 1);
    await settleSockets();
    rig().pass(2000);
    await client.awaitClose();
    expect(proxy.outcomes[0]).to.include({ code: 'MESH_ERR_CONNECT' });
  });

  it('survives a handler that throws, rejects or never decides', async () => {
    const fail = (): never => {
      throw new Error('broken plugin');
    };
    for (const [begin, code] of [
      [fail, 'MESH_ERR_PLUGIN'],
      [() => Promise.reject(new Error('broken plugin')), 'MESH_ERR_PLUGIN'],
      [() => new Promise<never>(() => {}), 'MESH_ERR_TIMEOUT'],
    ] as const) {
      const proxy = await rig().proxy({
        destination: DESTINATION,
        handler: { begin },
        options: { responseTimeout: 5000 },
      });
      const client = await rig().send(proxy, BINARY);
      await until(() => proxy.ends.size === 1);
      await settleSockets();
      rig().pass(5000);
      await client.awaitClose();
      expect(proxy.outcomes[0].code).to.equal(code);
    }
  });

  it('survives a handler that throws when it is asked again', async () => {
    const gone = await rig().upstream();
    await gone.close();
    const again = (): never => {
      throw new Error('broken plugin');
    };
    const proxy = await rig().proxy({ upstreamPort: gone.port, destination: DESTINATION, handler: { again } });
    const client = await rig().send(proxy, BINARY);
    await client.awaitClose();
    expect(proxy.outcomes[0].code).to.equal('MESH_ERR_PLUGIN');
  });
});
