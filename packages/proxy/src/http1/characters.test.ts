import { expect } from 'chai';
import {
  AUTHORITY,
  FIELD_VALUE,
  HEX,
  TARGET,
  TOKEN,
  equalsIgnoreCase,
  latin1,
  nameBytes,
  skipSpaces,
  skipWhitespace,
  trimSpaces,
  trimText,
  trimWhitespace,
} from './characters.js';

const ALL_BYTES = Array.from({ length: 256 }, (_, byte) => byte);

function members(table: Uint8Array): string {
  return String.fromCharCode(...ALL_BYTES.filter((byte) => table[byte] === 1));
}

describe('characters of HTTP/1', () => {
  it('takes as token characters exactly those of RFC 9110, 5.6.2', () => {
    expect(members(TOKEN)).to.equal("!#$%&'*+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz|~");
  });

  it('takes HTAB, SP, visible characters and bytes above 127 in field values, and no other control character', () => {
    for (const byte of ALL_BYTES) {
      const expected = byte === 9 || (byte >= 32 && byte !== 127) ? 1 : 0;
      expect(FIELD_VALUE[byte], `byte ${byte}`).to.equal(expected);
    }
  });

  it('takes visible ASCII but no # in a request target', () => {
    for (const byte of ALL_BYTES) {
      const expected = byte > 32 && byte < 127 && byte !== 35 ? 1 : 0;
      expect(TARGET[byte], `byte ${byte}`).to.equal(expected);
    }
  });

  it('takes no userinfo, path or blank in an authority', () => {
    for (const char of '@/\\?# \t"<>^`{|}') expect(AUTHORITY[char.charCodeAt(0)], char).to.equal(0);
    for (const char of 'a.z-A_Z~09:[]%') expect(AUTHORITY[char.charCodeAt(0)], char).to.equal(1);
  });

  it('values hexadecimal digits in both letter cases and nothing else', () => {
    for (const byte of ALL_BYTES) {
      const char = String.fromCharCode(byte);
      expect(HEX[byte], char).to.equal(/[0-9a-fA-F]/.test(char) ? parseInt(char, 16) : 255);
    }
  });

  it('compares names in any letter case, and folds letters only', () => {
    const name = nameBytes('x-a^b~c`1');
    expect(equalsIgnoreCase(Buffer.from('..X-A^B~C`1'), 2, name)).to.equal(true);
    expect(equalsIgnoreCase(Buffer.from('x-a~b~c`1'), 0, name)).to.equal(false);
    expect(equalsIgnoreCase(Buffer.from('x-a^b^c`1'), 0, name)).to.equal(false);
    expect(equalsIgnoreCase(Buffer.from('x\ra^b~c`1'), 0, name)).to.equal(false);
    expect(equalsIgnoreCase(Buffer.from('x-a^b~c@1'), 0, name)).to.equal(false);
    for (const byte of ALL_BYTES) {
      const same = String.fromCharCode(byte).replace(/[A-Z]/, (letter) => letter.toLowerCase());
      for (const other of ALL_BYTES) {
        if (other >= 65 && other <= 90) continue;
        const expected = same.charCodeAt(0) === other;
        expect(equalsIgnoreCase(Buffer.from([byte]), 0, Uint8Array.of(other)), `${byte} and ${other}`).to.equal(
          expected,
        );
      }
    }
  });

  it('keeps one char per byte when it makes strings', () => {
    const bytes = Buffer.from(ALL_BYTES);
    const text = latin1(bytes, 0, 256);
    expect(text.length).to.equal(256);
    expect(Buffer.from(text, 'latin1').equals(bytes)).to.equal(true);
  });

  it('takes SP and HTAB for whitespace around values, and nothing else', () => {
    const bytes = Buffer.from(' \t a \x0b\t ', 'latin1');
    expect(skipWhitespace(bytes, 0, bytes.length)).to.equal(3);
    expect(trimWhitespace(bytes, 3, bytes.length)).to.equal(6);
    expect(skipWhitespace(bytes, 0, 2)).to.equal(2);
    expect(skipSpaces(bytes, 0, bytes.length)).to.equal(1);
    expect(trimSpaces(bytes, 3, bytes.length)).to.equal(7);
    expect(skipSpaces(Buffer.from('  '), 0, 2)).to.equal(2);
    expect(trimSpaces(Buffer.from('  '), 0, 2)).to.equal(0);
    expect(trimWhitespace(bytes, 0, 2)).to.equal(0);
    expect(trimText(' \t\xa0close\x0b\xa0\t ')).to.equal('\xa0close\x0b\xa0');
    expect(trimText('\t ')).to.equal('');
  });
});
