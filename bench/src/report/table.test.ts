import { expect } from 'chai';
import { figure, renderTable } from './table.js';

describe('renderTable', () => {
  it('aligns text to the left and figures to the right, and shows missing cells as a dash', () => {
    const text = renderTable(
      [
        { title: 'name', align: 'left' },
        { title: 'us', align: 'right' },
      ],
      [
        ['haproxy', '10.4'],
        ['n', undefined],
      ],
    );
    expect(text.split('\n')).to.deep.equal([
      '| name    |   us |',
      '| ------- | ---: |',
      '| haproxy | 10.4 |',
      '| n       |    - |',
    ]);
  });

  it('keeps a bar or a line break in a cell from breaking the table', () => {
    const text = renderTable([{ title: 'name', align: 'left' }], [['a|b\n  c']]);
    expect(text.split('\n')).to.have.lengthOf(3);
    expect(text).to.include('a\\|b c');
  });
});

describe('figure', () => {
  it('shows about three significant digits, with thousands separated', () => {
    expect([0.384, 9.994, 10.44, 99.94, 123.4, 83924.4].map(figure)).to.deep.equal([
      '0.38',
      '9.99',
      '10.4',
      '99.9',
      '123',
      '83,924',
    ]);
  });

  it('shows nothing for what was not measured or cannot be', () => {
    expect(figure(undefined)).to.equal(undefined);
    expect(figure(Number.NaN)).to.equal(undefined);
    expect(figure(Infinity)).to.equal(undefined);
  });
});
