import { expect } from 'chai';
import { formatHostPort, parseHostPort } from './address.js';

describe('parseHostPort', () => {
  it('reads IPv4, names and bracketed IPv6', () => {
    expect(parseHostPort('127.0.0.1:30101')).to.deep.equal({ host: '127.0.0.1', port: 30101 });
    expect(parseHostPort('orders.local:80')).to.deep.equal({ host: 'orders.local', port: 80 });
    expect(parseHostPort('[::1]:30101')).to.deep.equal({ host: '::1', port: 30101 });
    expect(parseHostPort('[fe80::1%eth0]:1')).to.deep.equal({ host: 'fe80::1%eth0', port: 1 });
    expect(parseHostPort('127.0.0.1:0')).to.deep.equal({ host: '127.0.0.1', port: 0 });
  });

  it('takes an empty host for every address, as Go does', () => {
    expect(parseHostPort(':6060')).to.deep.equal({ host: '0.0.0.0', port: 6060 });
  });

  it('says what is missing or too much', () => {
    expect(parseHostPort('127.0.0.1')).to.contain('the port is missing');
    expect(parseHostPort('::1:30101')).to.contain('in brackets');
    expect(parseHostPort('http://127.0.0.1:80')).to.contain('without a scheme');
    expect(parseHostPort('127.0.0.1:65536')).to.contain('from 0 to 65535');
    expect(parseHostPort('127.0.0.1:')).to.contain('from 0 to 65535');
    expect(parseHostPort('127.0.0.1:8o')).to.contain('from 0 to 65535');
    expect(parseHostPort('[127.0.0.1]:80')).to.contain('in brackets');
    expect(parseHostPort('a b:80')).to.contain('host name');
  });

  it('reads back what formatHostPort writes', () => {
    for (const text of ['127.0.0.1:30101', '[::1]:30101']) {
      const address = parseHostPort(text);
      expect(typeof address === 'string' ? address : formatHostPort(address)).to.equal(text);
    }
  });
});
