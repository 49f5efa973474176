import { expect } from 'chai';
import fc from 'fast-check';
import { bytesOf } from '../testing/split-heads.js';
import { FieldName, findField, findLines } from './field-lookup.js';
import { COMPLETE, FieldScanner, presenceBit } from './field-scanner.js';

function find(section: string, name: string): string | undefined {
  const bytes = bytesOf(section);
  return findField(bytes, 0, bytes.length, new FieldName(name));
}

/** The slow and plain way to read a field, to compare with. */
function findNaively(lines: readonly (readonly [name: string, value: string])[], wanted: string): string | undefined {
  const values = lines
    .filter(([name]) => name.toLowerCase() === wanted)
    .map(([, value]) => value.replace(/^[\t ]+|[\t ]+$/g, ''));
  return values.length === 0 ? undefined : values.join(', ');
}

describe('field lookup', () => {
  it('finds a field in any letter case, without the blanks around its value', () => {
    const section = 'A: 1\r\nX-Two:\t two words \t\r\nEmpty:\r\nEnd: z\r\n';
    expect(find(section, 'a')).to.equal('1');
    expect(find(section, 'x-two')).to.equal('two words');
    expect(find(section, 'empty')).to.equal('');
    expect(find(section, 'end')).to.equal('z');
  });

  it('joins fields of one name in their order', () => {
    expect(find('A: 1\r\nb: x\r\na:2\r\nA:\r\n', 'a')).to.equal('1, 2, ');
  });

  it('does not take a part of a name, or a value, for a name', () => {
    const section = 'XA: 1\r\nAX: 2\r\nB: a: 3\r\nA^: 4\r\n';
    expect(find(section, 'a')).to.equal(undefined);
    expect(find(section, 'a~')).to.equal(undefined);
    expect(find('', 'a')).to.equal(undefined);
  });

  it('gives the range of each line of several names once, ascending', () => {
    const section = 'A: 1\r\nB: 2\r\na: 3\r\nC: 4\r\n';
    const bytes = bytesOf(section);
    const lines: string[] = [];
    findLines(
      bytes,
      0,
      bytes.length,
      ['c', 'a', 'a'].map((name) => new FieldName(name)),
      (start, end) => lines.push(section.slice(start, end)),
    );
    expect(lines).to.deep.equal(['A: 1\r\n', 'a: 3\r\n', 'C: 4\r\n']);
  });

  it('knows which names a header edit may have', () => {
    for (const name of ['x-a', 'host', 'via', '_', '1', 'cookie'])
      expect(new FieldName(name).editProblem, name).to.equal(undefined);
    for (const name of [
      'content-length',
      'transfer-encoding',
      'connection',
      'keep-alive',
      'proxy-connection',
      'te',
      'upgrade',
    ])
      expect(new FieldName(name).editProblem, name).to.contain('frames the message');
    for (const name of ['', 'a b', 'a:', 'a\r\n', '\u010d', '\xe4', 'a\0'])
      expect(new FieldName(name).editProblem, name).to.contain('not a field name');
  });

  it('never hides a field behind the presence mask, and finds what a plain parser finds', () => {
    // Few letters, so that names repeat, differ in letter case only, and share presence bits.
    const name = fc.string({ unit: fc.constantFrom(...'aAbBxX-_~^1'), minLength: 1, maxLength: 6 });
    const value = fc.string({ unit: fc.constantFrom(...'a: ,\t\xe4x'), maxLength: 8 });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(name, value), { maxLength: 12 }),
        fc.array(name, { maxLength: 8 }),
        (lines, asked) => {
          const bytes = bytesOf(`\r\n${lines.map(([n, v]) => `${n}:${v}\r\n`).join('')}\r\n`);
          const scan = new FieldScanner(16);
          expect(scan.scan(bytes, 2, bytes.length)).to.equal(COMPLETE);
          for (const wanted of [...asked, ...lines.map(([n]) => n)].map((n) => n.toLowerCase())) {
            const field = new FieldName(wanted);
            const seen = (scan.presence & field.bit) === 0 ? undefined : findField(bytes, 2, scan.end - 2, field);
            expect(seen).to.equal(findNaively(lines, wanted));
          }
        },
      ),
      { numRuns: 500, seed: 7 },
    );
  });

  it('shares presence bits between names, which the lookup then tells apart', () => {
    const bits = new Map<number, string>();
    let collisions = 0;
    for (let letter = 97; letter <= 122; letter++) {
      for (let length = 1; length <= 10; length++) {
        const name = String.fromCharCode(letter).repeat(length);
        const bit = presenceBit(letter, length);
        const other = bits.get(bit);
        bits.set(bit, name);
        if (other === undefined) continue;
        collisions++;
        expect(find(`${other}: x\r\n`, name)).to.equal(undefined);
      }
    }
    expect(collisions).to.be.greaterThan(100);
  });
});
