import { expect } from 'chai';
import { FrameType } from '../frames/frame-format.js';
import { data, get, post, reset, setting, times, windowUpdate } from '../testing/server-case.js';
import { ServerRig, type TestCall, type TestClient } from '../testing/server-rig.js';
import { frame } from '../testing/wire.js';

const KB = 1024;
const LARGE = 1_000_000;

function sentOn(client: TestClient, id: number): number {
  return client.seen.dataOf(id).reduce((sum, bytes) => sum + bytes, 0);
}

describe('flow control of HTTP/2', () => {
  it('lets one stalled stream hold up no other, whichever way it is stalled', () => {
    const rig = new ServerRig({ onCall: (call) => (call.holds = call.stream.id === 1) });
    const client = rig
      .connect()
      .greet()
      .send(windowUpdate(0, LARGE), post(1), ...times(16, () => data(1, Buffer.alloc(16 * KB), 0)));
    expect(rig.calls[0].received).to.equal(256 * KB);
    client.send(setting(4, 10), get(3), setting(4, 0), setting(4, 70_000));
    for (let id = 5; id < 105; id += 2) client.send(post(id), data(id, Buffer.alloc(10_000)));
    for (let id = 3; id < 105; id += 2) expect(client.seen.isEnded(id), `stream ${id}`).to.equal(true);
    expect(client.seen.of(FrameType.windowUpdate, 1), 'credit for what waits').to.deep.equal([]);
    rig.calls[0].stream.consumed(256 * KB);
    expect(client.hear().seen.of(FrameType.windowUpdate, 1)).to.have.lengthOf(1);
  });

  it('gives the window of the connection back at once, also for bytes that wait on a stream', () => {
    const rig = new ServerRig({ limits: { connectionWindow: 64 * KB }, onCall: (call) => (call.holds = true) });
    const client = rig.connect().greet();
    let allowed = 65_535;
    for (let id = 1; id < 21; id += 2) {
      client.send(post(id), data(id, Buffer.alloc(16 * KB), 0));
      allowed -= 16 * KB;
      for (const { payload } of client.seen.of(FrameType.windowUpdate, 0)) allowed += payload.readUInt32BE();
      client.seen.frames.length = 0;
      expect(allowed, `window after stream ${id}`).to.be.at.least(16 * KB);
    }
    expect(client.seen.goaways).to.deep.equal([]);
    expect(rig.calls.map(({ received, stream }) => received - stream.heldBytes)).to.deep.equal(Array(10).fill(0));
  });

  it('gives padding back, which nobody else would', () => {
    const rig = new ServerRig();
    const PADDED = 8;
    // Of more than twice the window of a stream nearly all is padding.
    const padded = times(2100, () => frame(FrameType.data, PADDED, 1, [255, 1, ...Array<number>(255).fill(0)]));
    const client = rig.connect().greet().send(post(1));
    for (const each of padded) client.send(each);
    client.send(data(1, ''));
    expect([client.seen.resetOf(1), rig.calls[0].received]).to.deep.equal([undefined, 2100]);
    expect(client.seen.isEnded(1)).to.equal(true);
  });

  it('serves streams in turns when the connection is what they wait for', () => {
    const rig = new ServerRig({ answer: (call) => call.reply(100_000) });
    const client = rig.connect().greet().send(setting(4, LARGE));
    client.send(get(1), get(3), get(5));
    expect(
      [1, 3, 5].map((id) => sentOn(client, id)),
      'the window of the connection',
    ).to.deep.equal([65_535, 0, 0]);
    for (let i = 0; i < 6; i++) client.send(windowUpdate(0, 16 * KB));
    const turns = [1, 3, 5].map((id) => sentOn(client, id));
    expect(turns[1]).to.be.at.least(16 * KB);
    expect(turns[2]).to.be.at.least(16 * KB);
    expect(turns.reduce((sum, bytes) => sum + bytes, 0)).to.equal(65_535 + 96 * KB);
    client.send(windowUpdate(0, LARGE));
    expect([1, 3, 5].map((id) => sentOn(client, id))).to.deep.equal([100_000, 100_000, 100_000]);
    expect(Math.max(...client.seen.dataOf(3)), 'frame').to.be.at.most(16 * KB);
  });

  it('sends the end and trailers without a window, but behind all DATA', () => {
    const sendTrailers = ({ stream, head }: TestCall): void => {
      stream.head({ block: head, edits: undefined, added: undefined }, false);
      stream.data(Buffer.alloc(10), 0, 10, false);
      stream.trailers(head);
    };
    const rig = new ServerRig({ answer: (call) => (call.stream.id === 1 ? sendTrailers(call) : call.reply(0)) });
    const client = rig.connect().greet().send(setting(4, 0), get(1), get(3));
    expect(client.seen.isEnded(3), 'empty answer').to.equal(true);
    expect(client.seen.of(FrameType.headers, 1), 'trailers in front of DATA').to.have.lengthOf(1);
    client.send(windowUpdate(1, 9));
    expect(client.seen.isEnded(1)).to.equal(false);
    client.send(windowUpdate(1, 1));
    expect(client.seen.frames.slice(-2).map(({ type, flags }) => [type, flags & 1])).to.deep.equal([
      [FrameType.data, 0],
      [FrameType.headers, 1],
    ]);
  });

  it('resets a client that still sends once its answer is complete, and not before', () => {
    const rig = new ServerRig();
    const client = rig
      .connect()
      .greet()
      .send(setting(4, 100), post(1), data(1, 'some', 0));
    rig.calls[0].reply(128);
    rig.calls[0].stream.refuseRest();
    expect(client.hear().seen.resetOf(1)).to.equal(undefined);
    client.send(windowUpdate(1, 28));
    expect(client.seen.resetOf(1)).to.equal(0);
    client.send(data(1, 'on its way'), get(3));
    expect([client.seen.isAnswered(3), client.seen.goaways]).to.deep.equal([true, []]);
  });

  it('stops sending DATA to a socket that takes nothing, and goes on when it does', () => {
    const rig = new ServerRig({ answer: (call) => call.reply(LARGE) });
    const client = rig
      .connect()
      .greet()
      .send(setting(4, 10 * LARGE), windowUpdate(0, 100 * LARGE));
    client.socket.isStuck = true;
    for (let id = 1; id < 21; id += 2) client.send(get(id));
    const { writableLength } = client.socket;
    expect(writableLength, 'bytes in the socket').to.be.within(1, 128 * KB);
    for (let i = 0; i < 500; i++) client.send(windowUpdate(0, 1000), get(1001 + 2 * i), reset(1001 + 2 * i));
    expect(client.socket.destroyed).to.equal(false);
    while (client.connection.openStreams > 0) {
      client.socket.drain();
      client.hear();
    }
    for (let id = 1; id < 21; id += 2) expect(sentOn(client, id)).to.equal(LARGE);
    expect(rig.env.http2Buffered.bytes).to.equal(0);
  });

  it('gives a client up that reads nothing and asks for ever more', () => {
    const rig = new ServerRig({ limits: { maxUnsentBytes: 128 * KB, maxControlFrames: 1_000_000 } });
    const client = rig.connect().greet();
    client.socket.isStuck = true;
    const ping = Buffer.concat([Buffer.from([0, 0, 8, 6, 0, 0, 0, 0, 0]), Buffer.alloc(8)]);
    const pings = Buffer.concat(times(1000, () => ping));
    for (let i = 0; i < 40 && !client.isOver; i++) client.send(pings);
    expect(client.socket.destroyed).to.equal(true);
    expect(client.socket.writes, 'answers share buffers').to.be.at.most(4);
    expect(rig.violations('unsent-bytes')).to.equal(1);
  });
});

