import { expect } from 'chai';
import fc from 'fast-check';
import { fastCheckParameters, fuzzSettings } from '../../testing/framing/fuzz-settings.js';
import { ReceiveWindow } from './receive-window.js';
import { InitialWindow, SendWindow, sendableBytes } from './send-window.js';
import { MAX_WINDOW } from './window-limits.js';

const SETTINGS = fuzzSettings(300);

describe('flow-control windows', () => {
  it('go below zero when the peer makes them smaller, and stay closed until they are above it again', () => {
    const initial = new InitialWindow();
    const stream = new SendWindow(initial.bytes);
    const connection = new SendWindow();
    stream.take(60_000);
    expect(initial.change(100, [stream])).to.equal(true);
    expect(stream.available).to.equal(100 - 60_000);
    expect(sendableBytes(10, stream, connection, 16_384)).to.be.lessThan(1);
    expect(stream.grow(59_900)).to.equal(true);
    expect(sendableBytes(10, stream, connection, 16_384)).to.be.lessThan(1);
    stream.grow(1);
    expect(sendableBytes(10, stream, connection, 16_384)).to.equal(1);
    expect(new SendWindow(initial.bytes).available).to.equal(100);
  });

  it('must not grow beyond 2^31-1, by an update or by SETTINGS', () => {
    const window = new SendWindow();
    expect(window.grow(MAX_WINDOW - 65_535)).to.equal(true);
    expect(window.grow(1)).to.equal(false);
    const grown = new SendWindow();
    grown.grow(1);
    expect(new InitialWindow().change(MAX_WINDOW, [new SendWindow(), grown])).to.equal(false);
    expect(new InitialWindow().change(MAX_WINDOW, [new SendWindow()])).to.equal(true);
  });

  it('allow a frame as much as the smallest of stream, connection and frame size', () => {
    const window = (bytes: number): SendWindow => new SendWindow(bytes);
    expect(sendableBytes(50_000, window(40_000), window(30_000), 16_384)).to.equal(16_384);
    expect(sendableBytes(50_000, window(40_000), window(300), 16_384)).to.equal(300);
    expect(sendableBytes(50_000, window(40), window(300), 16_384)).to.equal(40);
    expect(sendableBytes(5, window(40), window(300), 16_384)).to.equal(5);
  });

  it('notice a peer that sends more than allowed', () => {
    const window = new ReceiveWindow(100);
    expect(window.take(100)).to.equal(true);
    expect(window.take(1)).to.equal(false);
  });

  it('announce what a connection has more than the default with the first bytes, and then in halves', () => {
    const window = ReceiveWindow.ofConnection(1_000_000);
    expect(window.available).to.equal(65_535);
    expect(window.announce()).to.equal(1_000_000 - 65_535);
    window.take(600_000);
    expect(window.giveBack(499_999)).to.equal(0);
    expect(window.giveBack(1)).to.equal(500_000);
    expect(window.available).to.equal(900_000);
    expect(window.announce()).to.equal(0);
  });

  it(`never lose a byte between both sides (${SETTINGS.title})`, () => {
    const step = fc.record({ send: fc.nat(70_000), forward: fc.nat(70_000), initial: fc.option(fc.nat(200_000)) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 200_000 }), (steps, size) => {
        const initial = new InitialWindow();
        const sender = new SendWindow(65_535);
        const receiver = new ReceiveWindow(size, 65_535);
        let waiting = 0;
        let shift = 0;
        for (const { send, forward, initial: next } of steps) {
          if (next !== null) {
            shift += next - initial.bytes;
            initial.change(next, [sender]);
          }
          const bytes = Math.max(0, Math.min(send, sender.available, receiver.available));
          sender.take(bytes);
          expect(receiver.take(bytes)).to.equal(true);
          waiting += bytes;
          const forwarded = Math.min(forward, waiting);
          waiting -= forwarded;
          const increment = receiver.giveBack(forwarded);
          if (increment > 0) expect(sender.grow(increment)).to.equal(true);
          expect(sender.available - shift).to.equal(receiver.available);
          expect(receiver.available + waiting).to.be.at.most(Math.max(size, 65_535));
        }
      }),
      fastCheckParameters(SETTINGS),
    );
  });
});
