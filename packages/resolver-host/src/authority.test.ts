import { expect } from 'chai';
import fc from 'fast-check';
import { destinationOf, splitAuthority } from './authority.js';

describe('the parts of an authority', () => {
  const cases: readonly (readonly [authority: string, host: string, port: number | undefined])[] = [
    ['world', 'world', undefined],
    ['world:8083', 'world', 8083],
    ['world:', 'world', undefined],
    ['world:0', 'world', undefined],
    ['world:65535', 'world', 65535],
    ['world:65536', 'world', undefined],
    ['10.0.0.1:80', '10.0.0.1', 80],
    ['[::1]', '::1', undefined],
    ['[::1]:80', '::1', 80],
    ['[2001:db8::7]:65535', '2001:db8::7', 65535],
    ['', '', undefined],
    [':80', '', 80],
  ];
  for (const [authority, host, port] of cases) {
    it(`of '${authority}' are '${host}' and ${port}`, () => {
      expect(splitAuthority(authority)).to.deep.equal({ host, port });
    });
  }

  it('put together again are the authority', () => {
    const host = fc.oneof(
      fc.domain(),
      fc.ipV4(),
      fc.ipV6().map((ip) => `[${ip}]`),
    );
    fc.assert(
      fc.property(host, fc.integer({ min: 1, max: 65_535 }), (name, port) => {
        const parts = splitAuthority(`${name}:${port}`);
        expect(parts.port).to.equal(port);
        expect([parts.host, `[${parts.host}]`]).to.include(name);
      }),
    );
  });
});

describe('the destination that an authority names', () => {
  it('is the host, with the port if there is one', () => {
    expect(destinationOf('world')).to.deep.equal({ service: 'world' });
    expect(destinationOf('world:8083')).to.deep.equal({ service: 'world', port: 8083 });
    expect(destinationOf('stock.shop_eu-1')).to.deep.equal({ service: 'stock.shop_eu-1' });
  });

  it('is none for an address, for nothing, and for what is too long to be a name', () => {
    for (const authority of [
      '10.0.0.1',
      '10.0.0.1:80',
      '[::1]',
      '[2001:db8::7]:80',
      '',
      ':80',
      '.',
      `${'x'.repeat(300)}`,
    ]) {
      expect(destinationOf(authority), authority).to.equal(undefined);
    }
  });

  it('is the host without the dot that ends a complete name', () => {
    expect(destinationOf('world.:80')).to.deep.equal({ service: 'world', port: 80 });
    expect(destinationOf('10.0.0.1.')).to.equal(undefined);
  });
});
