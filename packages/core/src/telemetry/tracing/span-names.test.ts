import { expect } from 'chai';
import { IgnoredPaths } from './ignored-paths.js';
import { OTHER_NAME, SpanNames, pathTemplateOf, type NamedCall } from './span-names.js';

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
    const of = (call: NamedCall): string => names.of(call, 0);
    const call = { method: 'GET', path: '/a/1', service: 'world' };
    expect(of({ ...call, direction: 'outbound', protocol: 'http' })).to.equal('GET world/a/{id}');
    expect(of({ ...call, direction: 'inbound', protocol: 'http' })).to.equal('GET /a/{id}');
    expect(of({ ...call, direction: 'inbound', protocol: 'tcp' })).to.equal('tcp');
    expect(of({ ...call, direction: 'outbound', protocol: 'tcp' })).to.equal('tcp world');
    expect(of({ ...call, direction: 'outbound', protocol: 'tcp', service: '' })).to.equal('tcp');
    const grpc = { method: 'POST', path: '/shop.Orders/Get', service: 'orders' };
    expect(of({ ...grpc, direction: 'outbound', protocol: 'grpc' })).to.equal('shop.Orders/Get');
  });

  const inbound = { direction: 'inbound', protocol: 'http', method: 'GET', service: '' } as const;

  it('is a common one beyond the bound, and a known one stays', () => {
    const names = new SpanNames(2);
    const named = (path: string): string => names.of({ ...inbound, path }, 0);
    expect(['/a', '/b', '/c', '/a'].map(named)).to.deep.equal(['GET /a', 'GET /b', OTHER_NAME, 'GET /a']);
  });

  it('is a common one when it is long, whatever makes it so', () => {
    const names = new SpanNames(10);
    const long = 'x'.repeat(700);
    expect(names.of({ ...inbound, method: long, path: '/' }, 0)).to.equal(OTHER_NAME);
    expect(names.of({ ...inbound, protocol: 'grpc', path: `/${long}` }, 0)).to.equal(OTHER_NAME);
    expect(names.of({ ...inbound, path: '/w'.repeat(8) }, 0)).to.equal(`GET ${'/w'.repeat(8)}`);
  });

  it('makes room when nobody used it for an hour, so that a stranger who tries paths takes no names away for ever', () => {
    const names = new SpanNames(2);
    const hour = 3_600_000;
    const named = (path: string, now: number): string => names.of({ ...inbound, path }, now);
    expect([named('/a', 0), named('/wp-login', 0), named('/b', 0)]).to.deep.equal([
      'GET /a',
      'GET /wp-login',
      OTHER_NAME,
    ]);
    expect([named('/a', hour), named('/b', hour)]).to.deep.equal(['GET /a', OTHER_NAME]);
    expect([named('/b', 2 * hour), named('/c', 2 * hour), named('/a', 2 * hour)]).to.deep.equal([
      ...['GET /b', OTHER_NAME, 'GET /a'],
    ]);
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
