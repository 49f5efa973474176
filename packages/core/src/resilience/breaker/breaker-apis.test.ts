import { expect } from 'chai';
import { ApiTable, type ApiTableOptions } from './breaker-apis.js';

interface Entry {
  readonly api: string;
  lastUsedAt: number;
}

function table(options: Partial<ApiTableOptions> = {}) {
  const dropped: string[] = [];
  let now = 0;
  const made = new ApiTable<Entry>(
    { max: 10, templates: [], idleMs: 60_000, ...options },
    (api) => ({ api, lastUsedAt: now }),
    ({ api }) => dropped.push(api),
  );
  const of = (path: string, method = 'GET'): string => made.of(method, path, () => now).api;
  const pass = (ms: number): void => void (now += ms);
  return { made, of, pass, dropped, now: () => now };
}

describe('the APIs of a service', () => {
  const templates: readonly (readonly [path: string, template: string])[] = [
    ['/', '/'],
    ['', '/'],
    ['*', '/*'],
    ['/users', '/users'],
    ['/users/', '/users'],
    ['//users///me', '/users/me'],
    ['/users?id=7', '/users'],
    ['/users/42', '/users/{id}'],
    ['/users/42/orders/7?x=/9', '/users/{id}/orders/{id}'],
    ['/users/-1', '/users/{id}'],
    ['/days/2024-02-29', '/days/{id}'],
    ['/o/123e4567-e89b-12d3-a456-426614174000', '/o/{id}'],
    ['/o/123E4567-E89B-12D3-A456-426614174000', '/o/{id}'],
    ['/o/507f1f77bcf86cd799439011', '/o/{id}'],
    ['/o/01ARZ3NDEKTSV4RRFFQ69G5FAV', '/o/{id}'],
    [`/o/${'x'.repeat(65)}`, '/o/{id}'],
    ['/v1/facade', '/v1/facade'],
    ['/v2/deadbeef', '/v2/deadbeef'],
    ['/api/v10/users', '/api/v10/users'],
    ['/top-10/a1', '/top-10/a1'],
    ['/file.pdf/1.5', '/file.pdf/1.5'],
    ['/%E4%BD%A0', '/%E4%BD%A0'],
    ['/a/b/c/d/e/f/g/h/i/j/k/l/m/n', '/a/b/c/d/e/f/g/h/i/j/k/l'],
    ['/orders.v1.OrderService/Place', '/orders.v1.OrderService/Place'],
  ];
  for (const [path, template] of templates) {
    it(`are told by method and template: ${path === '' ? 'an empty path' : path}`, () => {
      const { of } = table();
      expect(of(path)).to.equal(`GET ${template}`);
      expect(of(path)).to.equal(`GET ${template}`);
      expect(of(path, 'POST')).to.equal(`POST ${template}`);
    });
  }

  it('are as many as there are templates, however many paths come', () => {
    const { made, of } = table({ max: 100 });
    for (let i = 0; i < 10_000; i++) of(`/users/${i}/orders/${10_000 - i}`);
    expect(made.size).to.equal(1);
  });

  it('are bounded: 10,000 paths that nobody can tell apart share one beyond the bound', () => {
    const { made, of } = table({ max: 100 });
    for (let i = 0; i < 10_000; i++) of(`/p/name${String.fromCharCode(97 + (i % 26))}-${i}x`, `M${i % 3}`);
    expect(made.size).to.equal(100);
    expect([...made.all()]).to.have.length(101);
    expect(of('/something/new')).to.equal('(other APIs)');
    expect(of('/p/namea-0x', 'M0')).to.equal('M0 /p/namea-0x');
  });

  it('make room for others when they are idle', () => {
    const { made, of, pass, dropped } = table({ max: 2 });
    of('/a');
    of('/b/c');
    expect(of('/d')).to.equal('(other APIs)');
    pass(60_001);
    expect(of('/d')).to.equal('GET /d');
    expect(dropped).to.have.members(['GET /a', 'GET /b/c']);
    expect(made.size).to.equal(1);
    expect(of('/b/c')).to.equal('GET /b/c');
  });

  it('may be given: segments in braces stand for anything, names go before them', () => {
    const { of, made } = table({ templates: ['/users/{name}', '/users/{name}/orders', '/users/me'] });
    expect(of('/users/alice')).to.equal('GET /users/{name}');
    expect(of('/users/bob')).to.equal('GET /users/{name}');
    expect(of('/users/17')).to.equal('GET /users/{name}');
    expect(of('/users/bob/orders')).to.equal('GET /users/{name}/orders');
    expect(of('/users/me')).to.equal('GET /users/me');
    expect(made.size).to.equal(3);
  });

  it('stay one when their path holds characters beyond Latin-1', () => {
    const { made, of } = table();
    for (let i = 0; i < 5; i++) of('/\u4f60\u597d/\ud800');
    expect(made.size).to.equal(1);
  });
});
