import { equal, ok } from 'node:assert/strict';
import { ROOT_PASSWORD, type ServiceCenterBehaviour, type Target } from './behaviour.js';
import { Probe } from './probe.js';

const LOGIN = '/v4/token';
/** Whatever the reason is, a 1.x says that the request is not authorized. */
const REFUSED_BY_1 = 401002;
const needs = { rootPassword: ROOT_PASSWORD };

/** Logins and tokens. */
export const LOGIN_BEHAVIOURS: readonly ServiceCenterBehaviour[] = [
  {
    title: 'lets nobody in without a token, but tells its health and version',
    needs,
    async check(target) {
      const { url } = target;
      const probe = new Probe({ url });
      const [missing, wrong] = target.generation === 1 ? [REFUSED_BY_1, REFUSED_BY_1] : [401204, 401201];
      await probe.refused(missing, 'GET', '/microservices');
      await probe.refused(wrong, 'GET', '/microservices', undefined, { authorization: 'Bearer no.such.token' });
      await probe.ask('GET', '/health');
      await probe.ask('GET', '/version');
      let refused = false;
      await probe.socket('/microservices/x/watcher').catch(() => (refused = true));
      ok(refused, 'a watch without a token');
    },
  },
  {
    title: 'gives a token that says when it ends, as asked for',
    needs,
    async check(target) {
      const usual = target.generation === 1 ? 30 * 60 : 12 * 3_600;
      for (const [life, seconds] of [['15m', 900] as const, [undefined, usual] as const]) {
        const token = await login(target, { tokenExpirationTime: life });
        const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { exp: number };
        ok(Math.abs(claims.exp - Date.now() / 1_000 - seconds) < 60, `${life}: ${claims.exp}`);
        await new Probe({ ...target, token }).ask('GET', '/microservices');
      }
    },
  },
  {
    title: 'refuses a wrong password, an unknown account and a life that is too short',
    needs,
    async check({ url, generation }) {
      const probe = new Probe({ url });
      const name = probe.name('nobody');
      const refused = generation === 1 ? REFUSED_BY_1 : 401202;
      await probe.refused(refused, 'POST', LOGIN, { name, password: ROOT_PASSWORD });
      await probe.refused(refused, 'POST', LOGIN, { name: 'root', password: 'Wrong-1234' });
      const short = { name: 'root', password: ROOT_PASSWORD, tokenExpirationTime: '10s' };
      await probe.refused(400001, 'POST', LOGIN, short);
    },
  },
  {
    title: 'blocks an account after wrong passwords',
    needs,
    async check({ url, generation }) {
      const probe = new Probe({ url });
      const account = { name: probe.name('guesser'), password: 'Wrong-1234' };
      // 1.x counts what all accounts of an address get wrong, so that it may be blocked already.
      if (generation === 1) return await probe.eventually(() => probe.refused(403001, 'POST', LOGIN, account));
      for (let attempt = 1; attempt <= 3; attempt++) await probe.refused(401202, 'POST', LOGIN, account);
      await probe.refused(403201, 'POST', LOGIN, account);
    },
  },
];

/** A token of the account `root`. */
export async function login({ url }: Target, more: object = {}): Promise<string> {
  const body = await new Probe({ url }).ask('POST', LOGIN, { name: 'root', password: ROOT_PASSWORD, ...more });
  equal(typeof body['token'], 'string');
  return String(body['token']);
}
