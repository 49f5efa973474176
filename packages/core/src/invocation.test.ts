import { expect } from 'chai';
import { isMeshError } from './errors.js';
import { FieldBundle } from './invocation.js';

describe('A bundle of header fields', () => {
  it('is rendered in its order for HTTP/1', () => {
    expect(new FieldBundle([['a', '1'], ['B', 'x y']]).http1).to.equal('a: 1\r\nB: x y\r\n'); // prettier-ignore
  });

  for (const [name, value] of [
    ['a', 'x\r\nset-cookie: y'],
    ['a\r\nb', 'x'],
    ['a b', 'x'],
    ['', 'x'],
    ['a', 'x\u0000'],
    ['a', 'snow\u2603'],
  ] as const) {
    it(`refuses ${JSON.stringify(name)}: ${JSON.stringify(value)}, which would break the head`, () => {
      expect(() => new FieldBundle([[name, value]]))
        .to.throw()
        .that.satisfies((error: unknown) => isMeshError(error, 'MESH_ERR_INVALID_FIELD'));
    });
  }
});
