import { deepEqual, equal } from 'node:assert/strict';
import { LIMITED_PREFIX, type ConsulBehaviour, type Target } from './behaviour.js';
import { after, Probe } from './probe.js';

const FILTERED = 'x-consul-results-filtered-by-acls';
const DENIED = /^Permission denied: /;

interface Clients {
  readonly root: Probe;
  readonly limited: Probe;
  readonly anonymous: Probe;
}

function clients(target: Target): Clients {
  const { root = '', limited = '' } = target.tokens ?? {};
  return { root: new Probe(target, root), limited: new Probe(target, limited), anonymous: new Probe(target) };
}

/** Tokens and what they may do, where the default is to deny. */
export const ACL_BEHAVIOURS: readonly ConsulBehaviour[] = [
  {
    title: 'refuses who may not write, and a token that it does not know',
    needs: { acl: true },
    async check(target) {
      const { limited, anonymous } = clients(target);
      const Name = limited.name('theirs');
      for (const probe of [limited, anonymous]) {
        await probe.refused(403, DENIED, 'PUT', '/agent/service/register', { Name });
        await probe.refused(403, DENIED, 'PUT', `/kv/${Name}`, '1');
        await probe.refused(403, DENIED, 'GET', `/kv/${Name}`);
      }
      const stranger = new Probe(target, '6f1f4d0a-0000-4000-8000-000000000000');
      await stranger.refused(403, /^ACL not found/, 'PUT', '/agent/service/register', { Name });
      await stranger.refused(403, /^ACL not found/, 'GET', `/health/service/${Name}`);
    },
  },
  {
    title: 'lets a token do what its rules say: register, keep its check up, find, deregister',
    needs: { acl: true },
    async check(target) {
      const { limited, anonymous } = clients(target);
      const Name = LIMITED_PREFIX + limited.run;
      await limited.register({ Name, Check: { TTL: '30s', Status: 'passing' } });
      await limited.untilIds(Name, [Name], '?passing=1');
      await anonymous.refused(403, DENIED, 'PUT', `/agent/check/fail/service:${Name}`);
      await anonymous.refused(403, DENIED, 'PUT', `/agent/service/deregister/${Name}`);
      await limited.done('PUT', `/agent/check/pass/service:${Name}`);
      await limited.done('PUT', `/agent/service/deregister/${Name}`);
      await limited.untilIds(Name, []);
      await limited.done('PUT', `/kv/${Name}`, 'value');
      equal((await limited.done('GET', `/kv/${Name}?raw`)).text, 'value');
    },
  },
  {
    title: 'leaves out what a token may not see, and says so; to who has no token it does not say so',
    needs: { acl: true },
    async check(target) {
      const { root, limited, anonymous } = clients(target);
      const Name = root.name('theirs');
      await root.register({ Name });
      await root.untilIds(Name, [Name]);
      for (const path of [`/health/service/${Name}`, `/catalog/service/${Name}`]) {
        const [one, two, all] = [
          await limited.done('GET', path),
          await anonymous.done('GET', path),
          await root.done('GET', path),
        ];
        deepEqual([one.text.trim(), two.text.trim()], ['[]', '[]']);
        deepEqual(
          [one, two, all].map(({ headers }) => headers.get(FILTERED)),
          ['true', null, null],
        );
      }
      const followed = await limited.done('GET', after(`/health/service/${Name}`, 1, '1s'));
      deepEqual([followed.text.trim(), followed.headers.get(FILTERED)], ['[]', null], 'an answer that was held');
      const services = await limited.done('GET', '/catalog/services');
      equal((JSON.parse(services.text) as Record<string, unknown>)[Name], undefined);
      equal(services.headers.get(FILTERED), 'true');
    },
  },
  {
    title:
      'shows no instance to a token that may not read nodes, not even its own, and says that something is left out',
    needs: { acl: true },
    async check(target) {
      const { root } = clients(target);
      const nodeless = new Probe(target, target.tokens?.nodeless ?? '');
      const Name = LIMITED_PREFIX + nodeless.run;
      await nodeless.register({ Name });
      await root.untilIds(Name, [Name]);
      for (const path of [`/health/service/${Name}`, `/catalog/service/${Name}`]) {
        const { text, headers } = await nodeless.done('GET', path);
        deepEqual([text.trim(), headers.get(FILTERED)], ['[]', 'true']);
      }
      const services = await nodeless.ask<Record<string, unknown>>('/catalog/services');
      deepEqual(services[Name], []);
    },
  },
  {
    title: 'takes a token from its header, from `Authorization`, and from the query',
    needs: { acl: true },
    async check(target) {
      const { root, anonymous } = clients(target);
      const key = `/kv/${root.name('key')}`;
      await root.done('PUT', key, '1');
      const token = target.tokens?.root ?? '';
      const answers = [
        await anonymous.send('GET', key, undefined, { 'x-consul-token': token }),
        await anonymous.send('GET', key, undefined, { authorization: `Bearer ${token}` }),
        await anonymous.send('GET', `${key}?token=${token}`),
        await anonymous.send('GET', key),
      ];
      deepEqual(
        answers.map(({ status }) => status),
        [200, 200, 200, 403],
      );
    },
  },
];
