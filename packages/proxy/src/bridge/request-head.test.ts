import { expect } from 'chai';
import { BlockEdits } from '../http2/hpack/block-edits.js';
import { HeaderBlock } from '../http2/hpack/header-block.js';
import { HeaderField } from '../http2/hpack/header-field.js';
import { renderRequest, type RenderedRequest } from './request-head.js';

type Pair = readonly [name: string, value: string];

const GET: readonly Pair[] = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/a?b=c'],
  [':authority', 'shop:8080'],
];
const POST: readonly Pair[] = [[':method', 'POST'], ...GET.slice(1)];

function asFields(pairs: readonly Pair[]): HeaderField[] {
  return pairs.map(([name, value]) => new HeaderField(name, value));
}

function render(
  pairs: readonly Pair[],
  endStream = true,
  edits?: BlockEdits,
  added?: readonly Pair[],
): RenderedRequest | string {
  const head = {
    block: HeaderBlock.of(asFields(pairs)),
    edits,
    added: added === undefined ? undefined : asFields(added),
  };
  return renderRequest(head, endStream, undefined);
}

function textOf(rendered: RenderedRequest | string): string {
  if (typeof rendered === 'string') throw new Error(`not rendered: ${rendered}`);
  return rendered.text;
}

describe('a request head of HTTP/2 as HTTP/1', () => {
  it('names the authority in Host, and keeps fields and duplicates in their order', () => {
    const text = textOf(render([...GET, ['x-b', '1'], ['x-a', '2'], ['x-b', '3']]));
    expect(text).to.equal('GET /a?b=c HTTP/1.1\r\nhost: shop:8080\r\nx-b: 1\r\nx-a: 2\r\nx-b: 3\r\n\r\n');
  });

  it('has the host field of a request without :authority', () => {
    const text = textOf(render([...GET.slice(0, 3), ['host', 'old']]));
    expect(text).to.equal('GET /a?b=c HTTP/1.1\r\nhost: old\r\n\r\n');
  });

  it('has one Host when the request has both', () => {
    const text = textOf(render([...GET, ['host', 'shop:8080']]));
    expect(text.match(/host:/g)).to.have.length(1);
  });

  it('joins the crumbs of a cookie into one line', () => {
    const text = textOf(render([...GET, ['cookie', 'a=1'], ['x', 'y'], ['cookie', 'b=2'], ['cookie', 'c=3']]));
    expect(text).to.contain('\r\ncookie: a=1; b=2; c=3\r\n');
    expect(text.match(/cookie/g)).to.have.length(1);
  });

  it('does not pass te on, which is for one hop', () => {
    expect(textOf(render([...GET, ['te', 'trailers']]))).to.not.contain('te:');
  });

  it('sends a body of unknown length in chunks', () => {
    const rendered = render(POST, false) as RenderedRequest;
    expect(rendered.isChunked).to.equal(true);
    expect(rendered.text).to.contain('\r\ntransfer-encoding: chunked\r\n');
    expect(rendered.text).to.not.contain('content-length');
  });

  it('keeps a content-length, once, and sends no chunks then', () => {
    const rendered = render([...POST, ['content-length', '0007'], ['content-length', '7']], false) as RenderedRequest;
    expect(rendered.isChunked).to.equal(false);
    expect(rendered.text.match(/content-length: 7\r\n/g)).to.have.length(1);
  });

  it('says that there is no body where others would expect one', () => {
    expect(textOf(render(POST))).to.contain('\r\ncontent-length: 0\r\n');
    expect(textOf(render(GET))).to.not.contain('content-length');
  });

  it('is refused when it announces a body and has none, for the next request would become that body', () => {
    expect(render([...POST, ['content-length', '9']])).to.be.a('string');
  });

  it('is refused when a field would be more than one line in HTTP/1', () => {
    for (const value of ['a\r\nx-admin: 1', 'a\nb', 'a\rb', 'a\0b']) {
      expect(render([...GET, ['x-a', value]]), JSON.stringify(value)).to.be.a('string');
    }
    for (const name of ['x a', 'x:a', 'x\r\na', 'X-A', '']) {
      expect(render([...GET, [name, '1']]), JSON.stringify(name)).to.be.a('string');
    }
  });

  it('is refused when fields that policies add are broken', () => {
    expect(render(GET, true, undefined, [['x-a', '1\r\n\r\nGET /admin HTTP/1.1']])).to.be.a('string');
  });

  it('is refused with a :path that is neither a path nor the * of OPTIONS', () => {
    const withPath = (method: string, path: string): readonly Pair[] => [
      [':method', method],
      [':scheme', 'x'],
      [':path', path],
      [':authority', 'a'],
    ];
    expect(render(withPath('GET', 'http://other/'))).to.be.a('string');
    expect(render(withPath('GET', '*'))).to.be.a('string');
    expect(render(withPath('GET', ''))).to.be.a('string');
    expect(textOf(render(withPath('OPTIONS', '*')))).to.match(/^OPTIONS \* HTTP\/1\.1\r\n/);
  });

  it('has the edits of policies, and their additions behind', () => {
    const edits = new BlockEdits(
      new Map([
        ['x-gone', undefined],
        [':path', new HeaderField(':path', '/new')],
        [':authority', new HeaderField(':authority', 'other')],
      ]),
    );
    const text = textOf(render([...GET, ['x-gone', '1'], ['x-stays', '2']], true, edits, [['via', '2.0 mesher']]));
    expect(text).to.equal('GET /new HTTP/1.1\r\nhost: other\r\nx-stays: 2\r\nvia: 2.0 mesher\r\n\r\n');
  });
});
