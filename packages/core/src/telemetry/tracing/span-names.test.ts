import { expect } from 'chai';
import { IgnoredPaths } from './ignored-paths.js';
import { OTHER_NAME, SpanNames, pathTemplateOf } from './span-names.js';

describe('the name of a span', () => {
  const templates: readonly (readonly [path: string, template: string])[] = [
    ['/', '/'],
    ['', '/'],
    ['*', '/*'],
    ['/users/17/orders?page=2', '/users/{id}/orders'],
    ['/users/0af76519-16cd-43dd-8448-eb211c80319c', '/users/{id}'],
    ['/blobs/8448eb211c80319c', '/blobs/{id}'],
    ['/sessions/01ARZ3NDEKTSV4RRFFQ69G5FAV/x', '/sessions/{id}/x'],
    ['/facade/decade/v2/api', '/facade/decade/v2/api'],
    [`/t/${'a'.repeat(60)}`, '/t/{id}'],
    ['/a/b/c/d/e/f/g/h/i/j', '/a/b/c/d/e/f/g/h/**'],
  ];
  for (const [path, template] of templates) {
    it(`has ${template} for ${path}`, () => {
      expect(pathTemplateOf(path)).to.equal(template);
    });
  }

  it('says who is called by an outbound call, and what method by one of gRPC', () => {
    const names = new SpanNames(10);
    const call = { method: 'GET', path: '/a/1', service: 'world' };
    expect(names.of({ ...call, direction: 'outbound', protocol: 'http' })).to.equal('GET world/a/{id}');
    expect(names.of({ ...call, direction: 'inbound', protocol: 'http' })).to.equal('GET /a/{id}');
    expect(names.of({ ...call, direction: 'inbound', protocol: 'tcp' })).to.equal('tcp');
    const grpc = { method: 'POST', path: '/shop.Orders/Get', service: 'orders' };
    expect(names.of({ ...grpc, direction: 'outbound', protocol: 'grpc' })).to.equal('shop.Orders/Get');
  });

  it('is a common one beyond the bound, and a known one stays', () => {
    const names = new SpanNames(2);
    const named = (path: string): string =>
      names.of({ direction: 'inbound', protocol: 'http', method: 'GET', path, service: '' });
    expect(['/a', '/b', '/c', '/a'].map(named)).to.deep.equal(['GET /a', 'GET /b', OTHER_NAME, 'GET /a']);
  });
});

describe('ignored paths', () => {
  it('are compared without their query, as they are or as templates', () => {
    const ignored = new IgnoredPaths(['/health', '/static/**', '/v/{version}/ready']);
    const has = ['/health', '/health?x=1', '/healthy', '/static/a/b', '/v/2/ready', '/v/2/x'].map((p) =>
      ignored.has(p),
    );
    expect(has).to.deep.equal([true, true, false, true, true, false]);
    expect(new IgnoredPaths([]).has('/health')).to.equal(false);
  });
});
