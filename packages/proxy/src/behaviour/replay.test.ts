import { Endpoint, Rejection } from '@mesher/core';
import { expect } from 'chai';
import { answerOf } from '../testing/proxy-harness.js';
import { until, useProxyRig } from '../testing/proxy-rig.js';

describe('another attempt', () => {
  const rig = useProxyRig();

  it('sends the whole body again, also the part that comes later', async () => {
    const { upstream, proxy } = await rig().pair(undefined, { handler: { again: () => proxy.endpoint } });
    const head = 'PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 15\r\n\r\n';
    const client = await rig().send(proxy, `${head}first`);
    const one = await upstream.awaitConnection(1);
    await one.readUntil('first');
    client.write('again');
    await one.readUntil('again');
    one.reset();
    const two = await upstream.awaitConnection(2);
    await two.readUntil('firstagain');
    client.write('later');
    await two.readUntil('firstagainlater');
    expect(two.text).to.equal(`${head}firstagainlater`);
    two.write(answerOf('stored'));
    await client.readUntil('stored');
    expect(proxy.outcomes[0]).to.include({ status: 200, attempts: 2 });
  });

  it('sends a chunked body again byte for byte', async () => {
    const { upstream, proxy } = await rig().pair(undefined, { handler: { again: () => proxy.endpoint } });
    const request = 'PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n0\r\nT: 1\r\n\r\n';
    const client = await rig().connect(proxy);
    await client.writePieces(request, 20);
    const one = await upstream.awaitConnection(1);
    await one.readUntil('T: 1\r\n\r\n');
    one.reset();
    const two = await upstream.awaitConnection(2);
    await two.readUntil('T: 1\r\n\r\n');
    expect(two.text).to.equal(request);
    two.write(answerOf('stored'));
    await client.readUntil('stored');
  });

  it('may be made three times, and the head stays the same', async () => {
    const { upstream, proxy } = await rig().pair(undefined, { handler: { again: () => proxy.endpoint } });
    const request = 'PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody';
    const client = await rig().send(proxy, request);
    for (let i = 1; i <= 3; i++) {
      const peer = await upstream.awaitConnection(i);
      await peer.readUntil('body');
      expect(peer.text).to.equal(request);
      if (i < 3) peer.reset();
      else peer.write(answerOf('third time lucky'));
    }
    await client.readUntil('third time lucky');
    expect(proxy.outcomes[0].attempts).to.equal(3);
  });

  it('is not made with a body larger than maxReplayBytes, whatever the handler says', async () => {
    const replayable: boolean[] = [];
    const { upstream, proxy } = await rig().pair(undefined, {
      options: { maxReplayBytes: 1000 },
      handler: {
        again: (call) => {
          replayable.push(call.bodyReplayable);
          return proxy.endpoint;
        },
      },
    });
    const client = await rig().send(
      proxy,
      `PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n\r\n${'x'.repeat(2000)}`,
    );
    const peer = await upstream.awaitConnection();
    await peer.readUntil('x'.repeat(2000));
    peer.reset();
    await client.readUntil('"code":"MESH_ERR_UPSTREAM_RESET"');
    expect(client.text).to.match(/^HTTP\/1\.1 502 /);
    expect(replayable).to.deep.equal([false]);
    expect(upstream.connections).to.have.lengthOf(1);
  });

  it('is made with a body of exactly maxReplayBytes, counted as it is sent: in chunks it is larger', async () => {
    const body = 'x'.repeat(1000);
    for (const [request, attempts] of [
      [`PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n${body}`, 2],
      [`PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n${body}\r\n0\r\n\r\n`, 1],
    ] as const) {
      const { upstream, proxy } = await rig().pair(
        (peer, index) => (index === 0 ? undefined : peer.write(answerOf('ok'))),
        {
          options: { maxReplayBytes: 1000 },
          handler: { again: () => proxy.endpoint },
        },
      );
      const client = await rig().send(proxy, request);
      const peer = await upstream.awaitConnection();
      await peer.readUntil(request.slice(-8));
      peer.reset();
      await client.readUntil(attempts === 2 ? 'ok' : 'MESH_ERR_UPSTREAM_RESET');
      expect(upstream.connections).to.have.lengthOf(attempts);
    }
  });

  it('is made with a body of any size as long as nothing of it was sent', async () => {
    const gone = await rig().upstream();
    await gone.close();
    const { upstream, proxy } = await rig().pair();
    const size = 1_000_000;
    const failing = await rig().proxy({
      options: { maxReplayBytes: 1000 },
      handler: {
        begin: () => new Endpoint('127.0.0.1', gone.port, undefined),
        again: (_call, failure) => (failure.sent ? new Rejection(failure.code) : proxy.endpoint),
      },
    });
    const client = await rig().send(failing, `PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`);
    client.write(Buffer.alloc(size, 'x'));
    const peer = await upstream.awaitConnection();
    const headLength = (await peer.readUntil('\r\n\r\n')).indexOf('\r\n\r\n') + 4;
    await peer.awaitLength(headLength + size);
    peer.write(answerOf('stored'));
    await client.readUntil('stored');
  });

  it('goes on reading a client that had been paused for the upstream that failed', async () => {
    const { upstream, proxy } = await rig().pair((peer, index) => void (index === 0 && peer.socket.pause()), {
      options: { maxReplayBytes: 16_000_000, writeBufferBytes: 65_536 },
      handler: { again: () => proxy.endpoint },
    });
    const size = 15_000_000;
    const client = await rig().send(proxy, `PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`);
    for (let i = 0; i < 15; i++) client.write(Buffer.alloc(1_000_000, 'abcd'));
    const one = await upstream.awaitConnection(1);
    await until(() => client.socket.writableLength > 0 && proxy.proxy.stats.bytesToUpstream > 1_000_000);
    one.reset();
    const two = await upstream.awaitConnection(2);
    const headLength = (await two.readUntil('\r\n\r\n')).indexOf('\r\n\r\n') + 4;
    await two.awaitLength(headLength + size);
    expect(two.received.subarray(headLength).equals(Buffer.alloc(size, 'abcd'))).to.equal(true);
    two.write(answerOf('stored'));
    await client.readUntil('stored');
  });
});
