import { expect } from 'chai';
import { fieldsBeginning } from './field-prefix.js';

describe('fields that begin alike', () => {
  it('are found whatever the case of their first letter, and nothing else is', () => {
    const lines = [
      'Host: a',
      'uberctx-user: ann',
      'X-uberctx-no: 1',
      'Uberctx-Plan:  gold ',
      'uberctx-: 2',
      'x: uberctx-b: 3',
    ];
    const head = Buffer.from(lines.map((line) => `${line}\r\n`).join(''));
    expect(fieldsBeginning(head, 'uberctx-')).to.deep.equal([
      ['uberctx-user', 'ann'],
      ['Uberctx-Plan', 'gold'],
    ]);
    expect(fieldsBeginning(Buffer.from('Host: a\r\n'), 'uberctx-')).to.deep.equal([]);
  });
});
