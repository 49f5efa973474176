import { expect } from 'chai';
import { OperationPath, whatIsWrongWithPath } from './operation-path.js';

describe('OperationPath', () => {
  const cases: readonly [template: string, matching: readonly string[], others: readonly string[]][] = [
    ['/', ['/', '/?a=1'], ['/a', '*', '']],
    [
      '/orders',
      ['/orders', '/orders/', '/orders?page=2', '/orders/?page=2'],
      ['/order', '/orders1', '/orders/7', '/', '/Orders'],
    ],
    [
      '/orders/{id}',
      ['/orders/7', '/orders/7/', '/orders/a.b?x=/y/z'],
      ['/orders', '/orders/', '/orders/7/items', '/orders//'],
    ],
    ['/orders/{id}/items', ['/orders/7/items'], ['/orders/7', '/orders/7/item', '/orders//items', '/orders/7/items/1']],
    ['/v1/**', ['/v1', '/v1/', '/v1/a', '/v1/a/b?c'], ['/v', '/v10', '/']],
    ['/**', ['/', '/a', '/a/b'], ['*', '']],
    ['/a/*/c', ['/a/b/c'], ['/a/c', '/a/b/b/c']],
  ];
  for (const [template, matching, others] of cases) {
    it(`${template} matches the paths it stands for and no others`, () => {
      const path = new OperationPath(template);
      expect(matching.filter((one) => !path.matches(one))).to.deep.equal([]);
      expect(others.filter((one) => path.matches(one))).to.deep.equal([]);
    });
  }

  it('puts templates that say more before those that say less', () => {
    const texts = ['/**', '/a/**', '/a/{b}', '/a/b', '/a/{b}/c', '/a'];
    const sorted = texts.map((text) => new OperationPath(text)).sort(OperationPath.compare);
    expect(sorted.map(({ text }) => text)).to.deep.equal(['/a/{b}/c', '/a/b', '/a/{b}', '/a', '/a/**', '/**']);
  });

  it('is refused when it could never match', () => {
    expect(
      ['a', '/a?b=1', '/a b', '/**/a', '/a{b}', '/{'].map((text) => whatIsWrongWithPath(text) !== undefined),
    ).to.deep.equal([true, true, true, true, true, true]);
    expect(['/', '/a/{b}', '/a/**', '/a/*'].map(whatIsWrongWithPath)).to.deep.equal(Array(4).fill(undefined));
  });
});
