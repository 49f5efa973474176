import { expect } from 'chai';
import fc from 'fast-check';
import { untilStill } from '../../testing/proxy-rig.js';
import { ErrorCode } from '../error-codes.js';
import { FrameType, Setting } from '../frames/frame-format.js';
import type { RawSession } from '../testing/raw-session.js';
import { blockOf, OK, RefusedError, requestOf, UpstreamRig, type Sent } from '../testing/upstream-rig.js';
import { frame, uint32 } from '../testing/wire.js';

/** What an instance may do when a request comes. */
const DEEDS: Readonly<Record<string, (session: RawSession, streamId: number) => void>> = {
  answer: ({ writer }, id) => writer.headers(id, OK, true),
  'answer with a body': ({ writer }, id) => {
    writer.headers(id, OK, false);
    writer.data(id, Buffer.from('body'), 0, 4, true);
  },
  'answer in part': ({ writer }, id) => {
    writer.headers(id, OK, false);
    writer.data(id, Buffer.from('bo'), 0, 2, false);
  },
  'answer with trailers': ({ writer }, id) => {
    writer.headers(id, OK, false);
    writer.headers(id, blockOf(['grpc-status', '0']), true);
  },
  'answer and reset': ({ writer }, id) => {
    writer.headers(id, OK, true);
    writer.reset(id, ErrorCode.noError);
  },
  'early hints': ({ writer }, id) => writer.headers(id, blockOf([':status', '103']), false),
  refuse: ({ writer }, id) => writer.reset(id, ErrorCode.refusedStream),
  reset: ({ writer }, id) => writer.reset(id, ErrorCode.internalError),
  'go away without this one': ({ writer }, id) => writer.goaway(id - 2 < 0 ? 0 : id - 2, ErrorCode.noError),
  'go away after this one': ({ writer }, id) => writer.goaway(id, ErrorCode.noError),
  'announce to go away': ({ writer }) => writer.goaway(2 ** 31 - 1, ErrorCode.noError),
  'close the connection': ({ socket }) => void socket.destroy(),
  'answer and close the connection': ({ writer, output, socket }, id) => {
    writer.headers(id, OK, true);
    output.finish();
    socket.end();
  },
  'DATA before HEADERS': ({ writer }, id) => writer.data(id, Buffer.from('body'), 0, 4, false),
  'a broken head': ({ writer }, id) => writer.headers(id, blockOf(['server', 'x']), true),
  'a frame of no use': ({ socket }) => void socket.write(frame(FrameType.ping, 0, 1, Buffer.alloc(8))),
  'a window that is too large': ({ socket }, id) =>
    void socket.write(frame(FrameType.windowUpdate, 0, id, uint32(0x7fffffff))),
  'want no more calls': ({ writer }) => writer.settings([[Setting.maxConcurrentStreams, 0]]),
  'want a few calls': ({ writer }) => writer.settings([[Setting.maxConcurrentStreams, 2]]),
  'take no bodies': ({ writer }) => writer.settings([[Setting.initialWindowSize, 0]]),
  nothing: () => undefined,
};

type Step =
  | { readonly kind: 'send'; readonly body: number }
  | { readonly kind: 'cancel'; readonly which: number }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'wait' };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('send' as const), body: fc.constantFrom(0, 0, 5, 70_000) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('cancel' as const), which: fc.nat(20) }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(1000, 15_000, 70_000) }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const) }) },
  ),
  { minLength: 1, maxLength: 25 },
);

const deeds = fc.array(fc.constantFrom(...Object.keys(DEEDS)), { minLength: 1, maxLength: 12 });

/** Does the steps; what every attempt has come to, and what is left. */
async function play(script: readonly Step[], does: readonly string[]): Promise<{ wrong: string[]; left: string[] }> {
  const rig = new UpstreamRig({ maxUpstreamConnections: 3, maxUpstreamStreams: 4 }, { maxPendingPerEndpoint: 8 });
  let deed = 0;
  const instance = await rig.instance((session) => {
    session.onBlock = (streamId) => DEEDS[does[deed++ % does.length]](session, streamId);
  });
  const endpoint = rig.endpoint(instance);
  const all: Sent[] = [];
  const cancelled = new Set<Sent>();
  for (const step of script) {
    if (step.kind === 'pass') rig.pass(step.ms);
    else if (step.kind === 'wait') await untilStill(() => rig.stats.upstreamConnects + deed);
    else if (step.kind === 'cancel') {
      const sent = all[step.which % Math.max(all.length, 1)];
      if (sent === undefined || sent.answer.ends > 0) continue;
      cancelled.add(sent);
      sent.attempt.cancel(ErrorCode.cancel);
    } else {
      try {
        const sent = rig.send(endpoint, requestOf('/', step.body === 0 ? 'GET' : 'POST'), step.body === 0);
        all.push(sent);
        if (step.body > 0) sent.attempt.data(Buffer.alloc(step.body), 0, step.body, true);
      } catch (error) {
        if (!(error instanceof RefusedError)) throw error;
      }
    }
  }
  await untilStill(() => rig.stats.upstreamConnects + deed);
  const left = await rig.close();
  const wrong = all
    .filter((sent) => sent.answer.ends !== (cancelled.has(sent) ? 0 : 1))
    .map(({ answer }) => answer.events.join());
  return { wrong, left };
}

describe('an attempt', () => {
  it('has exactly one end, and leaves nothing behind, whatever the instance does', async () => {
    await fc.assert(
      fc.asyncProperty(steps, deeds, async (script, does) => {
        expect(await play(script, does)).to.deep.equal({ wrong: [], left: [] });
      }),
      { numRuns: 150 },
    );
  }).timeout(60_000);
});
