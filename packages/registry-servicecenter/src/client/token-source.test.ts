import { expect } from 'chai';
import { fakePorts } from '@mesher/core/testing';
import { SC_CODE } from './error-codes.js';
import { ServiceCenterError } from './service-center-error.js';
import { TokenSource } from './token-source.js';

const { signal } = new AbortController();

/** A JWT without a signature. */
function jwt(claims: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'RS512' })}.${part(claims)}.x`;
}

describe('the token of service-center', () => {
  it('is asked for once, by however many wait for it', async () => {
    let logins = 0;
    const tokens = new TokenSource(() => Promise.resolve(`t${++logins}`), fakePorts());
    expect(await Promise.all([tokens.get(signal), tokens.get(signal)])).to.deep.equal(['t1', 't1']);
    expect(await tokens.get(signal)).to.equal('t1');
  });

  it('is renewed at four fifths of its life, as the token says', async () => {
    const ports = fakePorts();
    let logins = 0;
    const login = (): Promise<string> => Promise.resolve(jwt({ iat: 1_000, exp: 1_100, id: ++logins }));
    const tokens = new TokenSource(login, ports);
    const first = await tokens.get(signal);
    ports.time.advance(79_000);
    expect(await tokens.get(signal)).to.equal(first);
    ports.time.advance(2_000);
    expect(await tokens.get(signal)).to.not.equal(first);
    expect(logins).to.equal(2);
  });

  it('is replaced when it was refused, and not when another one was', async () => {
    let logins = 0;
    const tokens = new TokenSource(() => Promise.resolve(`t${++logins}`), fakePorts());
    const first = await tokens.get(signal);
    tokens.reject(first);
    expect(await tokens.get(signal)).to.equal('t2');
    tokens.reject(first);
    expect(await tokens.get(signal)).to.equal('t2');
  });

  it('is not asked for again and again with a wrong password, which would block the account', async () => {
    const ports = fakePorts();
    let logins = 0;
    const login = (): Promise<string> => {
      logins++;
      return Promise.reject(new ServiceCenterError('SC_DENIED', 'no', SC_CODE.wrongPassword));
    };
    const tokens = new TokenSource(login, ports);
    for (let i = 0; i < 3; i++) expect(await tokens.get(signal).catch((error: Error) => error.message)).to.equal('no');
    expect(logins).to.equal(1);
    ports.time.advance(60_000);
    await tokens.get(signal).catch(() => {});
    expect(logins).to.equal(2);
    // A third one within a quarter of an hour would block it.
    ports.time.advance(899_000);
    await tokens.get(signal).catch(() => {});
    expect(logins).to.equal(2);
    ports.time.advance(1_000);
    await tokens.get(signal).catch(() => {});
    expect(logins).to.equal(3);
  });

  for (const [what, error] of [
    ['refused', new ServiceCenterError('SC_DENIED', 'no', SC_CODE.accountBlocked)],
    ['not answered', new ServiceCenterError('SC_UNREACHABLE', 'no')],
  ] as const) {
    it(`stays in use until its end when its renewal is ${what}, and no longer`, async () => {
      const ports = fakePorts();
      let logins = 0;
      const tokens = new TokenSource(
        () => (++logins === 1 ? Promise.resolve(jwt({ iat: 1_000, exp: 1_100 })) : Promise.reject(error)),
        ports,
      );
      const token = await tokens.get(signal);
      ports.time.advance(81_000);
      expect(await tokens.get(signal)).to.equal(token);
      expect(await tokens.get(signal)).to.equal(token);
      ports.time.advance(19_000);
      expect(await tokens.get(signal).catch((reason: unknown) => reason)).to.equal(error);
      expect(logins).to.equal(what === 'refused' ? 2 : 4);
    });
  }

  it('is not waited for by somebody who gives up', async () => {
    const tokens = new TokenSource(() => new Promise(() => {}), fakePorts());
    const own = new AbortController();
    const waiting = tokens.get(own.signal).catch((error: unknown) => error);
    own.abort(new Error('enough'));
    expect(((await waiting) as Error).message).to.equal('enough');
  });
});
