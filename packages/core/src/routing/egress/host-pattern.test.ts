import { expect } from 'chai';
import fc from 'fast-check';
import { HostIndex, hostPatternProblem } from './host-pattern.js';

describe('the hosts of an egress rule', () => {
  const good = [
    'example.com',
    '*.example.com',
    'a_b.example',
    'localhost',
    '10.0.0.1',
    '2001:db8::1',
    `${'a'.repeat(63)}.com`,
  ];
  for (const host of good) {
    it(`may be ${host.slice(0, 20)}`, () => {
      expect(hostPatternProblem(host)).to.equal(undefined);
    });
  }

  const bad = [
    '*',
    '',
    'a..b',
    '*example.com',
    'a.*.com',
    '-a.com',
    `${'a'.repeat(64)}.com`,
    `${'a.'.repeat(130)}com`,
    'a/b',
    'a:80',
  ];
  for (const host of bad) {
    it(`cannot be '${host.slice(0, 20)}'`, () => {
      expect(hostPatternProblem(host)).to.be.a('string');
    });
  }

  it('match at label boundaries only: *.yahoo.com is neither fooyahoo.com nor yahoo.com', () => {
    const index = new HostIndex<string>();
    index.add('*.Yahoo.com', 'wild');
    expect(index.below('www.yahoo.com')).to.equal('wild');
    expect(index.below('a.b.yahoo.com')).to.equal('wild');
    for (const host of ['fooyahoo.com', 'yahoo.com', 'com', 'www.yahoo.com.evil.example', 'www-yahoo.com']) {
      expect(index.below(host), host).to.equal(undefined);
    }
  });

  it('give the most specific wildcard, and the first of equal ones', () => {
    const index = new HostIndex<string>();
    index.add('*.example.com', 'wide');
    index.add('*.api.example.com', 'narrow');
    index.add('*.example.com', 'late');
    expect(index.below('x.api.example.com')).to.equal('narrow');
    expect(index.below('x.example.com')).to.equal('wide');
  });

  it('find what a look at every rule finds', () => {
    const label = fc.constantFrom('a', 'b', 'ab');
    const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));
    fc.assert(
      fc.property(fc.array(name, { maxLength: 5 }), name, (wildcards, host) => {
        const index = new HostIndex<string>();
        for (const one of wildcards) index.add(`*.${one}`, one);
        const matching = wildcards.filter((one) => host.endsWith(`.${one}`)).sort((x, y) => y.length - x.length);
        expect(index.below(host)).to.equal(matching[0]);
      }),
    );
  });
});
