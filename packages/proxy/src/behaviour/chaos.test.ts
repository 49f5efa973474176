import { Endpoint, Rejection, type CallHandler, type Invocation, type Random, type Verdict } from '@mesher/core';
import { SeededRandom } from '@mesher/core/testing';
import { expect } from 'chai';
import { DEFAULT_PROXY_OPTIONS } from '../options.js';
import { answerOf, type RawPeer, type RawUpstream } from '../testing/proxy-harness.js';
import { settleSockets, useProxyRig } from '../testing/proxy-rig.js';

const SEEDS = [1, 2, 3, 4, 5, 6];
const ROUNDS = 60;

/** One of `choices`, all alike. */
function oneOf<T>(random: Random, choices: readonly T[]): T {
  return choices[Math.floor(random.next() * choices.length)];
}

/** An upstream that answers each request in one of many ways; what it answers names the request. */
function unruly(random: Random): (peer: RawPeer) => void {
  return (peer) => {
    let taken = 0;
    peer.socket.on('data', () => {
      for (;;) {
        const rest = peer.text.slice(taken);
        const request = /^(\w+) \/(\d+)[^]*?\r\n\r\n(?:body\d+;)?/.exec(rest);
        if (request === null || (request[1] === 'PUT' && !request[0].endsWith(';'))) return;
        taken += request[0].length;
        answer(peer, request[2]);
      }
    });
  };

  function answer(peer: RawPeer, id: string): void {
    const [fine, busy] = [answerOf(`[${id}]`), answerOf(`[${id}]`, 'HTTP/1.1 503 Busy\r\n')];
    oneOf(random, [
      () => peer.write(fine),
      () => peer.write(fine),
      () => peer.write(`HTTP/1.1 103 Early Hints\r\n\r\n${fine}`),
      () =>
        peer.write(
          `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n[\r\n${(id.length + 1).toString(16)}\r\n${id}]\r\n0\r\n\r\n`,
        ),
      () => peer.write(busy),
      () => peer.write(`HTTP/1.1 103 Early Hints\r\n\r\n${busy}`),
      () => {
        peer.write(busy.slice(0, -2));
        setImmediate(() => void (!peer.closed && peer.write(busy.slice(-2))));
      },
      () => {
        peer.write(busy.slice(0, -2));
        setImmediate(() => peer.reset());
      },
      () => peer.end(`HTTP/1.1 503 Busy\r\n\r\n[${id}]`),
      () => peer.write(`${fine}surplus`),
      () => peer.reset(),
      () => peer.end(),
      () => undefined,
      () => peer.write('HTTP/1.1 200 OK\r\nContent-Le'),
      () => peer.write('no HTTP at all\r\n\r\n'),
    ])();
  }
}

describe('retries, hedges, copies and limits together, with unruly peers', () => {
  const rig = useProxyRig();

  for (const seed of SEEDS) {
    it(`leave nothing behind and mix nothing up (seed ${seed})`, async () => {
      const random = new SeededRandom(seed);
      const upstreams: RawUpstream[] = [];
      for (let i = 0; i < 3; i++) upstreams.push(await rig().upstream(unruly(random)));
      const endpoints = upstreams.map(({ port }) => new Endpoint('127.0.0.1', port, undefined));
      const parked: (() => void)[] = [];
      const soon = (verdict: Verdict): Verdict | Promise<Verdict> =>
        random.next() < 0.6 ? verdict : new Promise((resolve) => parked.push(() => resolve(verdict)));
      const next = (call: Invocation): Endpoint | undefined =>
        call.attempts < 4 && call.bodyReplayable ? oneOf(random, endpoints) : undefined;
      const handler: CallHandler = {
        direction: 'outbound',
        begin: (call) => {
          call.watchesAnswer = random.next() < 0.7;
          call.hedgeAfter = oneOf(random, [Infinity, 0, 60, 200]);
          call.tryTimeout = oneOf(random, [Infinity, 100, 400]);
          call.deadlineAt = call.startedAt + oneOf(random, [Infinity, 0, 300, 1000]);
          if (random.next() < 0.5) call.mirror = { endpoint: oneOf(random, endpoints), authority: 'shadow' };
          return soon(oneOf(random, endpoints));
        },
        again: (call, failure) => soon(next(call) ?? new Rejection(failure.code, failure.message)),
        answered: (call, answer) => {
          const endpoint = answer.status === 503 ? next(call) : undefined;
          if (endpoint === undefined) return undefined;
          const verdict = soon(endpoint);
          return verdict instanceof Rejection ? undefined : verdict;
        },
        isFailure: (_call, answer) => answer.status === 503,
        hedge: (call) => next(call),
        connected: () => {},
        end: () => {},
      };
      const proxy = await rig().proxy({
        handler,
        options: {
          maxConnectionsPerEndpoint: 4,
          maxReplayBytes: 64,
          mirror: { ...DEFAULT_PROXY_OPTIONS.mirror, maxConcurrent: 5, timeout: 500 },
        },
      });
      const clients: { readonly client: RawPeer; readonly ids: Set<string> }[] = [];
      let id = 0;
      for (let round = 0; round < ROUNDS; round++) {
        const ids = new Set<string>();
        let requests = '';
        for (let i = oneOf(random, [1, 1, 2, 3]); i > 0; i--) {
          ids.add(String(++id));
          const body = `body${'0'.repeat(oneOf(random, [1, 30, 100]))};`;
          requests += oneOf(random, [
            `GET /${id} HTTP/1.1\r\nHost: a\r\n\r\n`,
            `GET http://a/${id} HTTP/1.1\r\nHost: a\r\n\r\n`,
            `PUT /${id} HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
          ]);
        }
        const client = await rig().connect(proxy);
        clients.push({ client, ids });
        if (random.next() < 0.3) await client.writePieces(requests, 40);
        else client.write(requests);
        if (random.next() < 0.5) await settleSockets();
        if (random.next() < 0.3) oneOf(random, clients).client.reset();
        if (random.next() < 0.2) oneOf(random, clients).client.destroy();
        for (let i = parked.length; i > 0 && random.next() < 0.8; i--) parked.shift()?.();
        rig().time.advance(oneOf(random, [0, 10, 60, 120, 300]));
      }
      await settleSockets();
      rig().time.advance(31_000);
      await settleSockets();
      const { stats } = proxy.proxy;
      expect([...proxy.proxy.pools].map(({ waiting }) => waiting).filter((waiting) => waiting > 0)).to.deep.equal([]);
      expect(stats.mirrorsOpen).to.equal(0);
      expect(stats.mirrorsAnswered + stats.mirrorsFailed + stats.hedgesLost + stats.hedgesWon).to.be.greaterThan(5);
      for (const { client, ids } of clients) {
        for (const [, answered] of client.text.matchAll(/\[(\d+)\]/g)) {
          expect(ids.delete(answered), `an answer for somebody else, or a second one: ${answered}`).to.equal(true);
        }
      }
      expect(proxy.outcomes.filter(({ status }) => status === 200).length).to.be.greaterThan(5);
    });
  }
});
