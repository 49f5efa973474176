import { expect } from 'chai';
import { proxyHeader } from './proxy-protocol.js';

const V4 = { remoteAddress: '::ffff:10.0.0.9', remotePort: 50_001 };
const V6 = { remoteAddress: 'fd77:1::9', remotePort: 50_001 };

describe('the PROXY protocol', () => {
  it('names caller and original destination on one line in version 1', () => {
    expect(proxyHeader('v1', V4, { address: '10.0.0.2', port: 5432 }).toString()).to.equal(
      'PROXY TCP4 10.0.0.9 10.0.0.2 50001 5432\r\n',
    );
    expect(proxyHeader('v1', V6, { address: 'fd77:1::2', port: 5432 }).toString()).to.equal(
      'PROXY TCP6 fd77:1::9 fd77:1::2 50001 5432\r\n',
    );
  });

  it('says UNKNOWN where caller and destination are of two families, or the caller has left', () => {
    expect(proxyHeader('v1', V4, { address: 'fd77:1::2', port: 1 }).toString()).to.equal('PROXY UNKNOWN\r\n');
    const none = { remoteAddress: undefined, remotePort: undefined };
    expect(proxyHeader('v1', none, { address: '10.0.0.2', port: 1 }).toString()).to.equal('PROXY UNKNOWN\r\n');
    expect(proxyHeader('v2', none, { address: '10.0.0.2', port: 1 }).toString('hex')).to.equal(
      '0d0a0d0a000d0a515549540a21000000',
    );
  });

  it('is binary in version 2', () => {
    expect(proxyHeader('v2', V4, { address: '10.0.0.2', port: 5432 }).toString('hex')).to.equal(
      '0d0a0d0a000d0a515549540a' + '2111000c' + '0a000009' + '0a000002' + 'c351' + '1538',
    );
    expect(proxyHeader('v2', V6, { address: '::1', port: 5432 }).toString('hex')).to.equal(
      '0d0a0d0a000d0a515549540a' +
        '21210024' +
        'fd770001000000000000000000000009' +
        '00000000000000000000000000000001' +
        'c351' +
        '1538',
    );
  });
});
