import { expect } from 'chai';
import fc from 'fast-check';
import { parseJsonInSlices, parsingJson } from './parse-json.js';
import { atOnce } from './slices.js';

const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'utf8');

type Outcome = { readonly value: unknown } | 'no JSON';

function outcome(parse: () => unknown): Outcome {
  try {
    return { value: parse() };
  } catch (error) {
    if (error instanceof SyntaxError) return 'no JSON';
    throw error;
  }
}

/** Steps of the work, and what it comes to. */
function count(bytes: Uint8Array, sliceBytes?: number): { readonly steps: number; readonly value: unknown } {
  const work = parsingJson(bytes, sliceBytes);
  for (let steps = 1; ; steps++) {
    const { done, value } = work.next();
    if (done === true) return { steps, value };
  }
}

const spaced = fc.tuple(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom(undefined, 1, '\n\t ')).map(([value, space]) => {
  return JSON.stringify(value, undefined, space);
});

describe('parsing JSON in slices', () => {
  it('comes to what JSON.parse comes to, however small the slices', () => {
    fc.assert(
      fc.property(spaced, fc.integer({ min: 1, max: 40 }), (text, sliceBytes) => {
        expect(atOnce(parsingJson(bytesOf(text), sliceBytes))).to.deep.equal(JSON.parse(text));
      }),
      { numRuns: 500 },
    );
  });

  it('refuses what JSON.parse refuses: texts with a character more, less or exchanged', () => {
    const damage = fc.tuple(
      fc.nat(),
      fc.constantFrom('', ',', '"', '[', ']', '{', '}', ':', '\\', '1', ' ', 'é'),
      fc.nat(1),
    );
    fc.assert(
      fc.property(spaced, damage, fc.integer({ min: 1, max: 40 }), (text, [place, piece, removed], sliceBytes) => {
        const at = place % (text.length + 1);
        const damaged = text.slice(0, at) + piece + text.slice(at + removed);
        const wanted = outcome(() => JSON.parse(damaged));
        expect(outcome(() => atOnce(parsingJson(bytesOf(damaged), sliceBytes)))).to.deep.equal(wanted);
      }),
      { numRuns: 2_000 },
    );
  });

  for (const text of [
    '',
    ' ',
    '[',
    '[1',
    '[1,',
    '[1,]',
    '[,1]',
    '[1, ,2]',
    '[1]]',
    '{"a"}',
    '{"a":1,}',
    '{,}',
    '[}',
    '{"a":[1}',
    '1 2',
  ]) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      expect(outcome(() => atOnce(parsingJson(bytesOf(text), 2)))).to.equal('no JSON');
    });
  }

  it('makes a member of a name that objects have already', () => {
    const text = '{"a":[1,2,3,4,5,6],"__proto__":{"polluted":[1,2,3,4,5,6]},"constructor":1}';
    const value = atOnce(parsingJson(bytesOf(text), 8)) as Record<string, unknown>;
    expect(Object.keys(value)).to.deep.equal(['a', '__proto__', 'constructor']);
    expect(Object.getPrototypeOf(value)).to.equal(Object.prototype);
    expect((value as { polluted?: unknown }).polluted).to.equal(undefined);
  });

  it('parses no more than two slices in one step, and needs no more steps than slices', () => {
    const item = JSON.stringify({ instanceId: 'x'.repeat(32), endpoints: ['rest://10.0.0.1:8080'], text: 'ü]"}\\' });
    const items = 2_000;
    const bytes = bytesOf(`{"services":{"updated":[{"rev":"1","instances":[${Array(items).fill(item).join(',')}]}]}}`);
    const sliceBytes = 4_096;
    let most = 0;
    const parse = JSON.parse;
    // What is handed to the real parser is the work of a step.
    JSON.parse = (text: string, ...more) => {
      most = Math.max(most, text.length);
      return parse(text, ...more) as unknown;
    };
    try {
      const { steps, value } = count(bytes, sliceBytes);
      expect(value).to.deep.equal(parse(Buffer.from(bytes).toString()));
      expect(steps).to.be.within(bytes.length / sliceBytes / 2, bytes.length / sliceBytes + 10);
    } finally {
      JSON.parse = parse;
    }
    expect(most).to.be.at.most(2 * sliceBytes);
  });

  it('takes one step, and no turn, for an answer of the usual size', async () => {
    let turns = 0;
    const turn = (): Promise<void> => {
      turns++;
      return Promise.resolve();
    };
    expect(await parseJsonInSlices(bytesOf(`[${'1,'.repeat(50_000)}1]`), turn)).to.have.length(50_001);
    expect(turns).to.equal(0);
    expect(await parseJsonInSlices(bytesOf(`[${'1,'.repeat(500_000)}1]`), turn)).to.have.length(500_001);
    expect(turns).to.be.within(7, 10);
  });

  it('refuses a text of nothing but brackets, which would be too deep for the stack', () => {
    expect(outcome(() => atOnce(parsingJson(bytesOf('['.repeat(1_000_000)))))).to.equal('no JSON');
    expect(outcome(() => atOnce(parsingJson(bytesOf('{"a":'.repeat(500_000)))))).to.equal('no JSON');
  });
});
