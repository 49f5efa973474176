import { expect } from 'chai';
import { isMeshError } from '../errors.js';
import { readExplainRequest } from './explain-request.js';

describe('a request to explain a call', () => {
  it('needs a URL alone', () => {
    expect(readExplainRequest({ url: 'http://world/' })).to.deep.equal({
      url: 'http://world/',
      method: 'GET',
      direction: 'outbound',
      protocol: 'http',
      watch: false,
      headers: {},
    });
  });

  it('is about gRPC, which is always sent by POST, when its content-type or its protocol says so', () => {
    const read = (facts: object): unknown[] => {
      const { method, protocol } = readExplainRequest({ url: '/', ...facts });
      return [method, protocol];
    };
    expect(read({ protocol: 'grpc' })).to.deep.equal(['POST', 'grpc']);
    expect(read({ headers: { 'Content-Type': 'application/grpc+proto' } })).to.deep.equal(['POST', 'grpc']);
    expect(read({ headers: { 'content-type': 'application/grpc-web' } })).to.deep.equal(['GET', 'http']);
    expect(read({ headers: { 'content-type': 'application/grpc' }, protocol: 'http' })).to.deep.equal(['GET', 'http']);
  });

  const wrong: readonly (readonly [unknown, RegExp])[] = [
    [[], /no JSON object/],
    [{}, /needs a 'url'/],
    [{ url: '/', methd: 'GET' }, /unknown member 'methd'/],
    [{ url: '/', method: 'G T' }, /no method/],
    [{ url: '/', direction: 'up' }, /neither outbound nor inbound/],
    [{ url: '/', protocol: 'dubbo' }, /none of http, grpc and tcp/],
    [{ url: '/', watch: 'yes' }, /neither true nor false/],
    [{ url: '/', source: 1 }, /'source' is no text/],
    [{ url: '/', headers: { 'x y': '' } }, /no name of a header field/],
    [{ url: '/', headers: { x: 1 } }, /x is no text/],
    [{ url: 'x'.repeat(70_000) }, /more than 65536 characters/],
    [{ url: '/', headers: { x: 'x'.repeat(70_000) } }, /too long/],
    [{ url: '/', headers: Object.fromEntries(Array.from({ length: 201 }, (_, i) => [`x${i}`, ''])) }, /200 header/],
  ];
  for (const [value, message] of wrong) {
    it(`is refused when it is ${JSON.stringify(value).slice(0, 50)}`, () => {
      expect(() => readExplainRequest(value))
        .to.throw(message)
        .and.satisfy((error: unknown) => isMeshError(error, 'MESH_ERR_EXPLAIN_REQUEST'));
    });
  }
});
