import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { expect } from 'chai';
import { connectHttp2, requestHttp2, startHttp2Server } from '../../testing/http2-peers.js';
import type { ProxyHarness } from '../../testing/proxy-harness.js';
import { until, useProxyRig } from '../../testing/proxy-rig.js';
import { ErrorCode } from '../error-codes.js';
import { CLIENT_PREFACE, FrameType } from '../frames/frame-format.js';
import { RawFrames } from '../testing/raw-frames.js';
import { GET, get, headers, literals, reset, times } from '../testing/server-case.js';
import { EMPTY_SETTINGS, frame } from '../testing/wire.js';

/** Calls of the honest client at least. */
const MIN_CALLS = 100;
const AT_ONCE = 20;

/** What a flood consists of, in pieces that are written one after the other. */
const FLOODS: Readonly<Record<string, { readonly piece: (index: number) => Buffer; readonly pieces: number }>> = {
  'calls that are reset at once': {
    piece: (index) => Buffer.concat(times(100, (i) => Buffer.concat([get(idOf(index, i)), reset(idOf(index, i))]))),
    pieces: 50,
  },
  'CONTINUATION without end': {
    piece: (index) =>
      index === 0
        ? headers(1, 0, ...GET)
        : Buffer.concat(times(100, () => frame(FrameType.continuation, 0, 1, literals(['x-a', 'a'])))),
    pieces: 50,
  },
  'empty CONTINUATION without end': {
    piece: (index) =>
      index === 0 ? headers(1, 0, ...GET) : Buffer.concat(times(1000, () => frame(FrameType.continuation, 0, 1))),
    pieces: 50,
  },
  'PING without end': {
    piece: () => Buffer.concat(times(1000, () => frame(FrameType.ping, 0, 0, Buffer.alloc(8)))),
    pieces: 50,
  },
  'SETTINGS without end': {
    piece: () => Buffer.concat(times(1000, () => EMPTY_SETTINGS)),
    pieces: 50,
  },
};

function idOf(index: number, i: number): number {
  return (index * 100 + i) * 2 + 1;
}

describe('a client that floods the proxy', () => {
  const rig = useProxyRig();

  /** Answers slowly enough for calls to be under way when others are reset. */
  async function serve(): Promise<ProxyHarness> {
    const server = await startHttp2Server(rig(), (stream) => {
      stream.resume();
      setImmediate(() => {
        if (!stream.destroyed) stream.respond({ ':status': 200 });
        if (!stream.destroyed) stream.end('answer');
      });
    });
    return rig().proxy({ upstreamPort: server.port, speaks: 'http2' });
  }

  async function flooder(proxy: ProxyHarness): Promise<{ socket: Socket; seen: RawFrames; isOver: () => boolean }> {
    const socket = connect(proxy.port, '127.0.0.1');
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    rig().atEnd(() => void socket.destroy());
    const seen = new RawFrames();
    socket.on('data', (chunk: Buffer) => seen.add(chunk));
    socket.write(Buffer.concat([CLIENT_PREFACE, EMPTY_SETTINGS, frame(FrameType.settings, 1, 0)]));
    let isOver = false;
    socket.on('close', () => (isOver = true));
    socket.on('end', () => (isOver = true));
    return { socket, seen, isOver: () => isOver };
  }

  /** Calls of an honest client, for as long as the flood goes on. @returns how they ended, each way once */
  async function callDuring(proxy: ProxyHarness, flood: () => Promise<void>): Promise<Set<string>> {
    const session = connectHttp2(rig(), proxy);
    const ends = new Set<string>();
    let isFlooding = true;
    let answered = 0;
    const caller = async (): Promise<void> => {
      while (isFlooding || answered < MIN_CALLS) {
        const { status, body, resetCode } = await requestHttp2(session, { ':method': 'POST' }, 'message');
        ends.add(`${status} ${body.toString()} ${resetCode}`);
        answered++;
      }
    };
    const callers = Promise.all(Array.from({ length: AT_ONCE }, caller));
    await flood();
    isFlooding = false;
    await callers;
    return ends;
  }

  for (const [name, { piece, pieces }] of Object.entries(FLOODS)) {
    it(`with ${name} has to go, and costs no other client a call`, async () => {
      const proxy = await serve();
      const { socket, seen, isOver } = await flooder(proxy);
      const ends = await callDuring(proxy, async () => {
        for (let i = 0; i < pieces && !isOver(); i++) {
          socket.write(piece(i));
          await turn();
        }
        await until(isOver);
      });
      expect(seen.goaways).to.deep.equal([ErrorCode.enhanceYourCalm]);
      expect([...ends]).to.deep.equal(['200 answer 0']);
      expect([...proxy.proxy.stats.http2Violations].reduce((sum, [, count]) => sum + count, 0)).to.equal(1);
    });
  }

  it('from ten connections, with fewer resets than are noticed on each, costs no other client a call', async () => {
    const proxy = await serve();
    const ends = await callDuring(proxy, async () => {
      for (let i = 0; i < 10; i++) {
        const { socket } = await flooder(proxy);
        for (let k = 0; k < 4; k++) {
          socket.write(FLOODS['calls that are reset at once'].piece(k));
          await turn();
        }
      }
      await until(() => proxy.proxy.stats.http2ResetsReceived === 4000);
    });
    expect([...ends]).to.deep.equal(['200 answer 0']);
  });
});

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
