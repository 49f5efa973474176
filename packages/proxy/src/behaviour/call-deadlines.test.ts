import {
  Endpoint,
  Rejection,
  type AttemptFailure,
  type CallHandler,
  type Invocation,
  type Verdict,
} from '@mesher/core';
import { expect } from 'chai';
import type { ProxyOptions } from '../options.js';
import { answerEach, answerOf, type ProxyHarness, type RawPeer, type RawUpstream } from '../testing/proxy-harness.js';
import { settleSockets, until, useProxyRig } from '../testing/proxy-rig.js';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const UPLOAD = 'PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nbegin';
/** Time in which one attempt of 100 ms ends for certain, and the next one does not. */
const ONE_TRY = 150;
const LATE =
  /^HTTP\/1\.1 504 [^]*x-mesher-error: MESH_ERR_TIMEOUT\r\n[^]*"message":"[^"]*within the deadline of 250 ms/;

interface Limited {
  readonly upstream: RawUpstream;
  readonly proxy: ProxyHarness;
  readonly failures: AttemptFailure[];
}

describe('limits of a call', () => {
  const rig = useProxyRig();

  /** A proxy whose handler gives each call these limits, and tries again as long as there are attempts left. */
  async function limited(
    limits: { readonly deadline?: number; readonly tryTimeout?: number },
    onConnection?: (peer: RawPeer, index: number) => void,
    handler: Partial<CallHandler> = {},
    options: Partial<ProxyOptions> = {},
  ): Promise<Limited> {
    const failures: AttemptFailure[] = [];
    const { upstream, proxy } = await rig().pair(onConnection, {
      options,
      handler: {
        ...handler,
        begin: (call) => {
          call.deadlineAt = call.startedAt + (limits.deadline ?? Infinity);
          call.tryTimeout = limits.tryTimeout ?? Infinity;
          return handler.begin === undefined ? proxy.endpoint : handler.begin(call);
        },
        again: (call, failure) => {
          failures.push(failure);
          if (handler.again !== undefined) return handler.again(call, failure);
          return call.attempts < 3 ? proxy.endpoint : new Rejection(failure.code, failure.message);
        },
      },
    });
    return { upstream, proxy, failures };
  }

  describe('the deadline', () => {
    it('answers 504 when no answer has begun, and says which deadline it was', async () => {
      const { upstream, proxy } = await limited({ deadline: 250 });
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
      const { upstream, proxy } = await limited({ deadline: 250 });
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
      const { upstream, proxy } = await limited({ deadline: 250, tryTimeout: 100 });
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
      const { upstream, proxy } = await limited({ deadline: 250 });
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
      const { upstream, proxy } = await limited({ deadline: 250 });
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
      const { upstream, proxy } = await limited({ deadline: 250 }, undefined, {
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
      const { upstream, proxy } = await limited({}, undefined, {
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
      const { upstream, proxy } = await limited({ deadline: 250 }, undefined, {
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
      const { upstream, proxy } = await limited({ deadline: 250 }, undefined, {}, { maxConnectionsPerEndpoint: 1 });
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
      const { upstream, proxy, failures } = await limited(
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
      const { upstream, proxy } = await limited({ deadline: 250 });
      const client = await rig().send(proxy, GET);
      client.end();
      await (await upstream.awaitConnection()).readUntil('\r\n\r\n');
      await settleSockets();
      rig().time.advance(300);
      await client.awaitEnd();
      expect(client.text).to.match(LATE);
      const slow = await limited({ deadline: 5000 });
      const gone = await rig().send(slow.proxy, GET);
      await (await slow.upstream.awaitConnection()).readUntil('\r\n\r\n');
      gone.end();
      await settleSockets();
      rig().time.advance(1000);
      await slow.proxy.awaitOutcomes(1);
      expect(slow.proxy.outcomes[0]).to.include({ aborted: true });
    });

    it('ends with the tunnel of a CONNECT that is open', async () => {
      const { upstream, proxy } = await limited({ deadline: 250, tryTimeout: 100 });
      const client = await rig().send(proxy, 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n');
      await client.readUntil('\r\n\r\n');
      rig().pass(1000);
      client.write('still here');
      await (await upstream.awaitConnection()).readUntil('still here');
      client.end();
    });

    it('holds for a CONNECT whose connection is not there yet', async () => {
      const { proxy } = await limited({ deadline: 250 }, undefined, {
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
      const { upstream, proxy } = await limited({ deadline: 250, tryTimeout: 100 });
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

  describe('the time of one attempt', () => {
    it('ends an attempt without an answer; the next one may be answered', async () => {
      const { upstream, proxy, failures } = await limited({ tryTimeout: 100 });
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
      const { upstream, proxy, failures } = await limited({ tryTimeout: 100 });
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
      const { proxy, failures, upstream } = await limited(
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
      const { upstream, proxy, failures } = await limited(
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
      const { upstream, proxy } = await limited({ tryTimeout: 100 });
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
      const { upstream, proxy, failures } = await limited({ tryTimeout: 200, deadline: 250 });
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
      const { upstream, proxy, failures } = await limited({ tryTimeout: 100 }, undefined, {
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
      const calls: Invocation[] = [];
      let goOn: (verdict: Verdict) => void = () => {};
      const { upstream, proxy, failures } = await limited({ tryTimeout: 100 }, undefined, {
        again: (call) => {
          calls.push(call);
          return new Promise((resolve) => (goOn = resolve));
        },
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
        const { upstream, proxy } = await limited({ tryTimeout: 2000, deadline: 10_000 });
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
});
