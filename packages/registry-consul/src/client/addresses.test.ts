import { expect } from 'chai';
import { readAddress } from './addresses.js';

describe('an address of Consul', () => {
  for (const [text, ssl, base, socketPath] of [
    ['127.0.0.1:8500', false, 'http://127.0.0.1:8500', undefined],
    ['127.0.0.1:8501', true, 'https://127.0.0.1:8501', undefined],
    // A scheme wins, as in Consul's own client.
    ['http://c:8500', true, 'http://c:8500', undefined],
    ['https://gateway/consul/v1/', false, 'https://gateway/consul', undefined],
    ['[::1]:8500', false, 'http://[::1]:8500', undefined],
    ['consul://c:8500', false, 'http://c:8500', undefined],
    ['unix:///run/consul.sock', true, 'http://localhost', '/run/consul.sock'],
  ] as const) {
    it(`is read from ${text}${ssl ? ' with ssl' : ''}`, () =>
      expect(readAddress(text, ssl)).to.include({ base, socketPath }));
  }

  for (const text of ['', 'http://', 'ftp://c', 'unix://', 'http://u:p@c:8500', 'a b', 'c:99999']) {
    it(`is not '${text}'`, () => {
      expect(() => readAddress(text, false))
        .to.throw('is no address of Consul')
        .with.property('code', 'CONSUL_SETTING');
    });
  }
});
