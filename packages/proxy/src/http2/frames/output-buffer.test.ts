import { expect } from 'chai';
import { HpackEncoder } from '../hpack/encoder.js';
import { HeaderBlock } from '../hpack/header-block.js';
import { HeaderField } from '../hpack/header-field.js';
import { EMPTY_SETTINGS, frame, newDecoder, readFrames } from '../testing/wire.js';
import { FrameWriter } from './frame-writer.js';
import { OutputBuffer, type OutputSocket } from './output-buffer.js';
import { OUTPUT_BYTES, OutputPool } from './output-pool.js';

/** A socket that takes writes at once, or keeps them until it is told to go on. */
class FakeSocket implements OutputSocket {
  readonly written: Buffer[] = [];
  writableLength = 0;
  isBlocked = false;
  #callbacks: (() => void)[] = [];

  get writableNeedDrain(): boolean {
    return this.writableLength > 16_384;
  }

  write(bytes: Uint8Array | string, callback?: () => void): boolean {
    if (typeof bytes !== 'string') this.written.push(Buffer.from(bytes));
    if (this.isBlocked) this.writableLength += bytes.length;
    if (callback !== undefined) this.#callbacks.push(callback);
    return !this.isBlocked;
  }

  once(_event: 'drain', listener: () => void): unknown {
    return this.#callbacks.push(listener);
  }

  unblock(): void {
    this.isBlocked = false;
    this.writableLength = 0;
    for (const callback of this.#callbacks.splice(0)) callback();
  }
}

class Rig {
  readonly socket = new FakeSocket();
  readonly turns: (() => void)[] = [];
  readonly pool = new OutputPool((callback) => this.turns.push(callback));
  drained = 0;
  overflowed = 0;
  readonly output = new OutputBuffer(
    this.socket,
    this.pool,
    { outputDrained: () => this.drained++, outputOverflowed: () => this.overflowed++ },
    200_000,
  );
  readonly writer = new FrameWriter(this.output, new HpackEncoder());

  endTurn(): void {
    for (const turn of this.turns.splice(0)) turn();
  }
}

describe('frame output', () => {
  it('leaves with one write per turn, and holds no buffer between turns', () => {
    const rig = new Rig();
    for (let i = 0; i < 5; i++) rig.writer.windowUpdate(i, 7);
    expect(rig.socket.written).to.have.length(0);
    rig.endTurn();
    expect(rig.socket.written.map(({ length }) => length)).to.deep.equal([5 * 13]);
    expect(rig.output.bytes.length).to.equal(0);
    expect(rig.pool.kept).to.equal(1);
    rig.endTurn();
    expect(rig.socket.written).to.have.length(1);
  });

  it('is what the reader reads', () => {
    const rig = new Rig();
    const { writer, socket } = rig;
    const data = Buffer.from('hello, peer');
    writer.settings([
      [3, 100],
      [4, 1_000_000],
    ]);
    writer.settingsAcknowledgement();
    writer.ping(Buffer.from('0012345678', 'latin1'), 2, true);
    writer.data(3, data, 7, 11, true);
    writer.reset(3, 8);
    writer.windowUpdate(0, 0x7fff_ffff);
    writer.goaway(0x7fff_ffff, 11, 'too much');
    rig.endTurn();
    expect(readFrames(Buffer.concat(socket.written)).events).to.deep.equal([
      'setting 3 100',
      'setting 4 1000000',
      'settings end',
      'settings acknowledged',
      'ping 3132333435363738 answer',
      'data 3 4 padding 0 end',
      `payload ${Buffer.from('peer').toString('hex')}`,
      'reset 3 8',
      'window 0 2147483647',
      'goaway 2147483647 11 too much',
    ]);
  });

  it('spreads a large header block over CONTINUATION frames', () => {
    const rig = new Rig();
    const fields = Array.from({ length: 50 }, (_, i) => new HeaderField(`x-${i}`, `${i}`.repeat(600)));
    rig.writer.headers(1, HeaderBlock.of(fields), true);
    rig.endTurn();
    const { events } = readFrames(Buffer.concat([EMPTY_SETTINGS, ...rig.socket.written]));
    const encoded = Buffer.from(/^headers 1 ([0-9a-f]+) end$/.exec(events[1])?.[1] ?? '', 'hex');
    expect(encoded.length).to.be.greaterThan(2 * 16_384);
    expect(newDecoder().decode(encoded, 0, encoded.length).fields).to.have.length(50);
  });

  it('counts as stuck from a write that waits until the socket has taken all, and tells then', () => {
    const rig = new Rig();
    rig.socket.isBlocked = true;
    rig.writer.reset(1, 8);
    rig.endTurn();
    expect(rig.output.isStuck).to.equal(true);
    expect(rig.pool.kept, 'the socket still refers to the buffer').to.equal(0);
    rig.writer.reset(3, 8);
    rig.endTurn();
    rig.socket.unblock();
    expect([rig.output.isStuck, rig.drained, rig.pool.kept]).to.deep.equal([false, 1, 2]);
    expect(Buffer.concat(rig.socket.written)).to.deep.equal(
      Buffer.concat([frame(3, 0, 1, [0, 0, 0, 8]), frame(3, 0, 3, [0, 0, 0, 8])]),
    );
  });

  it('gives a peer up that does not read', () => {
    const rig = new Rig();
    rig.socket.isBlocked = true;
    const data = Buffer.alloc(16_384);
    for (let i = 0; i < 12; i++) rig.writer.data(1, data, 0, data.length, false);
    expect(rig.overflowed).to.equal(0);
    for (let i = 0; i < 4; i++) rig.writer.data(1, data, 0, data.length, false);
    expect(rig.overflowed).to.be.greaterThan(0);
  });

  it('writes at once what does not fit into one buffer, in the order of the frames', () => {
    const rig = new Rig();
    const data = Buffer.alloc(16_384, 65);
    for (let i = 0; i < 5; i++) rig.writer.data(1, data, 0, data.length, i === 4);
    expect(rig.socket.written).to.have.length(1);
    expect(rig.socket.written[0].length).to.be.at.most(OUTPUT_BYTES);
    rig.endTurn();
    const { events } = readFrames(Buffer.concat([EMPTY_SETTINGS, ...rig.socket.written]));
    expect(events.filter((event) => event.startsWith('data'))).to.have.length(5);
  });

  it('takes along what tasks for the end of the turn write, also those that such tasks bring', () => {
    const rig = new Rig();
    const told: string[] = [];
    const later = (name: string, next?: () => void): void =>
      rig.pool.beforeFlush({
        onTurnEnd: () => {
          told.push(name);
          rig.writer.windowUpdate(1, 7);
          next?.();
        },
      });
    later('one', () => later('two'));
    rig.writer.windowUpdate(1, 7);
    rig.endTurn();
    expect(told).to.deep.equal(['one', 'two']);
    expect(rig.socket.written.map(({ length }) => length)).to.deep.equal([3 * 13]);
    rig.endTurn();
    expect([told.length, rig.socket.written.length]).to.deep.equal([2, 1]);
    later('three');
    rig.endTurn();
    rig.endTurn();
    expect([told.length, rig.socket.written.length]).to.deep.equal([3, 2]);
  });

  it('writes nothing after it was closed', () => {
    const rig = new Rig();
    rig.writer.reset(1, 8);
    rig.output.close();
    rig.writer.reset(3, 8);
    rig.endTurn();
    expect(rig.socket.written).to.have.length(0);
  });
});
