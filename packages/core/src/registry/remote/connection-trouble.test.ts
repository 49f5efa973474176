import { expect } from 'chai';
import { connectionTrouble } from './connection-trouble.js';

const KEYS = { caFile: 'tls.caFile', serverName: 'tls.serverName', certFile: 'tls.certFile' };

describe('what is said of a registry that cannot be asked', () => {
  const told: readonly (readonly [code: string, message: string, hint: RegExp])[] = [
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'self-signed certificate', /tls\.caFile$/],
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', '', /tls\.caFile$/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', '', /tls\.serverName$/],
    ['CERT_HAS_EXPIRED', '', /not valid now/],
    ['ENOTFOUND', '', /nobody knows the name/],
    ['ECONNREFUSED', '', /nobody listens/],
    ['EPROTO', 'write EPROTO 40:error:0A00010B:SSL routines:ssl3_get_record:wrong version number', /http:\/\/ instead/],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'tlsv13 alert certificate required', /tls\.certFile$/],
  ];
  for (const [code, message, hint] of told) {
    it(`names what mends ${code}`, () => {
      const text = connectionTrouble(Object.assign(new Error(message), { code }), KEYS);
      expect(text)
        .to.match(hint)
        .and.match(new RegExp(`^${code}: `));
    });
  }

  it('shows the code alone of any other error, whose message may hold the request', () => {
    const error = Object.assign(new Error('GET /v1/kv?token=secret failed'), { code: 'ECONNRESET' });
    expect(connectionTrouble(error, KEYS)).to.equal('ECONNRESET');
  });

  it('shows the message of an error without a code', () => {
    expect(connectionTrouble(new Error('socket hang up'), KEYS)).to.equal('socket hang up');
    expect(connectionTrouble('gone', KEYS)).to.equal('gone');
  });
});
