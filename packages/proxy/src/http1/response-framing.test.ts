import { expect } from 'chai';
import fc from 'fast-check';
import { fastCheckParameters, fuzzSettings } from '../testing/framing/fuzz-settings.js';
import { judge } from '../testing/framing/judge.js';
import { RESPONSE } from '../testing/framing/messages.js';
import { mutated } from '../testing/framing/mutations.js';
import { readResponseWithNode } from '../testing/framing/node-responses.js';
import { OurResponses } from '../testing/framing/our-responses.js';

/**
 * The one difference that is known and does no harm: Node takes `Connection: close` in an interim answer for the end of the
 * connection, and then refuses the final one. We read it, and the field is cut from what the client gets.
 */
function closesWithInterimAnswer(text: string, why: string): boolean {
  return (
    why === 'HPE_CLOSED_CONNECTION' && /^HTTP\/1\.(?:0 1|1 1[^]*?^(?:proxy-)?connection:[^\r\n]*close)/im.test(text)
  );
}

const settings = fuzzSettings(4_000);

describe(`framing of answers beside that of Node (${settings.title})`, function () {
  this.timeout(settings.timeLimit === undefined ? 0 : 60_000);

  const ours = new OurResponses();

  it('is the same for valid answers, none of which is refused', async () => {
    await fc.assert(
      fc.asyncProperty(RESPONSE, fc.boolean(), async (text, isHead) => {
        const bytes = Buffer.from(text, 'latin1');
        const mine = ours.read(bytes, isHead);
        expect(mine.stopped).to.equal(undefined);
        expect(mine.messages[0]?.complete).to.equal(true);
        expect(judge(mine, await readResponseWithNode(bytes, isHead))).to.deep.equal({ kind: 'same' });
      }),
      fastCheckParameters({ ...settings, runs: Math.ceil(settings.runs / 4) }),
    );
  });

  it('is the same for mutated answers as far as they are not refused', async () => {
    let complete = 0;
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(mutated(RESPONSE, 3), fc.integer({ min: 0, max: 7 }), async (text, chance) => {
        const bytes = Buffer.from(text, 'latin1');
        const isHead = chance === 0;
        const mine = ours.read(bytes, isHead);
        if (mine.messages[0]?.complete === true) complete++;
        if (mine.stopped !== undefined) refused++;
        const judgement = judge(mine, await readResponseWithNode(bytes, isHead));
        if (judgement.kind === 'same') return;
        if (judgement.kind === 'node refuses' && closesWithInterimAnswer(text, judgement.why)) return;
        expect.fail(JSON.stringify({ judgement, mine }));
      }),
      fastCheckParameters(settings),
    );
    expect(complete).to.be.greaterThan((complete + refused) / 5);
    expect(refused).to.be.greaterThan((complete + refused) / 5);
  });

  it('does not depend on how the bytes are cut', () => {
    fc.assert(
      fc.property(mutated(RESPONSE, 2), fc.boolean(), fc.integer({ min: 1, max: 40 }), (text, isHead, pieceSize) => {
        const bytes = Buffer.from(text, 'latin1');
        const whole = ours.read(bytes, isHead);
        const pieces = ours.read(bytes, isHead, pieceSize);
        if (whole.stopped === undefined) expect(pieces).to.deep.equal(whole);
        else {
          expect(pieces.stopped).not.to.equal(undefined);
          expect(pieces.messages[0]?.complete ?? false).to.equal(false);
        }
      }),
      fastCheckParameters(settings),
    );
  });
});
