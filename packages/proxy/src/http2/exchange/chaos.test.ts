import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import { Endpoint, Rejection, type CallHandler, type Invocation, type Random, type Verdict } from '@mesher/core';
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
import { HeaderBlock } from '../hpack/header-block.js';
import { HeaderField } from '../hpack/header-field.js';
import type { RawSession } from '../testing/raw-session.js';

const SEEDS = [1, 2, 3, 4];
const ROUNDS = 60;

function oneOf<T>(random: Random, choices: readonly T[]): T {
  return choices[Math.floor(random.next() * choices.length)];
}

function blockOf(...fields: [string, string][]): HeaderBlock {
  return HeaderBlock.of(fields.map(([name, value]) => new HeaderField(name, value)));
}

const HEAD = blockOf([':status', '200'], ['content-type', 'application/grpc']);
const BUSY = blockOf([':status', '503']);
const BROKEN = blockOf([':status', 'x']);
const EARLY = blockOf([':status', '103']);
const UNAVAILABLE_ALONE = blockOf([':status', '200'], ['grpc-status', '14']);
const UNAVAILABLE = blockOf(['grpc-status', '14']);
const OK = blockOf(['grpc-status', '0']);

/** Answers each request in one of many ways; what it answers names the request. */
function answer(random: Random, session: RawSession, id: number, name: string): void {
  const { writer, socket } = session;
  const body = Buffer.from(`[${name}]`);
  const whole = (): void => {
    writer.headers(id, HEAD, false);
    writer.data(id, body, 0, body.length, false);
    writer.headers(id, OK, true);
  };
  const bare = (status: HeaderBlock): void => {
    writer.headers(id, HEAD, false);
    writer.headers(id, status, true);
  };
  oneOf(random, [
    whole,
    whole,
    () => void setImmediate(() => void (!socket.destroyed && whole())),
    () => {
      writer.headers(id, EARLY, false);
      whole();
    },
    () => {
      writer.headers(id, HEAD, false);
      writer.data(id, body, 0, body.length, true);
      writer.reset(id, 0);
    },
    () => writer.headers(id, BUSY, true),
    () => writer.headers(id, UNAVAILABLE_ALONE, true),
    () => bare(UNAVAILABLE),
    () => bare(OK),
    () => {
      writer.headers(id, HEAD, false);
      writer.reset(id, 2);
    },
    () => {
      writer.headers(id, HEAD, false);
      writer.data(id, body, 0, 1, false);
      setImmediate(() => void (!socket.destroyed && writer.reset(id, 11)));
    },
    () => writer.reset(id, 7),
    () => writer.reset(id, 1),
    () => writer.goaway(id - 2, 0),
    () => writer.goaway(id, 0),
    () => writer.headers(id, BROKEN, false),
    () => writer.data(id, body, 0, body.length, true),
    () => socket.destroy(),
    () => undefined,
  ])();
}

describe('retries, hedges, copies and limits together over HTTP/2, with unruly peers', () => {
  const rig = useProxyRig();

  for (const seed of SEEDS) {
    it(`leave nothing behind and mix nothing up (seed ${seed})`, async () => {
      const random = new SeededRandom(seed);
      const endpoints: Endpoint[] = [];
      for (let i = 0; i < 3; i++) {
        const { port } = await startRawHttp2Server(rig(), (session, id) => {
          const name = session.blocks.at(-1)?.first(':path');
          if (name !== undefined && !session.socket.destroyed) answer(random, session, id, name.slice(1));
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
