import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import { Endpoint, Rejection, type CallHandler, type Invocation, type Verdict } from '@mesher/core';
import { SeededRandom } from '@mesher/core/testing';
import { expect } from 'chai';
import { DEFAULT_PROXY_OPTIONS } from '../../options.js';
import {
  connectHttp2,
  openStream,
  readAnswer,
  startRawHttp2Server,
  type Http2Answer,
} from '../../testing/http2-peers.js';
import { settleSockets, useProxyRig } from '../../testing/proxy-rig.js';
import { answerSomehow, oneOf } from '../testing/unruly-answers.js';

const SEEDS = [1, 2, 3, 4];
const ROUNDS = 60;

describe('retries, hedges, copies and limits together over HTTP/2, with unruly peers', () => {
  const rig = useProxyRig();

  for (const seed of SEEDS) {
    it(`leave nothing behind and mix nothing up (seed ${seed})`, async () => {
      const random = new SeededRandom(seed);
      const endpoints: Endpoint[] = [];
      for (let i = 0; i < 3; i++) {
        const { port } = await startRawHttp2Server(rig(), (session, id) => {
          const name = session.blocks.at(-1)?.first(':path');
          if (name !== undefined && !session.socket.destroyed) answerSomehow(random, session, id, name.slice(1));
        });
        endpoints.push(new Endpoint('127.0.0.1', port, undefined, 1, undefined, 'http2'));
      }
      const parked: (() => void)[] = [];
      const soon = (verdict: Verdict): Verdict | Promise<Verdict> =>
        random.next() < 0.6 ? verdict : new Promise((resolve) => parked.push(() => resolve(verdict)));
      const next = (call: Invocation): Endpoint | undefined =>
        call.attempts < 4 && call.bodyReplayable ? oneOf(random, endpoints) : undefined;
      const isBad = ({ status, grpcStatus }: { status: number; grpcStatus?: number | undefined }): boolean =>
        status === 503 || grpcStatus === 14;
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
        answered: (call, head) => {
          const endpoint = isBad(head) ? next(call) : undefined;
          if (endpoint === undefined) return undefined;
          const verdict = soon(endpoint);
          return verdict instanceof Rejection ? undefined : verdict;
        },
        isFailure: (_call, head) => isBad(head),
        hedge: (call) => next(call),
        connected: () => {},
        end: () => {},
      };
      const proxy = await rig().proxy({
        handler,
        options: {
          maxReplayBytes: 64,
          mirror: { ...DEFAULT_PROXY_OPTIONS.mirror, maxConcurrent: 5, timeout: 500 },
        },
      });
      const sessions: ClientHttp2Session[] = [];
      const calls: {
        readonly name: string;
        readonly stream: ClientHttp2Stream;
        readonly answer: Promise<Http2Answer>;
      }[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        if (round % 10 === 0) sessions.push(connectHttp2(rig(), proxy));
        const session = sessions[sessions.length - 1];
        for (let i = oneOf(random, [1, 1, 2, 3]); i > 0 && !session.destroyed; i--) {
          const name = `${calls.length}`;
          const body = oneOf(random, ['', 'x', 'x'.repeat(100)]);
          const headers = { ':path': `/${name}`, ':method': body === '' ? 'GET' : 'POST' };
          const type = random.next() < 0.6 ? { 'content-type': 'application/grpc' } : {};
          const stream = openStream(session, { ...headers, ...type }, body === '');
          calls.push({ name, stream, answer: readAnswer(stream) });
          if (body !== '' && random.next() < 0.8) stream.end(body);
          else if (body !== '') stream.write(body);
        }
        if (random.next() < 0.5) await settleSockets();
        if (random.next() < 0.3) oneOf(random, calls).stream.close(8);
        if (random.next() < 0.05) session.destroy();
        for (let i = parked.length; i > 0 && random.next() < 0.8; i--) parked.shift()?.();
        rig().time.advance(oneOf(random, [0, 10, 60, 120, 300]));
      }
      for (const { stream } of calls) if (!stream.destroyed) stream.end();
      await rig().passSlowly(301_000);
      for (const resolve of parked) resolve();
      await settleSockets();
      const { stats } = proxy.proxy;
      expect([...proxy.proxy.streamPools].filter(({ streams, waiting }) => streams + waiting > 0)).to.deep.equal([]);
      expect(stats.mirrorsOpen).to.equal(0);
      expect(stats.mirrorsAnswered + stats.mirrorsFailed + stats.hedgesLost + stats.hedgesWon).to.be.greaterThan(5);
      for (const { name, answer: read } of calls) {
        const named = [...String((await read).body).matchAll(/\[(\d+)\]/g)].map(([, one]) => one);
        if (named.length > 0) expect(named, 'an answer for somebody else, or a second one').to.deep.equal([name]);
      }
      expect(
        proxy.outcomes.filter(({ status, code }) => status === 200 && code === undefined).length,
      ).to.be.greaterThan(5);
    });
  }
});
