import { expect } from 'chai';
import { ALL_SERVICES, AllowList, allowEntryProblem } from './allow-list.js';

describe('the list of allowed targets', () => {
  it('takes hosts, names below one, addresses and nets, with or without a port', () => {
    const list = new AllowList([
      ...['Orders', 'stock:8080', 'stock:8081', '*.staging.example', '*.one.example:443'],
      ...['10.1.0.0/16', '10.0.0.7:8080', '[fd77::1]:80', 'fd78::/16', ALL_SERVICES],
    ]);
    expect(list.allServices).to.equal(true);
    const cases: readonly (readonly [host: string, port: number, allowance: string])[] = [
      ['orders', 1, 'yes'],
      ['orders.example', 1, 'no'],
      ['stock', 8080, 'yes'],
      ['stock', 8081, 'yes'],
      ['stock', 80, 'no'],
      ['a.staging.example', 80, 'yes'],
      ['b.a.staging.example', 80, 'yes'],
      ['staging.example', 80, 'no'],
      ['xstaging.example', 80, 'no'],
      ['a.one.example', 80, 'no'],
      ['a.one.example', 443, 'yes'],
      ['10.1.2.3', 22, 'yes'],
      ['10.2.0.1', 22, 'no'],
      ['10.0.0.7', 8080, 'named'],
      ['10.0.0.7', 8081, 'no'],
      ['fd77::1', 80, 'named'],
      ['fd78::9', 80, 'yes'],
      ['fd79::9', 80, 'no'],
    ];
    for (const [host, port, allowance] of cases) expect(list.of(host, port), `${host}:${port}`).to.equal(allowance);
  });

  it('knows no services and no hosts when it has other entries', () => {
    const list = new AllowList(['10.0.0.0/8']);
    expect(list.allServices).to.equal(false);
    expect(list.of('orders', 80)).to.equal('no');
  });

  it('leads to this machine, its link and its metadata service only where it names them', () => {
    const world = new AllowList(['0.0.0.0/0', '::/0', '*.localhost', '*.internal']);
    for (const host of ['127.0.0.1', '169.254.169.254', '::1', 'fe80::1', 'a.localhost', 'metadata.google.internal']) {
      // "yes" still asks where the target leads, and refuses these.
      expect(world.of(host, 80), host).to.equal('yes');
    }
    expect(world.of('localhost', 80)).to.equal('no');
    const named = new AllowList(['127.0.0.0/8', '169.254.169.254', 'localhost', '::1']);
    for (const host of ['127.0.0.2', '169.254.169.254', 'localhost', '::1'])
      expect(named.of(host, 80)).to.equal('named');
    expect(new AllowList(['orders']).of('orders', 80), 'a name may lead anywhere, one day').to.equal('yes');
  });

  it('means by a net no more than its own family, and this machine only by nets of nothing else', () => {
    expect(new AllowList(['::/0']).of('10.0.0.1', 80), 'IPv6 alone').to.equal('no');
    expect(new AllowList(['::/64', '::1/8']).of('169.254.169.254', 80)).to.equal('no');
    expect(new AllowList(['::ffff:10.0.0.0/104']).of('10.1.2.3', 80), 'which is 10.0.0.0/8').to.equal('yes');
    for (const [net, host] of [
      ['::ffff:0.0.0.0/96', '169.254.169.254'],
      ['64:ff9b::/96', '64:ff9b::a9fe:a9fe'],
      ['::/10', '::1'],
      ['169.254.0.0/15', '169.254.169.254'],
      ['10.0.0.0/8', '10.0.0.1'],
    ] as const) {
      expect(new AllowList([net]).of(host, 80), net).to.equal('yes');
    }
    for (const [net, host] of [
      ['169.254.169.0/24', '169.254.169.254'],
      ['::ffff:127.0.0.0/104', '127.0.0.1'],
      ['10.0.0.1/32', '10.0.0.1'],
      ['fe80::/64', 'fe80::1'],
      ['::1/128', '::1'],
    ] as const) {
      expect(new AllowList([net]).of(host, 80), net).to.equal('named');
    }
    expect(allowEntryProblem('::ffff:0.0.0.0/95')).to.match(/is neither a host/);
  });

  it('refuses entries that are none of these', () => {
    for (const entry of [
      '',
      '*',
      '*.',
      'http://a',
      '10.0.0.0/33',
      'a/8',
      '10.0.0.0/',
      '*.10.0.0.1',
      'a:0',
      'a b',
      '@all',
    ]) {
      expect(allowEntryProblem(entry), entry).to.match(/is neither a host/);
    }
    for (const entry of [ALL_SERVICES, 'a', '::1', '[::1]:80', '::/0'])
      expect(allowEntryProblem(entry)).to.equal(undefined);
  });
});
