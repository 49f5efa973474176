import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { expect } from 'chai';
import fc from 'fast-check';
import { fuzzSettings } from '../../testing/framing/fuzz-settings.js';
import { settleSockets } from '../../testing/proxy-rig.js';
import { ErrorCode } from '../error-codes.js';
import { CLIENT_PREFACE, FrameType } from '../frames/frame-format.js';
import { RawFrames } from '../testing/raw-frames.js';
import { literals } from '../testing/server-case.js';
import { requestOf, UpstreamRig, type Sent } from '../testing/upstream-rig.js';
import { EMPTY_SETTINGS, frame, uint32 } from '../testing/wire.js';

const SETTINGS = fuzzSettings(600);
/** Longer than an instance may take for anything, questions whether it still lives included. */
const LONG_MS = 60_000;
const ROUNDS = 12;
const REQUEST_BODY = 70_000;

const OK = literals([':status', '200'], ['content-type', 'text/plain']);
const LENGTH = literals([':status', '200'], ['content-length', '5']);
const EARLY = literals([':status', '103']);
const TRAILERS = literals(['grpc-status', '0']);
const WRONG = literals([':path', '/'], ['Upper', 'x']);

const flags = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(4, 5) },
  { weight: 1, arbitrary: fc.constantFrom(0, 1) },
);
const setting = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom([1, 0], [1, 50], [3, 0], [3, 1], [3, 50], [4, 0], [4, 20_000], [8, 1], [99, 7]),
  },
  { weight: 1, arbitrary: fc.tuple(fc.nat(9), fc.constantFrom(0, 1, 0xffff_ffff)) },
);

/** Frames as instances send them, in any order. */
const sensible = (id: fc.Arbitrary<number>): fc.Arbitrary<Buffer> =>
  fc.oneof(
    {
      weight: 8,
      arbitrary: id.map((on) => Buffer.concat([frame(1, 4, on, OK), frame(0, 1, on, Buffer.alloc(9, 'x'))])),
    },
    {
      weight: 6,
      arbitrary: fc
        .tuple(id, flags, fc.constantFrom(OK, OK, OK, OK, LENGTH, EARLY, TRAILERS, WRONG))
        .map(([on, with_, block]) => frame(FrameType.headers, with_, on, block)),
    },
    {
      weight: 5,
      arbitrary: fc
        .tuple(id, flags, fc.constantFrom(0, 1, 5, 16_384))
        .map(([on, with_, size]) => frame(FrameType.data, with_ & 1, on, Buffer.alloc(size, 'x'))),
    },
    {
      weight: 2,
      arbitrary: fc
        .tuple(id, fc.constantFrom(0, 2, 7, 0xffff_ffff))
        .map(([on, code]) => frame(FrameType.rstStream, 0, on, uint32(code))),
    },
    {
      weight: 2,
      arbitrary: fc
        .tuple(id, fc.constantFrom(0, 1, 100_000, 0x7fff_ffff))
        .map(([on, by]) => frame(FrameType.windowUpdate, 0, on, uint32(by))),
    },
    {
      weight: 2,
      arbitrary: setting.map(([of, value]) =>
        frame(FrameType.settings, 0, 0, Buffer.concat([Buffer.from([0, of]), uint32(value)])),
      ),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(id, fc.constantFrom(0, 2, 11))
        .map(([last, code]) => frame(FrameType.goaway, 0, 0, Buffer.concat([uint32(last), uint32(code)]))),
    },
    { weight: 1, arbitrary: fc.constantFrom(0, 1).map((ack) => frame(FrameType.ping, ack, 0, Buffer.alloc(8))) },
    { weight: 1, arbitrary: fc.constant(frame(FrameType.settings, 1, 0)) },
  );

/** Frames of any type with anything in them. */
const SENSELESS: fc.Arbitrary<Buffer> = fc
  .tuple(fc.nat(12), fc.nat(255), fc.nat(5), fc.uint8Array({ maxLength: 40 }))
  .map(([type, with_, on, payload]) => frame(type, with_, on, Buffer.from(payload)));

