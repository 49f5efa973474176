import { expect } from 'chai';
import { RequestGuard } from './request-guard.js';
import type { GuardedRequest } from './request-guard.js';

function check(request: Partial<GuardedRequest>, allowedHosts: readonly string[] = []): number | undefined {
  const whole: GuardedRequest = {
    method: 'GET',
    target: '/config',
    host: '127.0.0.1:30102',
    origin: undefined,
    secFetchSite: undefined,
    forwarded: false,
    localAddress: '10.0.0.7',
    ...request,
  };
  return new RequestGuard(allowedHosts).check(whole)?.status;
}

describe('RequestGuard', () => {
  it('refuses what a sidecar passed on, since its caller may be anybody', () => {
    expect(check({ forwarded: true })).to.equal(403);
    expect(check({ forwarded: true, method: 'POST', target: '/drain' })).to.equal(403);
  });

  const ownHosts = [
    'localhost',
    'localhost:30102',
    'LOCALHOST.:8080',
    '127.0.0.1',
    '127.9.9.9:1',
    '[::1]:30102',
    '[::1]',
    '10.0.0.7:30102',
  ];
  for (const host of ownHosts) {
    it(`lets Host ${host} pass`, () => expect(check({ host })).to.equal(undefined));
  }

  const foreignHosts = [
    'evil.example',
    'evil.example:30102',
    '10.0.0.8',
    '0.0.0.0:30102',
    '[fe80::1]:30102',
    'localhost.evil.example',
    'localhost@evil.example',
    'evil.example:80@localhost',
    '127.0.0.1.evil.example',
    'localhost, evil.example',
    '',
  ];
  for (const host of foreignHosts) {
    it(`refuses Host ${JSON.stringify(host)}`, () => expect(check({ host })).to.equal(403));
  }

  it('lets the address pass at which a dual-stack socket took the connection', () => {
    expect(check({ host: '10.0.0.7:30102', localAddress: '::ffff:10.0.0.7' })).to.equal(undefined);
    expect(check({ host: '[fd00::7]:30102', localAddress: 'fd00::7' })).to.equal(undefined);
  });

  it('lets names pass that are allowed', () => {
    expect(check({ host: 'hello.shop.svc:30102' }, ['Hello.Shop.Svc'])).to.equal(undefined);
    expect(check({ host: 'world.shop.svc:30102' }, ['hello.shop.svc'])).to.equal(403);
  });

  it('lets an HTTP/1.0 request without Host pass', () => expect(check({ host: undefined })).to.equal(undefined));

  it('says to a proxy client that it has the wrong port', () => {
    expect(check({ target: 'http://world/', host: 'world' })).to.equal(400);
    expect(check({ method: 'OPTIONS', target: '*' })).to.equal(400);
  });

  const post = { method: 'POST', target: '/drain', host: 'localhost:30102' } as const;

  it('lets a POST of a program pass', () => expect(check(post)).to.equal(undefined));

  it('lets a POST of a page of its own pass', () => {
    expect(check({ ...post, origin: 'http://localhost:30102', secFetchSite: 'same-origin' })).to.equal(undefined);
    expect(check({ ...post, secFetchSite: 'none' })).to.equal(undefined);
  });

  for (const secFetchSite of ['cross-site', 'same-site', 'anything']) {
    it(`refuses a POST with Sec-Fetch-Site ${secFetchSite}`, () =>
      expect(check({ ...post, secFetchSite })).to.equal(403));
  }
  for (const origin of [
    'http://evil.example',
    'null',
    'http://localhost:3000',
    'http://127.0.0.1:30102',
    'not a URL',
    '',
  ]) {
    it(`refuses a POST with Origin ${JSON.stringify(origin)}`, () => expect(check({ ...post, origin })).to.equal(403));
  }

  it('refuses a POST with an Origin and no Host to compare it with', () => {
    expect(check({ ...post, host: undefined, origin: 'http://localhost' })).to.equal(403);
  });

  it('lets a GET from another site pass, which cannot read the answer', () => {
    expect(check({ secFetchSite: 'cross-site', origin: 'http://evil.example' })).to.equal(undefined);
  });
});
