import { expect } from 'chai';
import { FirstHost, readFirstHost } from './first-host.js';

const MAX = 64;

function hostOf(text: string): string | undefined {
  return readFirstHost(Buffer.from(text, 'latin1'), MAX);
}

describe('the host of a first request', () => {
  it('is that of the Host field, in lower case and without its port', () => {
    expect(hostOf('GET / HTTP/1.1\r\nAccept: x\r\nHOST:  Orders:8080 \r\n')).to.equal('orders');
    expect(hostOf('\r\nGET / HTTP/1.1\nhost: orders\n')).to.equal('orders');
    expect(hostOf('GET / HTTP/1.1\r\nHost: [fd77::2]:80\r\n')).to.equal('[fd77::2]');
  });

  it('is that of an absolute target, which counts before the field', () => {
    expect(hostOf('GET http://u@World:81/a?b HTTP/1.1\r\nHost: other\r\n')).to.equal('world');
  });

  it('is the same however the bytes come', () => {
    for (const head of [
      '\r\nGET / HTTP/1.1\r\nAccept: x\r\nHost: orders:80\r\n',
      'GET / HTTP/1.1\nhost: orders\n',
      'GET http://orders/ HTTP/1.1\r\n',
    ]) {
      const reader = new FirstHost(MAX);
      const bytes = Buffer.from(head, 'latin1');
      const seen = Array.from(bytes, (_, at) => reader.read(bytes.subarray(0, at + 1)));
      expect(seen.pop(), head).to.equal('orders');
      expect(new Set(seen)).to.deep.equal(new Set([undefined]));
    }
  });

  it('is awaited within bounds', () => {
    expect(hostOf('GET / HTTP/1.1\r\nHost: ord')).to.equal(undefined);
    expect(hostOf(`GET / HTTP/1.1\r\nX: ${'a'.repeat(MAX)}`)).to.equal('');
    expect(hostOf('GET / HTTP/1.0\r\n\r\nHost: body\r\n'), 'what follows the head is no field').to.equal('');
  });
});
