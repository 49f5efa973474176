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