/** @param streams that there are */
function framesOn(...streams: readonly number[]): fc.Arbitrary<Buffer[]> {
  const id = fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom(...streams) },
    { weight: 1, arbitrary: fc.constantFrom(0, 2, 5, 99, 0x7fff_ffff) },
  );
  const any = fc.oneof({ weight: 25, arbitrary: sensible(id) }, { weight: 1, arbitrary: SENSELESS });
  return fc.array(any, { maxLength: 8 });
}
/** A byte that is changed, and its new value. */
const MUTATION = fc.option(fc.tuple(fc.nat(1500), fc.nat(255)), { freq: 2 });

interface Script {
  /** What is sent when so many requests have come on a connection. */
  readonly bursts: readonly Buffer[];
  /** Bytes that are sent at once. */
  readonly chunk: number;
  readonly closes: boolean;
}

const burstOn = (...streams: readonly number[]): fc.Arbitrary<Buffer> =>
  fc.tuple(framesOn(...streams), MUTATION).map(([frames, mutation]) => {
    const bytes = Buffer.concat(frames);
    if (mutation !== null && mutation[0] < bytes.length) bytes[mutation[0]] = mutation[1];
    return bytes;
  });
const SCRIPT: fc.Arbitrary<Script> = fc.record({
  bursts: fc.tuple(fc.constant(EMPTY_SETTINGS), burstOn(1), burstOn(1, 3, 3)),
  chunk: fc.constantFrom(7, 300, 100_000),
  closes: fc.boolean(),
});

/** An instance that sends its bytes on each connection, whatever it is asked; `heard` is what was said to it. */
async function startInstance(script: Script, heard: RawFrames[]): Promise<{ port: number; close(): Promise<void> }> {
  const sockets: Socket[] = [];
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    const frames = new RawFrames();
    heard.push(frames);
    let skip = CLIENT_PREFACE.length;
    let bursts = 0;
    socket.on('data', (chunk: Buffer) => {
      const at = Math.min(skip, chunk.length);
      skip -= at;
      frames.add(chunk.subarray(at));
      const requests = frames.frames.filter(({ type }) => type === FrameType.headers).length;
      for (; bursts <= requests && bursts < script.bursts.length; bursts++) {
        const burst = script.bursts[bursts];
        for (let sent = 0; sent < burst.length; sent += script.chunk) {
          socket.write(burst.subarray(sent, sent + script.chunk));
        }
        if (script.closes && bursts === script.bursts.length - 1) socket.end();
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async close(): Promise<void> {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe(`an instance that sends generated and mutated frames (${SETTINGS.title})`, () => {
  it('ends each call once, and neither breaks nor leaks nor holds anything for ever', async () => {
    let answered = 0;
    let failed = 0;
    await fc.assert(
      fc.asyncProperty(SCRIPT, fc.boolean(), async (script, takes) => {
        const rig = new UpstreamRig();
        const heard: RawFrames[] = [];
        const instance = await startInstance(script, heard);
        const endpoint = rig.endpoint(instance);
        const sent: Sent[] = [rig.send(endpoint), rig.send(endpoint, requestOf('/', 'POST'), false)];
        sent[1].attempt.data(Buffer.alloc(REQUEST_BODY), 0, REQUEST_BODY, true);
        if (!takes) for (const { answer } of sent) answer.takes = undefined;
        for (let i = 0; i < ROUNDS && sent.some(({ answer }) => answer.ends === 0); i++) {
          await settleSockets();
          rig.pass(LONG_MS);
        }
        expect(
          sent.map(({ answer }) => answer.ends),
          'ends',
        ).to.deep.equal([1, 1]);
        // No bug of ours was taken for one of the peer.
        for (const { goaways } of heard) expect(goaways).to.not.include(ErrorCode.internalError);
        expect(await rig.close(), 'left').to.deep.equal([]);
        expect(rig.time.pendingTimers, 'timers').to.equal(0);
        await instance.close();
        for (const { answer } of sent)
          if (answer.failure === undefined) answered++;
          else failed++;
      }),
      { seed: SETTINGS.seed, numRuns: SETTINGS.runs },
    );
    // Otherwise nothing of this would mean much.
    expect(answered).to.be.greaterThan(SETTINGS.runs / 10);
    expect(failed).to.be.greaterThan(SETTINGS.runs / 10);
  }).timeout(120_000);
});
