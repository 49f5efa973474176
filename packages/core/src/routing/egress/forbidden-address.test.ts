import { expect } from 'chai';
import { ForbiddenAddresses, isForbiddenName } from './forbidden-address.js';

describe('addresses that are not outside', () => {
  const forbidden = new ForbiddenAddresses();

  const inside = [
    ...['127.0.0.1', '127.9.9.9', '0.0.0.0', '169.254.169.254', '169.254.0.1', '224.0.0.1', '255.255.255.255'],
    ...['::1', '::', 'fe80::1', 'fe80::1%eth0', 'ff02::1', 'fd00:ec2::254', '100.100.100.200', '168.63.129.16'],
    ...[
      '::ffff:127.0.0.1',
      '::ffff:169.254.169.254',
      '64:ff9b::7f00:1',
      '64:ff9b::169.254.169.254',
      '2002:7f00:1::',
      '::127.0.0.1',
      '::ffff:0:127.0.0.1',
      '64:ff9b:1::127.0.0.1',
      '64:ff9b:1:abcd::169.254.169.254',
    ],
    ...['192.0.0.192', 'fd20:ce::254'],
    'no address',
  ];
  for (const address of inside) {
    it(`include ${address}`, () => {
      expect(forbidden.has(address)).to.equal(true);
    });
  }

  for (const address of [
    '93.184.216.34',
    '10.0.0.1',
    '192.168.1.1',
    '2001:db8::1',
    '64:ff9b::a00:1',
    '::ffff:10.0.0.1',
    '64:ff9b:1::10.0.0.1',
  ]) {
    it(`do not include ${address}`, () => {
      expect(forbidden.has(address)).to.equal(false);
    });
  }

  it('have names, too', () => {
    expect(['localhost', 'a.localhost', 'metadata.google.internal'].every(isForbiddenName)).to.equal(true);
    expect(isForbiddenName('localhost.example')).to.equal(false);
  });
});
