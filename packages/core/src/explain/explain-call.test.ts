import { expect } from 'chai';
import { FieldBundle } from '../invocation.js';
import { ExplainCall } from './explain-call.js';

function call(url: string, headers: Record<string, string> = {}): ExplainCall {
  return new ExplainCall({ url, headers }, [], 5);
}

describe('a call that is explained', () => {
  const urls: readonly (readonly [url: string, authority: string, path: string])[] = [
    ['http://world/v2?x=1', 'world', '/v2?x=1'],
    ['http://world:8080', 'world:8080', '/'],
    ['http://world?x=1', 'world', '/?x=1'],
    ['HTTPS://World/%20#top', 'World', '/%20'],
    ['world/v2', 'world', '/v2'],
    ['http://user:secret@world:1/a@b', 'world:1', '/a@b'],
    ['http://[::1]:80/', '[::1]:80', '/'],
    ['/v2', 'from-host', '/v2'],
  ];
  for (const [url, authority, path] of urls) {
    it(`goes to ${authority} for ${path} when its URL is ${url}`, () => {
      const one = call(url, { Host: 'from-host' });
      expect([one.authority, one.path]).to.deep.equal([authority, path]);
    });
  }

  it('shows what arrived, and remembers what would be sent instead', () => {
    const one = call('/', { 'X-User': '1', 'x-old': '2' });
    one.setHeader('x-user', '3');
    one.addHeader('x-new', '4');
    one.addFields(new FieldBundle([['x-more', '5']]));
    one.removeHeader('x-new');
    one.removeHeader('x-old');
    one.setPath('/new');
    expect(one.header('x-user')).to.equal('1');
    expect(one.added).to.deep.equal([
      ['x-user', '3'],
      ['x-more', '5'],
    ]);
    expect([...one.removed]).to.deep.equal(['x-user', 'x-old']);
    expect([one.path, one.newPath]).to.deep.equal(['/', '/new']);
  });

  it('knows its caller by what the request says, else by asking', () => {
    const sources = [{ identify: () => undefined }, { identify: () => ({ service: 'found', by: 'ip' as const }) }];
    expect(new ExplainCall({ url: '/' }, sources, 0).source?.service).to.equal('found');
    expect(new ExplainCall({ url: '/', source: 'said' }, sources, 0).source?.service).to.equal('said');
    expect(new ExplainCall({ url: '/' }, [], 0).source).to.equal(undefined);
  });
});
