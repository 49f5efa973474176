import { expect } from 'chai';
import { isLoopback, withoutMapping } from './loopback.js';

describe('isLoopback', () => {
  for (const host of [
    '127.0.0.1',
    '127.255.255.254',
    '::1',
    '0:0:0:0:0:0:0:1',
    '::ffff:127.0.0.1',
    'localhost',
    'LocalHost',
  ]) {
    it(`takes ${host} for this machine`, () => expect(isLoopback(host)).to.equal(true));
  }
  for (const host of [
    '',
    '0.0.0.0',
    '::',
    '10.0.0.1',
    '128.0.0.1',
    '::ffff:10.0.0.1',
    '127.0.0.1.example.com',
    'localhost.example.com',
    '127.1',
  ]) {
    it(`takes ${JSON.stringify(host)} for reachable by others`, () => expect(isLoopback(host)).to.equal(false));
  }
});

describe('withoutMapping', () => {
  it('shows an IPv4 address in IPv6 form as IPv4 and leaves others alone', () => {
    expect(withoutMapping('::ffff:10.0.0.1')).to.equal('10.0.0.1');
    expect(withoutMapping('10.0.0.1')).to.equal('10.0.0.1');
    expect(withoutMapping('fe80::1')).to.equal('fe80::1');
  });
});
