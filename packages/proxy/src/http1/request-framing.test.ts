import { METHODS } from 'node:http';
import { expect } from 'chai';
import fc from 'fast-check';
import { detectProtocol } from '../detect.js';
import type { Reading } from '../testing/framing/framed-message.js';
import { fastCheckParameters, fuzzSettings } from '../testing/framing/fuzz-settings.js';
import { judge } from '../testing/framing/judge.js';
import { REQUESTS } from '../testing/framing/messages.js';
import { mutated } from '../testing/framing/mutations.js';
import { NodeRequests } from '../testing/framing/node-requests.js';
import { OurRequests } from '../testing/framing/our-requests.js';

/** Differences that are known and do no harm: Node refuses, we read on. Each says why it may, and when exactly it is that case. */
const HARMLESS: readonly {
  readonly nodeSays: string;
  readonly because: string;
  readonly holds: (ours: Reading, at: number) => boolean;
}[] = [
  {
    nodeSays: 'HPE_INVALID_METHOD',
    because:
      'Node knows a fixed list of methods. RFC 9110, 16.1 lets anybody use further ones, and a proxy passes them on.',
    holds: (ours, at) => !METHODS.includes(ours.messages[at].start.split(' ')[0]),
  },
  {
    nodeSays: 'HPE_CLOSED_CONNECTION',
    because:
      'Node obeys `Proxy-Connection: close`, which no specification knows. We cut the field, so that no upstream sees it.',
    holds: (ours, at) =>
      ours.messages
        .slice(0, at)
        .some(({ fields }) => fields.some(([name, value]) => name === 'proxy-connection' && /close/i.test(value))),
  },
];

const LONGEST_METHOD_DETECTED = 24;

const settings = fuzzSettings(4_000);

describe(`framing of requests beside that of Node (${settings.title})`, function () {
  this.timeout(settings.timeLimit === undefined ? 0 : 60_000);

  const ours = new OurRequests();
  const node = new NodeRequests();

  it('is the same for valid sequences, none of which is refused', async () => {
    await fc.assert(
      fc.asyncProperty(REQUESTS, async (text) => {
        const bytes = Buffer.from(text, 'latin1');
        const mine = ours.read(bytes);
        expect(mine.stopped ?? 'close').to.equal('close');
        expect(judge(mine, await node.read(bytes))).to.deep.equal({ kind: 'same' });
      }),
      fastCheckParameters({ ...settings, runs: Math.ceil(settings.runs / 4) }),
    );
  });

  it('is the same for mutated sequences as far as they are not refused', async () => {
    let readOn = 0;
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(mutated(REQUESTS, 3), async (text) => {
        const bytes = Buffer.from(text, 'latin1');
        const mine = ours.read(bytes);
        if (mine.messages.length > 0) readOn++;
        if (mine.stopped !== undefined && mine.stopped !== 'close') refused++;
        const judgement = judge(mine, await node.read(bytes));
        if (judgement.kind === 'same') return;
        if (judgement.kind === 'node refuses') {
          const known = HARMLESS.filter(({ nodeSays }) => nodeSays === judgement.why);
          if (known.some(({ holds }) => holds(mine, judgement.at))) return;
        }
        expect.fail(JSON.stringify({ judgement, mine }));
      }),
      fastCheckParameters(settings),
    );
    // A generator that makes nothing but rubbish, or nothing that is wrong, would prove nothing.
    expect(readOn).to.be.greaterThan((readOn + refused) / 5);
    expect(refused).to.be.greaterThan((readOn + refused) / 5);
  });

  it('does not depend on how the bytes are cut', () => {
    fc.assert(
      fc.property(mutated(REQUESTS, 2), fc.integer({ min: 1, max: 40 }), (text, pieceSize) => {
        const bytes = Buffer.from(text, 'latin1');
        const whole = ours.read(bytes);
        const pieces = ours.read(bytes, pieceSize);
        if (whole.stopped === undefined || whole.stopped === 'close') {
          expect(pieces).to.deep.equal(whole);
          return;
        }
        // A fault behind a head shows before the head is passed on, or after; the complete messages are the same.
        const complete = (reading: Reading): unknown => reading.messages.filter((message) => message.complete);
        expect(complete(pieces)).to.deep.equal(complete(whole));
        expect(pieces.stopped).not.to.equal(undefined);
      }),
      fastCheckParameters(settings),
    );
  });

  it('goes with detection: what is read as a request is detected as HTTP/1, and never passed on as bytes', () => {
    fc.assert(
      fc.property(mutated(REQUESTS, 3), (text) => {
        const bytes = Buffer.from(text, 'latin1');
        const [first] = ours.read(bytes).messages;
        if (first === undefined || first.start.indexOf(' ') > LONGEST_METHOD_DETECTED) return;
        expect(detectProtocol(bytes)).to.equal('http1');
      }),
      fastCheckParameters(settings),
    );
  });
});
