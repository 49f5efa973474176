import { connect, type Socket } from 'node:net';
import { expect } from 'chai';
import { startHttp2Server } from '../../testing/http2-peers.js';
import type { ProxyHarness } from '../../testing/proxy-harness.js';
import { until, useProxyRig } from '../../testing/proxy-rig.js';
import { CLIENT_PREFACE } from '../frames/frame-format.js';
import { ALL, data, END, get, headers, post, reset, setting, windowUpdate } from '../testing/server-case.js';
import { EMPTY_SETTINGS, frame } from '../testing/wire.js';

const SETTINGS_ACK = frame(4, 1, 0);
const PIECE = Buffer.alloc(9000, 97);
const ANSWER = Buffer.alloc(70_000, 98);
const PADDED = 8;
const CLIENTS = 6;
const STREAMS = 64;

/** Ways in which a client begins a call and ends it, or makes us end it. */
const ENDINGS: readonly ((id: number) => readonly Buffer[])[] = [
  (id) => [get(id)],
  (id) => [post(id), data(id, PIECE)],
  (id) => [post(id), data(id, PIECE, 0), headers(id, END | ALL, ['a', 'b'])],
  (id) => [get(id), reset(id)],
  (id) => [post(id), data(id, PIECE, 0), reset(id)],
  (id) => [post(id), data(id, PIECE, 0), windowUpdate(id, 0)],
  (id) => [post(id), data(id, PIECE, 0), windowUpdate(id, 0x7fff_ffff)],
  (id) => [post(id, ['content-length', '5']), data(id, PIECE)],
  (id) => [get(id), data(id, PIECE)],
  (id) => [post(id), frame(0, PADDED, id, Buffer.concat([Buffer.from([200]), PIECE]))],
  (id) => [post(id), data(id, PIECE, 0), frame(2, 0, id, [0, 0, id >> 8, id & 255, 1])],
  (id) => [post(id), data(id, PIECE, 0)],
];

describe('calls of hostile clients, each ended another way', () => {
  const rig = useProxyRig();

  /** Clients that say all of it at once, some with windows that let no answer pass, and leave one way or another. */
  async function storm(proxy: ProxyHarness): Promise<void> {
    const sockets: Socket[] = [];
    for (let client = 0; client < CLIENTS; client++) {
      const socket = connect(proxy.port, '127.0.0.1');
      socket.on('error', () => undefined).resume();
      sockets.push(socket);
      const window = client % 2 === 0 ? setting(4, 1000 * client) : EMPTY_SETTINGS;
      const frames = [CLIENT_PREFACE, window, SETTINGS_ACK];
      for (let i = 0; i < STREAMS; i++) frames.push(...ENDINGS[(i + client) % ENDINGS.length](1 + 2 * i));
      socket.write(Buffer.concat(frames));
    }
    await proxy.awaitBegun(CLIENTS * STREAMS * 0.75);
    await until(() => proxy.outcomes.length > (CLIENTS * STREAMS) / 2);
    for (const [i, socket] of sockets.entries()) {
      if (i % 3 === 0) socket.resetAndDestroy();
      else if (i % 3 === 1) socket.end();
      else socket.end(frame(7, 0, 0, Buffer.alloc(8)));
    }
    await until(() => proxy.listener.openConnections === 0);
    await until(() => proxy.outcomes.length === proxy.ends.size);
  }

  it('leave nothing behind where the instance speaks HTTP/2', async () => {
    const server = await startHttp2Server(rig(), (stream) => {
      stream.resume().on('end', () => {
        if (stream.destroyed) return;
        stream.respond({ ':status': 200 });
        stream.end(ANSWER);
      });
    });
    const proxy = await rig().proxy({ upstreamPort: server.port, speaks: 'http2' });
    await storm(proxy);
    const { bufferedBytes, upstream, downstream } = proxy.proxy.http2;
    expect([bufferedBytes, upstream.streams, upstream.waiting, downstream.streams]).to.deep.equal([0, 0, 0, 0]);
  });

  it('leave nothing behind where the instance speaks HTTP/1', async () => {
    const server = await rig().nodeServer((request, response) => {
      request.on('error', () => undefined).resume();
      request.on('end', () => response.end(ANSWER));
    });
    const proxy = await rig().proxy({ upstreamPort: server.port, speaks: 'http1' });
    await storm(proxy);
    expect(proxy.proxy.http2.bufferedBytes).to.equal(0);
    await until(() => proxy.proxy.stats.upstreamOpen === proxy.proxy.stats.upstreamIdle);
  });
});
