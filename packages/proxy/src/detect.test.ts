import { expect } from 'chai';
import { detectProtocol, type DetectedProtocol } from './detect.js';
import { bytesOf } from './testing/split-heads.js';

function detect(text: string): DetectedProtocol | undefined {
  return detectProtocol(bytesOf(text));
}

/** What the connection is taken for when it sends byte by byte. */
function detectSlowly(text: string): DetectedProtocol | undefined {
  for (let length = 1; length <= text.length; length++) {
    const protocol = detect(text.slice(0, length));
    if (protocol !== undefined) return protocol;
  }
  return undefined;
}

function expectAll(expected: DetectedProtocol, texts: readonly string[]): void {
  for (const text of texts) {
    expect(detect(text), JSON.stringify(text.slice(0, 60))).to.equal(expected);
    expect(detectSlowly(text), `${JSON.stringify(text.slice(0, 60))} byte by byte`).to.equal(expected);
  }
}

describe('protocol detection', () => {
  it('says nothing before there is a byte', () => {
    expect(detect('')).to.equal(undefined);
  });

  it('knows requests of HTTP/1 of every form', () => {
    expectAll('http1', [
      'GET / HTTP/1.1\r\n',
      'GET /',
      'POST http://world/',
      'GET HTTPS:',
      'M-SEARCH * HTTP/1.1\r\n',
      'OPTIONS * HTTP/1.1\r\n',
      'CONNECT world:443 HTTP/1.1\r\n',
      'PROPFIND /x',
      'UPDATEREDIRECTREF /x',
      'PUT /x',
      'PRI / HTTP/1.1\r\n',
      'PR /',
      'P /',
      '\r\nGET / HTTP/1.1\r\n',
      'get /x HTTP/1.1\r\n',
      'GET index.html HTTP/1.1\r\n',
    ]);
  });

  it('takes malformed requests for HTTP/1 too, so that they are refused instead of being passed on as bytes', () => {
    expectAll('http1', [
      'GET  / HTTP/1.1\r\n',
      'GET\t/ HTTP/1.1\r\n',
      'GET\x0b/ HTTP/1.1\r\n',
      'GET\x0c/ HTTP/1.1\r\n',
      'GET\r/ HTTP/1.1\r\n',
      ' GET / HTTP/1.1\r\n',
      '\nGET / HTTP/1.1\r\n',
      '\rGET / HTTP/1.1\r\n',
      '\r\n\r\n\n \tGET / HTTP/1.1\r\n',
      'GET / HTTP/1.1\n',
      'GET /\r\n',
      'GET / HTTP/9.9\r\n',
      'get / http/1.1\n',
      'get\t/ HTTP/1.1\n',
      `get /${'x'.repeat(600)}`,
      '\r\n'.repeat(300),
      `${'\n'.repeat(511)}G`,
    ]);
  });

  it('waits for more of what may become a request', () => {
    for (const text of [
      'G',
      'GET',
      'GET ',
      'GET\r',
      'get /x',
      'CONNECT world:443',
      'OPTIONS *',
      'P',
      'PRI',
      'PRI ',
      '\r',
      '\r\n',
      ' ',
      'hello',
      'hello world',
      '\n\n',
    ])
      expect(detect(text), JSON.stringify(text)).to.equal(undefined);
    expect(detect(`CONNECT ${'a'.repeat(503)}`)).to.equal(undefined);
    expect(detect(`CONNECT ${'a'.repeat(504)}`)).to.equal('tcp');
    expect(detect(`get ${' '.repeat(508)}`)).to.equal('tcp');
  });

  it('knows the preface of HTTP/2 as soon as it can be nothing else', () => {
    expect(detect('PRI * ')).to.equal('http2');
    expect(detect('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0')).to.equal('http2');
    expect(detectSlowly('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')).to.equal('http2');
    expect(detect('PRI *')).to.equal(undefined);
  });

  it('knows a TLS ClientHello of every version', () => {
    expect(detect('\x16')).to.equal(undefined);
    expect(detect('\x16\x03')).to.equal('tls');
    expect(detect('\x16\x03\x01\x02\0')).to.equal('tls');
    expect(detect('\x16\x02\0')).to.equal('tcp');
    expect(detect('\x16GET / HTTP/1.1\r\n')).to.equal('tcp');
  });

  it('leaves other protocols alone', () => {
    expectAll('tcp', [
      '\0\0\0\x08\x04\xd2\x16\x2f', // PostgreSQL
      'AMQP\0\0\x09\x01',
      '*1\r\n$4\r\nPING\r\n', // Redis
      'PING\r\n',
      'SET key value\r\n',
      'get key\r\n', // memcached
      'get /key\r\n',
      'SSH-2.0-OpenSSH_9.6\r\n',
      'EHLO client.example\r\n',
      'USER anonymous\r\n',
      'NICK someone\r\n',
      'CONNECT {"verbose":false}\r\n', // NATS
      'CONNECT\naccept-version:1.2\n\n\0', // STOMP
      'INVITE sip:bob@example.com SIP/2.0\r\n',
      'OPTIONS rtsp://example.com/ RTSP/1.0\r\n',
      'hello world\n',
      'NOOP \r\n',
      '\x10\x1a\0\x04MQTT',
      '0\x0c\x02\x01', // LDAP
      '\x80\x01',
      'G(T / HTTP/1.1\r\n',
      'G\0T / HTTP/1.1\r\n',
      '"GET / HTTP/1.1\r\n',
      'AWORDTHATISLONGERTHANANYMETHOD / HTTP/1.1\r\n',
    ]);
  });

  it('never changes its mind when more bytes come', () => {
    const decided = [
      'GET / HTTP/1.1\r\n\r\n',
      'get key\r\nGET / HTTP/1.1\r\n',
      'PING\r\nGET / HTTP/1.1\r\n',
      'PRI * HTTP/2.0\r\n',
      '\r\nGET /',
    ];
    for (const text of decided) {
      const seen = new Set<DetectedProtocol>();
      for (let length = 1; length <= text.length; length++) {
        const protocol = detect(text.slice(0, length));
        if (protocol !== undefined) seen.add(protocol);
        else expect(seen.size, JSON.stringify(text.slice(0, length))).to.equal(0);
      }
      expect(seen.size, JSON.stringify(text)).to.equal(1);
    }
  });
});
