import { Socket } from 'node:net';
import type { ProxyHarness, RawClient, RawPeer, RawUpstream } from './proxy-harness.js';
import { settleSockets, until, untilStill, type ProxyRig } from './proxy-rig.js';

/** One write: less than the smallest read buffer of an upstream connection. */
const PIECE = 8192;
/** So many answers are tried before the test fails. */
const ATTEMPTS = 100;
/** Announced where the answer is not meant to be complete. */
const HUGE = 1e12;

/** A client that has read nothing of an answer of which all has left the upstream. */
export interface UnreadTail {
  readonly client: RawClient;
  /** The upstream connection that gave the answer. */
  readonly peer: RawPeer;
  /** Bytes of the body, all of them `x`. */
  readonly length: number;
}

/** Bytes that wait in this process to be written to connections accepted at `port`. */
export function queuedBytes(port: number): number {
  return queued((socket) => socket.localPort === port);
}

/** Bytes that wait in this process to be written to connections made to `port`. */
export function queuedTowards(port: number): number {
  return queued((socket) => socket.remotePort === port);
}

/** Writes piece by piece until some of it waits in this process to be written to connections made to `port`; gives what was written. */
export async function writeUntilQueued(from: RawPeer, port: number): Promise<number> {
  const piece = Buffer.alloc(PIECE, 'x');
  let sent = 0;
  while (queuedTowards(port) === 0) {
    from.write(piece);
    sent += PIECE;
    await until(() => from.socket.writableLength === 0);
    await settleSockets();
  }
  return sent;
}

function queued(isMeant: (socket: Socket) => boolean): number {
  const { _getActiveHandles } = process as unknown as { _getActiveHandles(): unknown[] };
  return _getActiveHandles
    .call(process)
    .filter((handle): handle is Socket => handle instanceof Socket && isMeant(handle))
    .reduce((sum, socket) => sum + socket.writableLength, 0);
}

/**
 * Brings about the moment in which a whole answer has been read from the upstream, and its last bytes wait here for a client that
 * does not read. How much the kernel takes before is not known and varies, so answers of several sizes are tried.
 *
 * @param request the head of the request for a path
 * @param head of the answer, for a length of its body
 */
export async function makeUnreadTail(
  rig: ProxyRig,
  proxy: ProxyHarness,
  upstream: RawUpstream,
  request: (path: string) => string,
  head: (length: number) => string,
): Promise<UnreadTail> {
  let length = Infinity;
  for (let i = 0; i < ATTEMPTS; i++) {
    const announced = Math.min(length, HUGE);
    const { client, peer, sent } = await answerUnread(rig, proxy, upstream, request(`/${i}/`), head(announced), length);
    const isStuck = queuedBytes(proxy.port) > 0;
    if (isStuck && sent === length) return { client, peer, length };
    client.reset();
    if (sent < length) peer.reset();
    await until(() => proxy.proxy.stats.connectionsOpen === 0);
    // What got stuck is what the next answer should consist of; what passed was too little.
    length = isStuck ? sent : length + PIECE / 2;
  }
  throw new Error('no answer got stuck with its last bytes');
}

/** Answers piece by piece until `length` bytes are sent, or some stay in this process. */
async function answerUnread(
  rig: ProxyRig,
  proxy: ProxyHarness,
  upstream: RawUpstream,
  request: string,
  head: string,
  length: number,
): Promise<{ client: RawClient; peer: RawPeer; sent: number }> {
  const client = await rig.connect(proxy);
  client.socket.pause();
  client.write(request);
  const isAsked = (peer: RawPeer): boolean => peer.text.includes(request.slice(0, request.indexOf(' HTTP')));
  await until(() => upstream.connections.some(isAsked));
  const peer = upstream.connections.find(isAsked) as RawPeer;
  peer.write(head);
  const piece = Buffer.alloc(PIECE, 'x');
  let sent = 0;
  while (sent < length && queuedBytes(proxy.port) === 0) {
    const size = Math.min(PIECE, length - sent);
    const before = proxy.proxy.stats.bytesToDownstream;
    peer.write(piece.subarray(0, size));
    sent += size;
    await until(() => proxy.proxy.stats.bytesToDownstream >= before + size);
  }
  await untilStill(() => proxy.proxy.stats.bytesToDownstream);
  return { client, peer, sent };
}