describe('what may wait for HTTP/2 calls', () => {
  const CROWD = 256 * KB;

  function fill(client: TestClient, id: number, bytes: number): void {
    client.send(post(id));
    fillOpen(client, id, bytes);
  }

  function fillOpen(client: TestClient, id: number, bytes: number): void {
    for (let sent = 0; sent < bytes; sent += 16 * KB) client.send(data(id, Buffer.alloc(16 * KB), 0));
  }

  it('is bounded for a connection: no calls are begun, and windows are opened only for those that keep up', () => {
    const rig = new ServerRig({ limits: { maxConnectionBufferedBytes: CROWD }, onCall: (call) => (call.holds = true) });
    const client = rig.connect().greet();
    client.send(post(5));
    fill(client, 7, 128 * KB);
    fill(client, 9, 128 * KB);
    const [live, stalled] = rig.calls;
    client.send(get(11));
    expect(client.seen.resetOf(11), 'REFUSED_STREAM').to.equal(7);
    expect(rig.violations('buffered-bytes')).to.equal(1);

    for (let i = 0; i < 16; i++) {
      client.send(data(5, Buffer.alloc(16 * KB), 0));
      live.stream.consumed(16 * KB);
    }
    expect(client.hear().seen.of(FrameType.windowUpdate, 5), 'one that keeps up').to.not.deep.equal([]);

    // More than half of its window is given back, but still as much waits as before.
    fill(client, 13, 0);
    client.send(...times(8, () => data(9, Buffer.alloc(16 * KB), 0)));
    rig.calls[2].stream.consumed(128 * KB);
    stalled.stream.consumed(16 * KB);
    stalled.stream.consumed(16 * KB);
    expect(client.hear().seen.of(FrameType.windowUpdate, 9)).to.have.lengthOf(1);
    client.connection.destroy();
    expect(rig.env.http2Buffered.bytes).to.equal(0);
  });

  it('is bounded for the process: those for whom most waits lose calls, and all others are served', () => {
    const rig = new ServerRig({ limits: { maxBufferedBytes: 1024 * KB }, onCall: (call) => (call.holds = true) });
    const small = rig.connect().greet();
    fill(small, 1, 64 * KB);
    const greedy = times(2, () => Buffer.alloc(0)).map(() => rig.connect().greet());
    for (const id of [1, 3]) for (const client of greedy) client.send(post(id));
    for (const client of greedy) for (const id of [1, 3]) fillOpen(client, id, 240 * KB);
    const resets = greedy.flatMap((client) => [1, 3].map((id) => client.hear().seen.resetOf(id)));
    expect(resets.filter((code) => code === 11)).to.have.lengthOf(2);
    expect(rig.calls.filter(({ isGone }) => isGone)).to.have.lengthOf(2);
    expect(rig.env.http2Buffered.bytes).to.equal(64 * KB + 2 * 240 * KB);
    expect(rig.violations('buffered-bytes')).to.equal(2);
    expect([small.hear().seen.resetOf(1), small.isOver]).to.deep.equal([undefined, false]);
    expect(rig.connect().greet().send(get(1)).seen.isEnded(1), 'a new call').to.equal(true);
    for (const client of [small, ...greedy]) client.connection.destroy();
    expect(rig.env.http2Buffered.bytes).to.equal(0);
  });

  it('holds windows back while the process is tight, but not those of calls that keep up', () => {
    const rig = new ServerRig({ limits: { maxBufferedBytes: 1024 * KB }, onCall: (call) => (call.holds = true) });
    const clients = times(4, () => Buffer.alloc(0)).map(() => rig.connect().greet());
    for (const client of clients) client.send(post(1));
    for (const client of clients.slice(1)) fillOpen(client, 1, 256 * KB);
    fillOpen(clients[0], 1, 208 * KB);
    const updates = (i: number): number => clients[i].hear().seen.of(FrameType.windowUpdate, 1).length;
    rig.calls[1].stream.consumed(160 * KB);
    expect(updates(1), 'still tight').to.equal(0);
    rig.calls[0].stream.consumed(208 * KB);
    expect(updates(0), 'one that keeps up').to.equal(1);
    expect(updates(1), 'room again').to.equal(1);
    for (const client of clients) client.connection.destroy();
    expect(rig.env.http2Buffered.bytes).to.equal(0);
  });

  it('counts large heads, which stay for as long as their calls', () => {
    const rig = new ServerRig({ limits: { maxConnectionBufferedBytes: 256 * KB }, answer: () => undefined });
    const client = rig.connect().greet();
    const fields = times(100, (i) => Buffer.from(`x-${i}`)).map((name) => [name.toString(), 'v'.repeat(100)] as const);
    for (let id = 1; id < 61; id += 2) client.send(get(id, ...fields));
    const { bytes } = rig.env.http2Buffered;
    expect(bytes).to.be.within(256 * KB, 256 * KB + 20_000);
    expect(client.seen.resetOf(59), 'REFUSED_STREAM').to.equal(7);
    client.send(reset(1), get(61, ...fields));
    expect(client.seen.resetOf(61)).to.equal(undefined);
    client.connection.destroy();
    expect(rig.env.http2Buffered.bytes).to.equal(0);
  });

  it('counts answers that their client does not fetch', () => {
    const rig = new ServerRig({ answer: (call) => call.reply(100_000) });
    const client = rig.connect().greet().send(setting(4, 1000), get(1));
    expect(rig.env.http2Buffered.bytes).to.equal(99_000);
    client.send(windowUpdate(1, 9000));
    expect(rig.env.http2Buffered.bytes).to.equal(90_000);
    client.send(reset(1));
    expect(rig.env.http2Buffered.bytes).to.equal(0);
  });

  it('takes hardly more memory than bytes, however small the frames are', () => {
    const rig = new ServerRig({ answer: () => undefined, limits: { maxEmptyData: 1000 } });
    const client = rig.connect().greet().send(setting(4, 0), get(1));
    const [{ stream, head }] = rig.calls;
    stream.head({ block: head, edits: undefined, added: undefined }, false);
    const byte = Buffer.alloc(1);
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 200_000; i++) stream.data(byte, 0, 1, false);
    expect(process.memoryUsage().arrayBuffers - before).to.be.lessThan(400_000);
    expect(stream.queuedBytes).to.equal(200_000);
    client.send(reset(1));
  });
});
