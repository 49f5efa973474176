import { expect } from 'chai';
import { CLIENT_PREFACE } from '../frames/frame-format.js';
import { END, ALL, GET, data, get, headers, literals, post, setting, windowUpdate } from '../testing/server-case.js';
import { ServerRig } from '../testing/server-rig.js';
import { EMPTY_SETTINGS, frame } from '../testing/wire.js';

const REQUEST = literals(...GET);

/** A session with all that clients send, in about 600 bytes. */
const SESSION = Buffer.concat([
  CLIENT_PREFACE,
  EMPTY_SETTINGS,
  frame(4, 1, 0),
  get(1),
  post(3, ['content-length', '10']),
  frame(6, 0, 0, Buffer.from('12345678')),
  data(3, 'hello', 0),
  frame(2, 0, 9, [0, 0, 0, 0, 1]),
  setting(4, 100),
  data(3, 'world'),
  windowUpdate(3, 28),
  frame(1, END, 5, REQUEST.subarray(0, 7)),
  frame(9, 0, 5, REQUEST.subarray(7, 9)),
  frame(9, ALL, 5, REQUEST.subarray(9)),
  frame(0xbb, 0, 0, Buffer.from('unknown')),
  windowUpdate(5, 1000),
  post(7),
  frame(0, 8, 7, [3, 65, 66, 67, 0, 0, 0]),
  headers(7, END | ALL, ['trailer', 'a']),
  windowUpdate(7, 1000),
  post(9),
  data(9, 'x', 0),
  frame(3, 0, 9, [0, 0, 0, 8]),
  get(11, ['a', 'b']),
  windowUpdate(11, 1000),
]);

/** What came of it, without the order of streams. */
function outcome(pieces: readonly Buffer[]): object {
  const rig = new ServerRig();
  const client = rig.connect();
  for (const piece of pieces) client.send(piece);
  const { seen } = client;
  const result = {
    calls: rig.calls.map(({ stream, received, sent, isGone, isComplete, trailers }) => {
      return { id: stream.id, received, sent, isGone, isComplete, trailers: trailers?.first('trailer') };
    }),
    content: [1, 3, 5, 7, 9, 11].map((id) => [
      seen.dataOf(id).reduce((sum, length) => sum + length, 0),
      seen.isEnded(id),
    ]),
    pings: seen.of(6, 0).map(({ payload }) => payload.toString()),
    goaways: seen.goaways,
    open: client.connection.openStreams,
    waiting: rig.env.http2Buffered.bytes,
  };
  client.connection.destroy();
  return result;
}

describe('a session of HTTP/2', () => {
  const whole = outcome([SESSION]);

  it('is served', () => {
    expect(whole).to.deep.include({
      content: [
        [128, true],
        [128, true],
        [128, true],
        [128, true],
        [0, false],
        [128, true],
      ],
      pings: ['12345678'],
      goaways: [],
      open: 0,
      waiting: 0,
    });
  });

  it('means the same wherever a chunk ends', () => {
    for (let at = 1; at < SESSION.length; at++) {
      expect(outcome([SESSION.subarray(0, at), SESSION.subarray(at)]), `cut at ${at}`).to.deep.equal(whole);
    }
  });

  it('means the same in chunks of any size', () => {
    for (let size = 1; size < 40; size++) {
      const pieces: Buffer[] = [];
      for (let at = 0; at < SESSION.length; at += size) pieces.push(SESSION.subarray(at, at + size));
      expect(outcome(pieces), `chunks of ${size}`).to.deep.equal(whole);
    }
  });
});
