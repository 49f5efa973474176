import { expect } from 'chai';
import fc from 'fast-check';
import { decodeFileName, encodeFileName, isServiceName } from './service-name.js';

describe('A service name', () => {
  it('may be nested and hold what names of hosts and services hold', () => {
    for (const name of ['world', 'shop/orders', 'orders.default.svc', 'a_b-c', 'app@1', 'x:8080']) {
      expect(isServiceName(name), name).to.equal(true);
    }
  });

  it('is refused when it is odd', () => {
    const odd = [
      '',
      '.',
      '..',
      'a/../b',
      '/a',
      'a/',
      'a//b',
      '.hidden',
      '-a',
      'a b',
      'a\n',
      'world~',
      '#world#',
      'a\\b',
      'ä',
    ];
    for (const name of [...odd, 'x'.repeat(129)]) expect(isServiceName(name), name).to.equal(false);
  });

  it('becomes a file name of one level and back', () => {
    expect(encodeFileName('shop/orders')).to.equal('shop%2Forders');
    expect(decodeFileName('shop%2Forders')).to.equal('shop/orders');
  });
});

describe('A file name made from any text', () => {
  it('leads back to the text, is no hidden file and leaves its folder never', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'ab.-_/\\%*~ 2E\0é', '😀', '\ud800'), minLength: 1 }),
        (text) => {
          const name = encodeFileName(text, '.json');
          if (name === undefined) return;
          expect(decodeFileName(name, '.json')).to.equal(text);
          expect(name).to.match(/^[^./][^/\\\0]*\.json$/);
        },
      ),
    );
  });

  it('is refused when the text is empty, too long or no valid Unicode', () => {
    for (const text of ['', 'x'.repeat(300), '\ud800']) expect(encodeFileName(text)).to.equal(undefined);
  });

  it('is the only name for its text', () => {
    for (const name of ['a%2f.json', '%61.json', '.a.json', 'a', '%.json', '.json']) {
      expect(decodeFileName(name, '.json'), name).to.equal(undefined);
    }
  });
});
