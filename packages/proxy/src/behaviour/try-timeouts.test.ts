import { Endpoint, Rejection, type Verdict } from '@mesher/core';
import { expect } from 'chai';
import { LATE, limitedPair } from '../testing/limited-calls.js';
import { answerEach, answerOf, type RawPeer } from '../testing/proxy-harness.js';
import { settleSockets, until, useProxyRig } from '../testing/proxy-rig.js';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
/** Time in which one attempt of 100 ms ends for certain, and the next one does not. */
const ONE_TRY = 150;

describe('the time of one attempt', () => {
  const rig = useProxyRig();

  it('ends an attempt without an answer; the next one may be answered', async () => {
    const { upstream, proxy, failures } = await limitedPair(rig(), { tryTimeout: 100 });
    const client = await rig().send(proxy, GET);
    const one = await upstream.awaitConnection(1);
    await one.readUntil('\r\n\r\n');
    rig().time.advance(ONE_TRY);
    const two = await upstream.awaitConnection(2);
    await one.awaitEnd();
    await two.readUntil('\r\n\r\n');
    two.write(answerOf('fine'));
    await client.readUntil('fine');
    expect(failures).to.have.lengthOf(1);
    expect(failures[0]).to.include({ code: 'MESH_ERR_TRY_TIMEOUT', sent: true, reusedConnection: false });
    expect(failures[0].message).to.contain(proxy.endpoint.key).and.to.contain('100 ms');
    expect(proxy.outcomes[0]).to.include({ status: 200, attempts: 2 });
  });

  it('begins anew with each attempt, and ends the call after the last one', async () => {
    const { upstream, proxy, failures } = await limitedPair(rig(), { tryTimeout: 100 });
    const client = await rig().send(proxy, GET);
    for (let i = 1; i <= 3; i++) {
      await (await upstream.awaitConnection(i)).readUntil('\r\n\r\n');
      rig().time.advance(90);
      await settleSockets();
      expect(failures).to.have.lengthOf(i - 1);
      rig().time.advance(10);
    }
    await client.readUntil('"code":"MESH_ERR_TRY_TIMEOUT"');
    expect(client.text).to.match(/^HTTP\/1\.1 504 /);
    expect(proxy.outcomes[0]).to.include({ code: 'MESH_ERR_TRY_TIMEOUT', attempts: 3 });
  });

  it('counts from the start of connecting, and what was never sent is reported so', async () => {
    const { proxy, failures, upstream } = await limitedPair(
      rig(),
      { tryTimeout: 100 },
      (peer) => answerEach(peer, () => answerOf('fine')),
      {
        begin: () => {
          process.nextTick(() => rig().time.advance(100));
          return proxy.endpoint;
        },
      },
    );
    const client = await rig().send(proxy, GET);
    await client.readUntil('fine');
    expect(failures).to.have.lengthOf(1);
    expect(failures[0]).to.include({ code: 'MESH_ERR_TRY_TIMEOUT', sent: false });
    await until(() => proxy.proxy.stats.upstreamIdle === 2);
    expect(upstream.receivedBytes).to.equal(GET.length);
  });

  it('counts while a call stands in line for a connection', async () => {
    const { upstream, proxy, failures } = await limitedPair(
      rig(),
      { tryTimeout: 100 },
      undefined,
      { again: (_call, failure) => new Rejection(failure.code, failure.message) },
      { maxConnectionsPerEndpoint: 1 },
    );
    const busy = await rig().send(proxy, GET);
    const peer = await upstream.awaitConnection();
    await peer.readUntil('\r\n\r\n');
    peer.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n');
    await busy.readUntil('\r\n\r\n');
    const waiting = await rig().send(proxy, GET);
    await until(() => proxy.proxy.stats.poolWaits === 1);
    rig().pass(100);
    await waiting.readUntil('MESH_ERR_TRY_TIMEOUT');
    expect(failures[0]).to.include({ sent: false });
    expect([...proxy.proxy.pools].map((pool) => pool.waiting)).to.deep.equal([0]);
  });

  it('sends the body again, also what comes after the attempt has ended', async () => {
    const { upstream, proxy } = await limitedPair(rig(), { tryTimeout: 100 });
    const client = await rig().send(proxy, 'PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nfirst');
    await (await upstream.awaitConnection(1)).readUntil('first');
    rig().time.advance(ONE_TRY);
    const two = await upstream.awaitConnection(2);
    client.write('last');
    await two.readUntil('firstlast');
    two.write(answerOf('stored'));
    await client.readUntil('stored');
  });

  it('is cut short by the deadline', async () => {
    const { upstream, proxy, failures } = await limitedPair(rig(), { tryTimeout: 200, deadline: 250 });
    const client = await rig().send(proxy, GET);
    await (await upstream.awaitConnection(1)).readUntil('\r\n\r\n');
    rig().time.advance(220);
    await (await upstream.awaitConnection(2)).readUntil('\r\n\r\n');
    rig().time.advance(80);
    await client.readUntil('}');
    expect(client.text).to.match(LATE).and.to.contain('in 2 attempts');
    expect(failures).to.have.lengthOf(1);
  });

  it('may be taken away for the attempts that follow', async () => {
    const { upstream, proxy, failures } = await limitedPair(rig(), { tryTimeout: 100 }, undefined, {
      again: (call) => {
        call.tryTimeout = Infinity;
        return proxy.endpoint;
      },
    });
    const client = await rig().send(proxy, GET);
    await (await upstream.awaitConnection(1)).readUntil('\r\n\r\n');
    rig().time.advance(ONE_TRY);
    const two = await upstream.awaitConnection(2);
    await two.readUntil('\r\n\r\n');
    rig().time.advance(10_000);
    two.write(answerOf('fine'));
    await client.readUntil('fine');
    expect(failures).to.have.lengthOf(1);
  });

  it('may be followed by a wait, during which it does not count', async () => {
    let goOn: (verdict: Verdict) => void = () => {};
    const { upstream, proxy, failures } = await limitedPair(rig(), { tryTimeout: 100 }, undefined, {
      again: () => new Promise((resolve) => (goOn = resolve)),
    });
    const client = await rig().send(proxy, GET);
    await (await upstream.awaitConnection(1)).readUntil('\r\n\r\n');
    rig().pass(100);
    await until(() => failures.length === 1);
    rig().pass(1000);
    goOn(new Endpoint('127.0.0.1', upstream.port, undefined));
    const two = await upstream.awaitConnection(2);
    await two.readUntil('\r\n\r\n');
    two.write(answerOf('fine'));
    await client.readUntil('fine');
    expect(failures).to.have.lengthOf(1);
  });

  for (const [how, leave] of [
    ['resets its connection', (client: RawPeer) => client.reset()],
    ['closes its connection', (client: RawPeer) => client.destroy()],
  ] as const) {
    it(`ends with a client that ${how} during a later attempt`, async () => {
      const { upstream, proxy } = await limitedPair(rig(), { tryTimeout: 2000, deadline: 10_000 });
      const client = await rig().send(proxy, GET);
      await (await upstream.awaitConnection(1)).readUntil('\r\n\r\n');
      rig().pass(2000);
      const two = await upstream.awaitConnection(2);
      await two.readUntil('\r\n\r\n');
      leave(client);
      await settleSockets();
      rig().time.advance(1000);
      await two.awaitEnd();
      await proxy.awaitOutcomes(1);
      expect(proxy.outcomes[0]).to.include({ aborted: true, status: 0, attempts: 2 });
    });
  }
});
