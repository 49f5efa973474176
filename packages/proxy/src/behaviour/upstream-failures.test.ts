import { Endpoint, Rejection } from '@mesher/core';
import { expect } from 'chai';
import { answerEach, answerOf, type RawPeer } from '../testing/proxy-harness.js';
import { until, useProxyRig } from '../testing/proxy-rig.js';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const POST = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody';

/** The ways in which an upstream connection ends. */
const ENDINGS: readonly (readonly [string, (peer: RawPeer) => void])[] = [
  ['resets', (peer) => peer.reset()],
  ['ends', (peer) => peer.end()],
];

describe('an upstream that fails', () => {
  const rig = useProxyRig();

  for (const [how, fail] of ENDINGS) {
    it(`is answered for with 502 when it ${how} a new connection before the answer; the handler is told`, async () => {
      const failures: unknown[] = [];
      const { upstream, proxy } = await rig().pair(undefined, {
        handler: {
          again: (_call, failure) => {
            failures.push(failure);
            return new Rejection(failure.code, failure.message);
          },
        },
      });
      const client = await rig().send(proxy, POST);
      const peer = await upstream.awaitConnection();
      await peer.readUntil('body');
      fail(peer);
      await client.readUntil('"code":"MESH_ERR_UPSTREAM_RESET"');
      expect(client.text).to.match(/^HTTP\/1\.1 502 [^]*x-mesher-error: MESH_ERR_UPSTREAM_RESET\r\n/);
      expect(failures).to.have.lengthOf(1);
      expect(failures[0]).to.include({ code: 'MESH_ERR_UPSTREAM_RESET', sent: true, reusedConnection: false });
      expect(proxy.outcomes[0]).to.include({ status: 502, code: 'MESH_ERR_UPSTREAM_RESET', attempts: 1 });
    });

    it(`costs nothing when it ${how} an idle connection just as a GET is sent: a new connection is tried`, async () => {
      const { upstream, proxy } = await rig().pair((peer, index) =>
        answerEach(peer, (head) => {
          if (head.startsWith('GET /first')) return answerOf('first');
          if (index > 0) return answerOf('second try');
          fail(peer);
          return undefined;
        }),
      );
      const client = await rig().send(proxy, 'GET /first HTTP/1.1\r\nHost: a\r\n\r\n');
      await client.readUntil('first');
      client.write('GET /second HTTP/1.1\r\nHost: a\r\n\r\n');
      await client.readUntil('second try');
      expect(upstream.connections).to.have.lengthOf(2);
      expect(upstream.connections[1].text).to.equal('GET /second HTTP/1.1\r\nHost: a\r\n\r\n');
      expect(proxy.outcomes[1]).to.include({ status: 200, attempts: 2 });
      expect(proxy.proxy.stats.reusedConnectionRetries).to.equal(1);
    });

    it(`costs one further attempt when it ${how} all idle connections: the second does not take one of them`, async () => {
      const { upstream, proxy } = await rig().pair((peer, index) => {
        if (index > 1) answerEach(peer, () => answerOf('third connection'));
      });
      const clients = [await rig().send(proxy, GET), await rig().send(proxy, GET)];
      await upstream.awaitConnection(2);
      for (const peer of upstream.connections) {
        await peer.readUntil('\r\n\r\n');
        peer.socket.once('data', () => fail(peer));
      }
      for (const peer of upstream.connections) peer.write(answerOf('idle soon'));
      await until(() => proxy.proxy.stats.upstreamIdle === 2);
      clients[0].write(GET);
      await clients[0].readUntil('third connection');
      expect(upstream.connections).to.have.lengthOf(3);
      expect(proxy.outcomes.at(-1)?.attempts).to.equal(2);
    });

    it(`does not get a POST twice when it ${how} the connection that it came over`, async () => {
      const { upstream, proxy } = await rig().pair((peer) =>
        answerEach(peer, (head) => {
          if (head.startsWith('GET')) return answerOf('first');
          fail(peer);
          return undefined;
        }),
      );
      const client = await rig().send(proxy, GET);
      await client.readUntil('first');
      client.write(POST);
      await client.readUntil('"code":"MESH_ERR_UPSTREAM_RESET"');
      expect(upstream.connections).to.have.lengthOf(1);
    });

    for (const [framing, head] of [
      ['Content-Length', 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\npart'],
      ['chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n'],
    ]) {
      it(`breaks the client's connection when it ${how} in the middle of a body with ${framing}`, async () => {
        const { upstream, proxy } = await rig().pair();
        const client = await rig().send(proxy, GET);
        const peer = await upstream.awaitConnection();
        await peer.readUntil('\r\n\r\n');
        peer.write(head);
        await client.readUntil('part');
        fail(peer);
        await client.awaitClose();
        expect(client.error?.code).to.equal('ECONNRESET');
        expect(proxy.outcomes[0]).to.include({ status: 200, code: 'MESH_ERR_BAD_UPSTREAM', aborted: false });
      });
    }

    it(`is answered for with 502 when it ${how} in the middle of its head`, async () => {
      const { upstream, proxy } = await rig().pair();
      const client = await rig().send(proxy, GET);
      const peer = await upstream.awaitConnection();
      await peer.readUntil('\r\n\r\n');
      peer.write('HTTP/1.1 200 OK\r\nContent-Le');
      await until(() => peer.socket.writableLength === 0);
      fail(peer);
      await client.readUntil('"code":"MESH_ERR_');
      expect(client.text).to.match(/^HTTP\/1\.1 502 /);
    });
  }

  it('breaks the connection of a client whose body ends with the connection when it resets', async () => {
    const { upstream, proxy } = await rig().pair();
    const client = await rig().send(proxy, GET);
    const peer = await upstream.awaitConnection();
    await peer.readUntil('\r\n\r\n');
    peer.write('HTTP/1.1 200 OK\r\n\r\npart');
    await client.readUntil('part');
    peer.reset();
    await client.awaitClose();
    expect(client.error?.code, 'otherwise the part would pass for the whole').to.equal('ECONNRESET');
    expect(proxy.outcomes[0]).to.include({ status: 200, code: 'MESH_ERR_BAD_UPSTREAM' });
  });

  it('breaks the connection of a client when the reset comes right behind data, which Node reports as an end', async () => {
    const { upstream, proxy } = await rig().pair();
    const client = await rig().send(proxy, GET);
    const peer = await upstream.awaitConnection();
    await peer.readUntil('\r\n\r\n');
    peer.write('HTTP/1.1 200 OK\r\n\r\npart');
    await client.readUntil('part');
    peer.write(' and more');
    peer.reset();
    await proxy.awaitOutcomes(1);
    expect(proxy.outcomes[0]).to.include({ status: 200, code: 'MESH_ERR_BAD_UPSTREAM' });
    await client.awaitEnd();
    if (!client.closed) client.write('');
    await client.awaitClose();
    expect(client.error?.code).to.equal('ECONNRESET');
  });

  it('makes a real client fail instead of giving it half an answer', async () => {
    const server = await rig().nodeServer((_incoming, outgoing) => {
      outgoing.writeHead(200);
      outgoing.write('half', () => outgoing.destroy());
    });
    const proxy = await rig().proxy({ upstreamPort: server.port });
    const failure = await rig()
      .nodeRequest(proxy, { path: '/' })
      .then(
        () => undefined,
        (error: NodeJS.ErrnoException) => error,
      );
    expect(failure?.code).to.equal('ECONNRESET');
  });

  it('asks the handler after a refused connect, with what had never been sent', async () => {
    const spare = await rig().upstream((peer) => answerEach(peer, () => answerOf('from the other one')));
    const gone = await rig().upstream();
    const { port } = gone;
    await gone.close();
    const other = new Endpoint('127.0.0.1', spare.port, undefined);
    const failures: unknown[] = [];
    const attempts: number[] = [];
    const reached: unknown[] = [];
    const proxy = await rig().proxy({
      upstreamPort: port,
      handler: {
        again: (call, failure) => {
          failures.push(failure);
          attempts.push(call.attempts);
          return other;
        },
        connected: (endpoint) => reached.push(endpoint),
      },
    });
    const client = await rig().send(proxy, POST);
    await client.readUntil('from the other one');
    expect(failures[0]).to.include({
      code: 'MESH_ERR_CONNECT',
      message: `connect ECONNREFUSED 127.0.0.1:${port}`,
      sent: false,
      reusedConnection: false,
    });
    expect(attempts).to.deep.equal([1]);
    expect(reached).to.deep.equal([other]);
    expect(spare.connections[0].text).to.equal(POST);
    expect(proxy.outcomes[0]).to.include({ status: 200, attempts: 2 });
  });

  it('names every address when a host name with several of them cannot be reached', async () => {
    const gone = await rig().upstream();
    await gone.close();
    const proxy = await rig().proxy({ handler: { begin: () => new Endpoint('localhost', gone.port, undefined) } });
    const client = await rig().send(proxy, GET);
    await client.readUntil('"code":"MESH_ERR_CONNECT"');
    expect(client.text).to.contain(`connect ECONNREFUSED 127.0.0.1:${gone.port}`);
  });

  it('is asked again for a request that the sidecar of the peer could not deliver', async () => {
    const refusal = answerOf('{}', 'HTTP/1.1 502 Bad Gateway\r\nX-Mesher-Error: MESH_ERR_CONNECT\r\n');
    const failures: unknown[] = [];
    const { upstream, proxy } = await rig().pair(
      (peer) => answerEach(peer, (_, index) => (index === 0 ? refusal : answerOf('delivered'))),
      {
        handler: {
          again: (call, failure) => {
            failures.push(failure);
            return call.endpoint ?? new Rejection(failure.code);
          },
        },
      },
    );
    const client = await rig().send(proxy, POST);
    await client.readUntil('delivered');
    expect(client.text).to.equal(answerOf('delivered'));
    expect(failures[0]).to.include({ code: 'MESH_ERR_CONNECT', sent: false });
    expect(upstream.receivedBytes).to.equal(POST.length * 2);
    expect(proxy.outcomes).to.have.lengthOf(1);
  });

  for (const [what, again] of [
    ['refuses', () => new Rejection('MESH_ERR_OVERLOADED')],
    [
      'throws',
      () => {
        throw new Error('broken plugin');
      },
    ],
  ] as const) {
    it(`gives the client the refusal of the peer's sidecar as it is when the handler ${what}`, async () => {
      const refusal = answerOf(
        '{"from":"peer"}',
        'HTTP/1.1 503 Service Unavailable\r\nx-mesher-error: MESH_ERR_DRAINING\r\n',
      );
      const { proxy } = await rig().pair((peer) => answerEach(peer, () => refusal), { handler: { again } });
      const client = await rig().send(proxy, GET);
      await client.readUntil('}');
      expect(client.text).to.equal(refusal);
      expect(proxy.outcomes[0]).to.include({ status: 503, code: undefined });
    });
  }

  it("follows a handler that decides later about the refusal of the peer's sidecar", async () => {
    const refusal = answerOf('{}', 'HTTP/1.1 502 Bad Gateway\r\nX-Mesher-Error: MESH_ERR_UPSTREAM_RESET\r\n');
    const { proxy } = await rig().pair((peer) => answerEach(peer, () => refusal), {
      handler: { again: (_call, failure) => Promise.resolve(new Rejection(failure.code, 'thought about it')) },
    });
    const client = await rig().send(proxy, GET);
    await client.readUntil('thought about it');
    expect(proxy.outcomes[0]).to.include({ status: 502, code: 'MESH_ERR_UPSTREAM_RESET' });
  });
});
