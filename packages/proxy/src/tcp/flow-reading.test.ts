import { expect } from 'chai';
import { createHash, randomBytes } from 'node:crypto';
import type { RawPeer } from '../testing/raw-peer.js';
import { settleSockets, untilStill, useProxyRig } from '../testing/proxy-rig.js';
import { ReadBuffers } from '../upstream/read-buffers.js';
import { FlowBuffer } from './flow-buffer.js';
import { readFlow } from './flow-reading.js';

const MB = 1024 * 1024;
const BINARY = '\x00\x01\x02binary';

describe('a client that sends more than it says in turns', () => {
  const rig = useProxyRig();

  async function relayed(): Promise<{ client: RawPeer; peer: RawPeer; sent: () => number }> {
    const { upstream, proxy } = await rig().pair(undefined, { destination: { service: 'db' } });
    const client = await rig().send(proxy, BINARY);
    const peer = await upstream.awaitConnection();
    await peer.readUntil(BINARY);
    return { client, peer, sent: () => proxy.proxy.stats.bytesToUpstream };
  }

  it('is read into a buffer that is used again, which this Node.js can do', async () => {
    const { client } = await relayed();
    const pool = new ReadBuffers();
    expect(readFlow(client.socket, pool, () => true)).to.be.instanceOf(FlowBuffer);
  });

  it('gets every byte through, be they many or few, one way or both', async () => {
    const { client, peer } = await relayed();
    const sent: Buffer[] = [Buffer.from(BINARY, 'latin1')];
    let length = BINARY.length;
    for (const size of [3 * MB, 10, 5000, 70_000, 1, 2 * MB + 1, 4096, 65_536]) {
      const piece = randomBytes(size);
      sent.push(piece);
      length += size;
      client.write(piece);
      peer.write(piece);
      await Promise.all([peer.awaitLength(length), client.awaitLength(length - BINARY.length)]);
    }
    expect(digest(peer.received)).to.equal(digest(Buffer.concat(sent)));
    expect(digest(client.received)).to.equal(digest(Buffer.concat(sent.slice(1))));
    client.end();
    await peer.awaitEnd();
  });

  it('waits for a slow upstream, and none of what waits is overwritten by another connection', async () => {
    const slow = await relayed();
    slow.peer.socket.pause();
    const first = randomBytes(24 * MB);
    slow.client.write(first);
    slow.client.end();
    const taken = await untilStill(slow.sent);
    expect(taken).to.be.lessThan(16 * MB);
    const other = await relayed();
    const second = randomBytes(8 * MB);
    other.client.write(second);
    await other.peer.awaitLength(BINARY.length + second.length);
    slow.peer.socket.resume();
    await slow.peer.awaitEnd();
    expect(digest(slow.peer.received.subarray(BINARY.length))).to.equal(digest(first));
    expect(digest(other.peer.received.subarray(BINARY.length))).to.equal(digest(second));
  });

  it('leaves its buffer to the next one only when nothing refers to it any more', async () => {
    const gone = await relayed();
    gone.peer.socket.pause();
    gone.client.write(Buffer.alloc(24 * MB, 'x'));
    await untilStill(gone.sent);
    // What waits for the upstream is still to leave, or to be thrown away, when the next connection reads.
    gone.client.reset();
    await settleSockets();
    const next = await relayed();
    const bytes = randomBytes(4 * MB);
    next.client.write(bytes);
    gone.peer.socket.resume();
    await next.peer.awaitLength(BINARY.length + bytes.length);
    expect(digest(next.peer.received.subarray(BINARY.length))).to.equal(digest(bytes));
    await gone.peer.awaitEnd();
    expect(gone.peer.received.subarray(BINARY.length).every((byte) => byte === 'x'.charCodeAt(0))).to.equal(true);
  });
});

describe('the buffer of one side of a relay', () => {
  const pool = new ReadBuffers();

  it('grows when a read fills it, and shrinks when little is said', () => {
    const flow = new FlowBuffer(pool, false);
    const small = flow.bytes;
    flow.adapt(small.length - 1, false);
    expect(flow.bytes).to.equal(small);
    flow.adapt(small.length, false);
    expect(flow.bytes).to.have.lengthOf(65_536);
    flow.adapt(65_536, false);
    expect(flow.bytes).to.have.lengthOf(65_536);
    flow.adapt(100, false);
    expect(flow.bytes).to.equal(small);
  });

  it('gives no buffer back to the pool that a write refers to', () => {
    const flow = new FlowBuffer(pool, true);
    const large = flow.bytes;
    flow.adapt(100, true);
    expect(flow.bytes).to.equal(large);
    flow.rest(true);
    expect(pool.large()).not.to.equal(large);
    const other = new FlowBuffer(pool, true);
    const { bytes } = other;
    other.rest(false);
    expect(pool.large()).to.equal(bytes);
  });

  it('does not read again into a small one that a write refers to', () => {
    const flow = new FlowBuffer(pool, false);
    const small = flow.bytes;
    flow.adapt(small.length, true);
    flow.adapt(1, false);
    expect(flow.bytes).not.to.equal(small);
  });
});

function digest(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
