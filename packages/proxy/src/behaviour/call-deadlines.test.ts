import type { Verdict } from '@mesher/core';
import { expect } from 'chai';
import { LATE, limitedPair } from '../testing/limited-calls.js';
import { settleSockets, until, useProxyRig } from '../testing/proxy-rig.js';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const UPLOAD = 'PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nbegin';

describe('the deadline of a call', () => {
  const rig = useProxyRig();

  it('answers 504 when no answer has begun, and says which deadline it was', async () => {
    const { upstream, proxy } = await limitedPair(rig(), { deadline: 250 });
    const client = await rig().send(proxy, GET);
    const peer = await upstream.awaitConnection();
    await peer.readUntil('\r\n\r\n');
    rig().time.advance(240);
    await settleSockets();
    expect(client.length).to.equal(0);
    rig().time.advance(60);
    await client.readUntil('}');
    expect(client.text).to.match(LATE);
    await peer.awaitEnd();
    expect(proxy.proxy.stats.timeouts).to.equal(1);
    client.write(GET);
    await upstream.awaitConnection(2);
  });

  it('does not matter any more once the answer has begun', async () => {
    const { upstream, proxy } = await limitedPair(rig(), { deadline: 250 });
    const client = await rig().send(proxy, GET);
    const peer = await upstream.awaitConnection();
    await peer.readUntil('\r\n\r\n');
    peer.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab');
    await client.readUntil('ab');
    rig().pass(10_000);
    peer.write('cd');
    await client.readUntil('abcd');
    expect(proxy.outcomes[0]).to.include({ status: 200, code: undefined });
  });

  it('does not make a stalled answer one that never began: the client is cut off, not told', async () => {
    const { upstream, proxy } = await limitedPair(rig(), { deadline: 250, tryTimeout: 100 });
    const client = await rig().send(proxy, GET);
    const peer = await upstream.awaitConnection();
    await peer.readUntil('\r\n\r\n');
    peer.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab');
    await client.readUntil('ab');
    rig().pass(300_000);
    await client.awaitClose();
    expect(client.text).to.match(/\r\n\r\nab$/);
    expect(proxy.outcomes[0]).to.include({ status: 200, code: 'MESH_ERR_TIMEOUT', attempts: 1 });
  });

  it('is not moved by interim answers', async () => {
    const { upstream, proxy } = await limitedPair(rig(), { deadline: 250 });
    const client = await rig().send(proxy, GET);
    const peer = await upstream.awaitConnection();
    await peer.readUntil('\r\n\r\n');
    for (let i = 0; i < 4; i++) {
      peer.write('HTTP/1.1 102 Processing\r\n\r\n');
      await client.readUntil(new RegExp(`(102 Processing[^]*){${i + 1}}`));
      rig().time.advance(50);
    }
    rig().time.advance(100);
    await client.readUntil('within the deadline of 250 ms');
  });

  it('holds while the body is being sent: the client is told, and its connection closes', async () => {
    const { upstream, proxy } = await limitedPair(rig(), { deadline: 250 });
    const client = await rig().send(proxy, UPLOAD);
    const peer = await upstream.awaitConnection();
    await peer.readUntil('begin');
    for (let i = 0; i < 4; i++) {
      client.write('more');
      await peer.readUntil('more'.repeat(i + 1));
      rig().time.advance(50);
    }
    rig().time.advance(100);
    const answer = (await client.awaitEnd()).toString('latin1');
    expect(answer).to.match(LATE);
    expect(answer).to.contain('the request was still being sent').and.to.contain('connection: close');
    await peer.awaitEnd();
    client.end();
  });

  it('holds while a decision is being waited for, whose outcome counts for nothing then', async () => {
    let decide: (verdict: Verdict) => void = () => {};
    const { upstream, proxy } = await limitedPair(rig(), { deadline: 250 }, undefined, {
      begin: () => new Promise((resolve) => (decide = resolve)),
    });
    const client = await rig().send(proxy, GET);
    await proxy.awaitBegun(1);
    rig().pass(250);
    await client.readUntil('}');
    expect(client.text).to.match(LATE);
    decide(proxy.endpoint);
    await settleSockets();
    expect(upstream.connections).to.have.lengthOf(0);
  });

  it('that has passed when the decision comes keeps the attempt from being made', async () => {
    const { upstream, proxy } = await limitedPair(rig(), {}, undefined, {
      begin: (call) => {
        call.deadlineAt = call.startedAt;
        return proxy.endpoint;
      },
    });
    const client = await rig().send(proxy, GET);
    await client.readUntil('within the deadline of 0 ms');
    expect(upstream.connections).to.have.lengthOf(0);
    expect(proxy.outcomes[0]).to.include({ status: 504, attempts: 0 });
  });

  it('holds while a connection is being made; that one is left to others', async () => {
    const { upstream, proxy } = await limitedPair(rig(), { deadline: 250 }, undefined, {
      begin: () => {
        // Before the event loop turns, no connection can have been made.
        process.nextTick(() => rig().pass(250));
        return proxy.endpoint;
      },
    });
    const client = await rig().send(proxy, GET);
    await client.readUntil('}');
    expect(client.text).to.match(LATE);
    await until(() => proxy.proxy.stats.upstreamIdle === 1);
    expect(upstream.receivedBytes).to.equal(0);
  });

  it('holds for a call that stands in line for a connection', async () => {
    const { upstream, proxy } = await limitedPair(
      rig(),
      { deadline: 250 },
      undefined,
      {},
      { maxConnectionsPerEndpoint: 1 },
    );
    const busy = await rig().send(proxy, GET);
    await (await upstream.awaitConnection()).readUntil('\r\n\r\n');
    rig().time.advance(200);
    const waiting = await rig().send(proxy, GET);
    await until(() => proxy.proxy.stats.poolWaits === 1);
    upstream.connections[0].write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n');
    await busy.readUntil('\r\n\r\n');
    rig().pass(250);
    await waiting.readUntil('}');
    expect(waiting.text).to.match(LATE);
    expect([...proxy.proxy.pools].map((pool) => pool.waiting)).to.deep.equal([0]);
  });

  it('ends the attempts, however many are left, and the waits between them', async () => {
    const { upstream, proxy, failures } = await limitedPair(
      rig(),
      { deadline: 250 },
      (peer, index) => void (index === 0 && peer.socket.once('data', () => peer.reset())),
      { again: () => new Promise(() => {}) },
    );
    const client = await rig().send(proxy, GET);
    await until(() => failures.length === 1);
    rig().pass(250);
    await client.readUntil('}');
    expect(client.text).to.match(LATE);
    expect(upstream.connections).to.have.lengthOf(1);
  });

  it('holds for a client that has ended its side, whose going away is noticed all the same', async () => {
    const { upstream, proxy } = await limitedPair(rig(), { deadline: 250 });
    const client = await rig().send(proxy, GET);
    client.end();
    await (await upstream.awaitConnection()).readUntil('\r\n\r\n');
    await settleSockets();
    rig().time.advance(300);
    await client.awaitEnd();
    expect(client.text).to.match(LATE);
    const slow = await limitedPair(rig(), { deadline: 5000 });
    const gone = await rig().send(slow.proxy, GET);
    await (await slow.upstream.awaitConnection()).readUntil('\r\n\r\n');
    gone.end();
    await settleSockets();
    rig().time.advance(1000);
    await slow.proxy.awaitOutcomes(1);
    expect(slow.proxy.outcomes[0]).to.include({ aborted: true });
  });

  it('ends with the tunnel of a CONNECT that is open', async () => {
    const { upstream, proxy } = await limitedPair(rig(), { deadline: 250, tryTimeout: 100 });
    const client = await rig().send(proxy, 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n');
    await client.readUntil('\r\n\r\n');
    rig().pass(1000);
    client.write('still here');
    await (await upstream.awaitConnection()).readUntil('still here');
    client.end();
  });

  it('holds for a CONNECT whose connection is not there yet', async () => {
    const { proxy } = await limitedPair(rig(), { deadline: 250 }, undefined, {
      begin: () => {
        process.nextTick(() => rig().pass(250));
        return proxy.endpoint;
      },
    });
    const client = await rig().send(proxy, 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n');
    await client.readUntil('}');
    expect(client.text).to.match(LATE);
  });

  it('ends with the switch of protocols', async () => {
    const { upstream, proxy } = await limitedPair(rig(), { deadline: 250, tryTimeout: 100 });
    const client = await rig().send(proxy, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
    const peer = await upstream.awaitConnection();
    await peer.readUntil('\r\n\r\n');
    peer.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
    await client.readUntil('\r\n\r\n');
    rig().pass(1000);
    client.write('still here');
    await peer.readUntil('still here');
    client.end();
  });
});
