import { expect } from 'chai';
import fc from 'fast-check';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { MAX_ROUTE_VALUE, cookieValue, findRoute } from './route-value.js';
import { readTarget } from './target.js';

describe('what X-Route says about a host', () => {
  it('is the target of the first pair that is for it', () => {
    const value = 'orders=orders-canary:8080,stock=10.0.0.7,orders=third:1';
    expect(findRoute(value, 'orders')).to.deep.equal({ host: 'orders-canary', port: 8080 });
    expect(findRoute(value, 'stock')).to.deep.equal({ host: '10.0.0.7', port: undefined });
    expect(findRoute(value, 'else')).to.equal('none');
    expect(findRoute('v6=[fd77::0:1]:80', 'v6')).to.deep.equal({ host: 'fd77::1', port: 80 });
  });

  it('counts ports of hosts, and not their letter case', () => {
    expect(findRoute('orders=a', 'orders:8080')).to.equal('none');
    expect(findRoute('orders:8080=a', 'orders')).to.equal('none');
    expect(findRoute('Orders:8080=A.Shop.', 'orders:8080')).to.deep.equal({ host: 'a.shop', port: undefined });
  });

  it('is nothing where a pair leads to itself, which would be a loop', () => {
    expect(findRoute('orders=orders', 'orders')).to.equal('none');
    expect(findRoute('orders=ORDERS,orders=b', 'orders')).to.deep.equal({ host: 'b', port: undefined });
  });

  it('is malformed from the first pair on that is none, and where its target is none', () => {
    for (const value of [
      '',
      'orders',
      'a=b,',
      'a=b,orders',
      'orders=',
      'orders=a=b',
      'orders=http://a',
      'orders=a:0',
    ]) {
      expect(findRoute(value, 'orders'), value).to.equal('malformed');
    }
    expect(findRoute('orders=a,rubbish', 'orders'), 'as netramesh reads it').to.deep.equal({
      host: 'a',
      port: undefined,
    });
  });

  it('may have blanks, and semicolons, as before version 0.7', () => {
    expect(findRoute(' x=y ;  orders = a:1 ', 'orders')).to.deep.equal({ host: 'a', port: 1 });
  });

  it('is read in time linear to its length, whatever it is, and never throws', () => {
    const hostile = fc.oneof(
      fc.string({ maxLength: 4096 }),
      fc.string({
        unit: fc.constantFrom('=', ',', ';', '.', '-', ':', '[', ']', 'a', ' ', '\0', '%'),
        maxLength: 2048,
      }),
    );
    fc.assert(
      fc.property(hostile, hostile, (value, host) => {
        const found = findRoute(value, host);
        if (value.length > MAX_ROUTE_VALUE) expect(found).to.equal('malformed');
        if (typeof found === 'string') return;
        // What comes out can be dialled, and reads as itself.
        const written = found.host.includes(':') ? `[${found.host}]` : found.host;
        expect(readTarget(found.port === undefined ? written : `${written}:${found.port}`)).to.deep.equal(found);
      }),
      { numRuns: 500 },
    );
    // An expression that tries again from each place would need 10^12 steps for it.
    expect(readTarget(`${'a-'.repeat(500_000)}!`)).to.equal(undefined);
    expect(cookieValue(`${' ,'.repeat(500_000)};r=1`, 'r')).to.equal('1');
  });
});

describe('a route in a cookie', () => {
  it('keeps no more in memory than itself, however much stands around it', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const around = 1_000_000;
    const kept: (string | undefined)[] = [];
    const used = (): number => {
      collect();
      return process.memoryUsage().heapUsed;
    };
    const before = used();
    for (let i = 0; i < 20; i++) {
      const field = Buffer.alloc(around, `r=orders=canary-${i}; x`).toString('latin1');
      kept.push(cookieValue(field, 'r'));
    }
    const grown = used() - before;
    expect(kept[19]).to.equal('orders=canary-19');
    expect(grown).to.be.lessThan(5 * around);
  });
});

describe('a target', () => {
  it('is a host or an address, perhaps with a port', () => {
    const read = (text: string): string => JSON.stringify(readTarget(text) ?? null);
    expect(read('Orders.Shop.:80')).to.equal('{"host":"orders.shop","port":80}');
    for (const text of [
      ...['', '.', 'a..b', '-a', 'a b', 'a/b', 'user@a', 'a\r\nb', 'a:b', 'a:', 'a:65536', 'a:1:2', 'fd77::1'],
      ...['[fd77::1', '[fd77::1]x', '[fe80::1%eth0]', '[10.0.0.1]', '[]', `${'a'.repeat(64)}`, `${'a.'.repeat(127)}a`],
    ]) {
      expect(read(text), text).to.equal('null');
    }
    expect(read('[::ffff:169.254.169.254]:80')).to.equal('{"host":"169.254.169.254","port":80}');
  });
});

describe('the value of a cookie', () => {
  it('is found by its name, whole, among others', () => {
    expect(cookieValue('a=1; X-Route=orders=b,stock=c; d=2', 'X-Route')).to.equal('orders=b,stock=c');
    expect(cookieValue('X-Route="orders=b"', 'X-Route')).to.equal('orders=b');
    expect(cookieValue('NX-Route=no; x-route=no', 'X-Route')).to.equal(undefined);
    expect(cookieValue('a=1, X-Route=orders=b', 'X-Route'), 'of a second field').to.equal('orders=b');
    expect(cookieValue('X-Route=', 'X-Route')).to.equal('');
  });
});
