import { expect } from 'chai';
import fc from 'fast-check';
import { fastCheckParameters, fuzzSettings } from '../../testing/framing/fuzz-settings.js';
import { ErrorCode } from '../error-codes.js';
import { CLIENT_PREFACE } from '../frames/frame-format.js';
import {
  ALL,
  END,
  GET,
  POST,
  data,
  get,
  headers,
  literals,
  post,
  reset,
  setting,
  windowUpdate,
} from '../testing/server-case.js';
import { ServerRig } from '../testing/server-rig.js';
import { EMPTY_SETTINGS, frame } from '../testing/wire.js';

const SETTINGS = fuzzSettings(1500);
const REQUEST = literals(...GET);
const CODES: readonly number[] = Object.values(ErrorCode);

const id = fc.constantFrom(0, 1, 1, 3, 3, 5, 7, 2, 101, 0x7fff_ffff);
const small = fc.nat(300);

/** Frames that are right in themselves, in any order and on any stream. */
const SENSIBLE: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 5, arbitrary: id.map((on) => get(on)) },
  { weight: 4, arbitrary: id.map((on) => post(on)) },
  {
    weight: 4,
    arbitrary: fc.tuple(id, small, fc.boolean()).map(([on, size, end]) => data(on, Buffer.alloc(size), end ? END : 0)),
  },
  { weight: 2, arbitrary: id.map((on) => reset(on)) },
  {
    weight: 2,
    arbitrary: fc.tuple(id, fc.constantFrom(0, 1, 100, 0x7fff_ffff)).map(([on, by]) => windowUpdate(on, by)),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.nat(9), fc.constantFrom(0, 1, 50, 20_000)).map(([of, value]) => setting(of, value)),
  },
  { weight: 1, arbitrary: id.map((on) => headers(on, END | ALL, ['trailer', 'a'])) },
  { weight: 1, arbitrary: fc.tuple(id, fc.nat(30)).map(([on, cut]) => frame(1, END, on, REQUEST.subarray(0, cut))) },
  { weight: 1, arbitrary: fc.tuple(id, fc.nat(30)).map(([on, cut]) => frame(9, ALL, on, REQUEST.subarray(cut))) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      EMPTY_SETTINGS,
      frame(4, 1, 0),
      frame(6, 0, 0, Buffer.alloc(8)),
      frame(7, 0, 0, Buffer.alloc(8)),
    ),
  },
  { weight: 1, arbitrary: id.map((on) => headers(on, ALL, ...POST, ['content-length', '5'])) },
);

/** Frames of any type with anything in them. */
const SENSELESS: fc.Arbitrary<Buffer> = fc
  .tuple(fc.nat(12), fc.nat(255), id, fc.uint8Array({ maxLength: 60 }))
  .map(([type, flags, on, payload]) => frame(type, flags, on, Buffer.from(payload)));

const FRAMES = fc.array(fc.oneof({ weight: 6, arbitrary: SENSIBLE }, { weight: 1, arbitrary: SENSELESS }), {
  maxLength: 25,
});
/** Bytes of the session that are changed: position and new value. */
const MUTATIONS = fc.array(fc.tuple(fc.nat(5000), fc.nat(255)), { maxLength: 3 });

describe(`an HTTP/2 connection with generated and mutated frames (${SETTINGS.title})`, () => {
  it('neither breaks nor leaks nor hangs, and ends with an error code of the RFC', () => {
    let served = 0;
    let ended = 0;
    fc.assert(
      fc.property(
        FRAMES,
        MUTATIONS,
        fc.integer({ min: 1, max: 200 }),
        fc.boolean(),
        (frames, mutations, chunk, holds) => {
          const rig = new ServerRig({ onCall: (call) => (call.holds = holds) });
          const bytes = Buffer.concat(frames);
          for (const [at, value] of mutations) if (at < bytes.length) bytes[at] = value;
          const client = rig.connect().send(CLIENT_PREFACE, EMPTY_SETTINGS).sendSlowly(bytes, chunk);
          served += rig.calls.length;
          const { goaways } = client.seen;
          for (const code of goaways) expect(CODES).to.include(code);
          // No bug of ours was taken for one of the peer.
          expect(goaways).to.not.include(ErrorCode.internalError);
          if (client.isOver) ended++;
          else rig.pass(3_600_000);
          client.connection.destroy();
          expect(client.connection.openStreams).to.equal(0);
          for (const call of rig.calls) expect(call.isGone || call.stream.isClosed).to.equal(true);
          expect(rig.env.http2Buffered.bytes).to.equal(0);
          expect(rig.open.size).to.equal(0);
          rig.pass(3_600_000);
          expect(rig.pendingTimers, 'timers').to.equal(0);
        },
      ),
      fastCheckParameters(SETTINGS),
    );
    // Otherwise nothing of this would mean much.
    expect(served).to.be.greaterThan(300);
    expect(ended).to.be.greaterThan(100);
  });
});
