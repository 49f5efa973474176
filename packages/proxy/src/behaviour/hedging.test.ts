import { Endpoint, Rejection, type CallHandler } from '@mesher/core';
import { expect } from 'chai';
import { HEDGED, HEDGE_AFTER, hedgedPair, sendBoth } from '../testing/hedged-calls.js';
import { NOWHERE, answerEach, answerOf, type RawPeer } from '../testing/proxy-harness.js';
import { settleSockets, until, useProxyRig } from '../testing/proxy-rig.js';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

describe('a hedged call', () => {
  const rig = useProxyRig();

  it('is answered by the first attempt when that is in time, and nobody asks about a second one', async () => {
    const { proxy, told, two } = await hedgedPair(rig(), {
      first: (peer) => answerEach(peer, () => answerOf('quick')),
    });
    const client = await rig().send(proxy, GET);
    await client.readUntil('quick');
    rig().pass(1000);
    expect(told).to.deep.equal([]);
    expect(two.connections).to.have.lengthOf(0);
  });

  it('is answered by the second attempt when that is first; the first one is cancelled', async () => {
    const made = await hedgedPair(rig());
    const [client, first, second] = await sendBoth(rig(), made);
    second.write(`HTTP/1.1 103 Early Hints\r\n\r\n${answerOf('second')}`);
    await client.readUntil('second');
    expect(client.text).to.equal(answerOf('second'));
    await first.awaitEnd();
    expect(made.told).to.deep.equal(['hedge', 'lost one race, left two']);
    expect(made.proxy.outcomes[0]).to.include({ status: 200, code: undefined, attempts: 2 });
    expect(made.proxy.proxy.stats).to.include({ hedgesWon: 1, hedgesLost: 0, upstreamIdle: 1, upstreamOpen: 1 });
    client.write(GET);
    await (await made.one.awaitConnection(2)).readUntil('\r\n\r\n');
  });

  it('is answered by the first attempt when that is first after all; the second one is cancelled', async () => {
    const made = await hedgedPair(rig());
    const [client, first, second] = await sendBoth(rig(), made);
    first.write(`HTTP/1.1 103 Early Hints\r\n\r\n${answerOf('first')}`);
    await client.readUntil('first');
    expect(client.text).to.equal(`HTTP/1.1 103 Early Hints\r\n\r\n${answerOf('first')}`);
    await second.awaitEnd();
    expect(made.told).to.deep.equal(['hedge', 'lost two race, left one']);
    expect(made.proxy.proxy.stats).to.include({ hedgesWon: 0, hedgesLost: 1, upstreamIdle: 1, upstreamOpen: 1 });
  });

  for (const [what, answer, body] of [
    ['in chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n', '2\r\ncd\r\n0\r\n\r\n'],
    ['with a length', 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab', 'cd'],
  ]) {
    for (const version of ['1.0', '1.1']) {
      it(`gets the whole body ${what} from the second attempt (client of HTTP/${version})`, async () => {
        const made = await hedgedPair(rig());
        const [client, , second] = await sendBoth(rig(), made, `GET / HTTP/${version}\r\nHost: a\r\n\r\n`);
        second.write(answer);
        await client.readUntil('ab');
        second.write(body);
        await client.readUntil('cd');
        await made.proxy.awaitOutcomes(1);
        expect(client.text.includes('2\r\nab'), 'chunks are for HTTP/1.1').to.equal(
          version === '1.1' && what === 'in chunks',
        );
        expect(made.proxy.outcomes[0]).to.include({ status: 200, code: undefined });
      });
    }
  }

  it('goes on with the other attempt when one fails; the handler is told, not asked', async () => {
    for (const loser of [0, 1]) {
      const made = await hedgedPair(rig());
      const [client, ...peers] = await sendBoth(rig(), made);
      peers[loser].reset();
      await until(() => made.told.length === 2);
      const [lost, left] = loser === 0 ? ['one', 'two'] : ['two', 'one'];
      expect(made.told).to.deep.equal(['hedge', `lost ${lost} MESH_ERR_UPSTREAM_RESET, left ${left}`]);
      peers[1 - loser].write(answerOf('fine'));
      await client.readUntil('fine');
      expect(made.proxy.outcomes[0]).to.include({ status: 200, code: undefined, attempts: 2 });
    }
  });

  it('asks for another attempt only when none is left', async () => {
    for (const order of [
      [0, 1],
      [1, 0],
    ]) {
      const made = await hedgedPair(rig());
      const [client, ...peers] = await sendBoth(rig(), made);
      peers[order[0]].reset();
      await until(() => made.told.length === 2);
      peers[order[1]].reset();
      await client.readUntil('MESH_ERR_UPSTREAM_RESET');
      const last = order[1] === 0 ? 'one' : 'two';
      expect(made.told.slice(2)).to.deep.equal([`again ${last} MESH_ERR_UPSTREAM_RESET`]);
      expect(made.proxy.outcomes).to.have.lengthOf(1);
    }
  });

  it('sends the whole body of the request twice', async () => {
    const made = await hedgedPair(rig());
    const request = 'PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n';
    const [client, first, second] = await sendBoth(rig(), made, request, '0\r\n\r\n');
    expect([first.text, second.text]).to.deep.equal([request, request]);
    second.write(answerOf('stored'));
    await client.readUntil('stored');
  });

  it('sends what the handler has edited with the second attempt only', async () => {
    const made = await hedgedPair(rig(), {
      handler: {
        hedge: (call) => {
          call.setHeader('x-mesher-attempt', String(call.attempts + 1));
          return new Endpoint('127.0.0.1', made.two.port, undefined);
        },
      },
    });
    const request = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: x\r\nX: 1\r\n\r\n';
    const [client, first, second] = await sendBoth(rig(), made, request);
    expect(first.text).to.equal('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(second.text).to.equal('GET / HTTP/1.1\r\nHost: a\r\nx-mesher-attempt: 2\r\n\r\n');
    second.write(answerOf('second'));
    await client.readUntil('second');
  });

  it('keeps such an edit for the attempts that follow', async () => {
    const made = await hedgedPair(rig(), {
      handler: {
        hedge: (call) => {
          call.setHeader('x-mesher-attempt', '2');
          return new Endpoint('127.0.0.1', made.two.port, undefined);
        },
        again: () => made.proxy.endpoint,
      },
    });
    const [client, first, second] = await sendBoth(rig(), made);
    first.reset();
    await until(() => made.told.length === 2);
    second.reset();
    const third = await made.one.awaitConnection(2);
    await third.readUntil('\r\n\r\n');
    expect(third.text).to.equal('GET / HTTP/1.1\r\nHost: a\r\nx-mesher-attempt: 2\r\n\r\n');
    third.write(answerOf('third'));
    await client.readUntil('third');
  });

  it('survives a second endpoint that cannot be reached', async () => {
    const made = await hedgedPair(rig());
    const client = await rig().send(made.proxy, GET);
    const first = await made.one.awaitConnection();
    await first.readUntil('\r\n\r\n');
    await made.two.close();
    rig().time.advance(HEDGED);
    await until(() => made.told.length === 2);
    expect(made.told[1]).to.equal('lost two MESH_ERR_CONNECT, left one');
    first.write(answerOf('alone'));
    await client.readUntil('alone');
  });

  it('may be answered by the second attempt while the first one still stands in line for a connection', async () => {
    const made = await hedgedPair(rig(), {
      options: { maxConnectionsPerEndpoint: 1 },
      second: (peer) => answerEach(peer, () => answerOf('second')),
    });
    const busy = await rig().send(made.proxy, GET);
    const peer = await made.one.awaitConnection();
    await peer.readUntil('\r\n\r\n');
    peer.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n');
    await busy.readUntil('\r\n\r\n');
    const waiting = await rig().send(made.proxy, GET);
    await until(() => made.proxy.proxy.stats.poolWaits === 1);
    rig().time.advance(HEDGED);
    await waiting.readUntil('second');
    expect([...made.proxy.proxy.pools].map((pool) => pool.waiting)).to.deep.equal([0, 0]);
    expect(made.told).to.deep.equal(['hedge', 'lost one race, left two']);
  });

  it('may be answered by the second attempt while the first one is still connecting', async () => {
    const two = await rig().upstream((peer) => answerEach(peer, () => answerOf('second')));
    const other = new Endpoint('127.0.0.1', two.port, undefined);
    const asked: string[] = [];
    const proxy = await rig().proxy({
      handler: {
        begin: (call) => {
          call.hedgeAfter = HEDGE_AFTER;
          process.nextTick(() => rig().time.advance(HEDGED));
          return NOWHERE;
        },
        hedge: () => other,
        again: (_call, failure) => {
          asked.push(failure.code);
          return new Rejection(failure.code);
        },
      },
    });
    const client = await rig().send(proxy, GET);
    await client.readUntil('second');
    expect(asked).to.deep.equal([]);
    expect(proxy.outcomes[0]).to.include({ status: 200, attempts: 2 });
  });

  describe('whose handler tells failures from answers', () => {
    const BUSY = answerOf('busy', 'HTTP/1.1 503 Service Unavailable\r\n');
    const isFailure: CallHandler['isFailure'] = (_call, answer) => answer.status >= 500;

    it('throws away a failure while the other attempt lives, and keeps the connection', async () => {
      for (const loser of [0, 1]) {
        const made = await hedgedPair(rig(), { handler: { isFailure } });
        const [client, ...peers] = await sendBoth(rig(), made);
        peers[loser].write(BUSY);
        await until(() => made.told.length === 2);
        const [lost, left] = loser === 0 ? ['one', 'two'] : ['two', 'one'];
        expect(made.told[1]).to.equal(`lost ${lost} MESH_ERR_STATUS, left ${left}`);
        expect(made.proxy.proxy.stats.upstreamIdle).to.equal(1);
        peers[1 - loser].write(answerOf('fine'));
        await client.readUntil('fine');
        expect(client.text).to.equal(answerOf('fine'));
      }
    });

    it('passes a failure on when it is the last answer', async () => {
      const made = await hedgedPair(rig(), { handler: { isFailure } });
      const [client, first, second] = await sendBoth(rig(), made);
      second.write(BUSY);
      await until(() => made.told.length === 2);
      first.write(BUSY);
      await client.readUntil('busy');
      expect(client.text).to.equal(BUSY);
    });

    it('takes what the sidecar of a peer could not deliver for a failure, too', async () => {
      const made = await hedgedPair(rig());
      const [client, first, second] = await sendBoth(rig(), made);
      first.write(answerOf('{}', 'HTTP/1.1 502 Bad Gateway\r\nX-Mesher-Error: MESH_ERR_CONNECT\r\n'));
      await until(() => made.told.length === 2);
      expect(made.told[1]).to.equal('lost one MESH_ERR_CONNECT, left two');
      second.write(answerOf('fine'));
      await client.readUntil('fine');
    });
  });

  it('gives each attempt its own time', async () => {
    const made = await hedgedPair(rig(), { tryTimeout: 300 });
    const [client, first, second] = await sendBoth(rig(), made);
    rig().time.advance(200);
    await first.awaitEnd();
    expect(made.told).to.deep.equal(['hedge', 'lost one MESH_ERR_TRY_TIMEOUT, left two']);
    rig().time.advance(150);
    await client.readUntil('"code":"MESH_ERR_TRY_TIMEOUT"');
    await second.awaitEnd();
    expect(made.told[2]).to.equal('again two MESH_ERR_TRY_TIMEOUT');
  });

  it('ends with the deadline, both attempts at once', async () => {
    const made = await hedgedPair(rig(), { deadline: 500 });
    const [client, first, second] = await sendBoth(rig(), made);
    rig().pass(500);
    await client.readUntil('within the deadline of 500 ms, in 2 attempts');
    await first.awaitEnd();
    await second.awaitEnd();
    expect(made.told).to.deep.equal(['hedge']);
    expect(made.proxy.proxy.stats).to.include({ hedgesWon: 0, hedgesLost: 1 });
  });

  it('ends with a responseTimeout that passes for both', async () => {
    const made = await hedgedPair(rig());
    const [client, first, second] = await sendBoth(rig(), made);
    rig().pass(30_000);
    await client.readUntil('did not answer within 30000 ms');
    await first.awaitEnd();
    await second.awaitEnd();
  });

  for (const [how, leave] of [
    ['resets its connection', (client: RawPeer) => client.reset()],
    ['closes its connection', (client: RawPeer) => client.destroy()],
  ] as const) {
    it(`ends both attempts when its client ${how}`, async () => {
      const made = await hedgedPair(rig());
      const [client, first, second] = await sendBoth(rig(), made, GET);
      leave(client);
      await settleSockets();
      rig().time.advance(1000);
      await first.awaitEnd();
      await second.awaitEnd();
      await made.proxy.awaitOutcomes(1);
      expect(made.proxy.outcomes[0]).to.include({ aborted: true, status: 0, attempts: 2 });
      expect(made.proxy.proxy.stats).to.include({ upstreamOpen: 0, hedgesLost: 1 });
    });
  }
});
