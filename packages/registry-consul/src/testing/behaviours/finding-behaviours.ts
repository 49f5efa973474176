import { deepEqual, equal, ok } from 'node:assert/strict';
import type { ConsulBehaviour } from './behaviour.js';
import { Probe, after, type HealthEntry, type ProbeAnswer } from './probe.js';

/** Long enough that only a change can end a query. */
const LONG = '30s';

/** Finding instances, at once and by blocking queries. */
export const FINDING_BEHAVIOURS: readonly ConsulBehaviour[] = [
  {
    title: 'answers an empty list with an index for a service that it does not know',
    async check(target) {
      const probe = new Probe(target);
      for (const path of ['/health/service/', '/catalog/service/', '/health/checks/']) {
        const { text, index } = await probe.done('GET', path + probe.name('none'));
        equal(text.trim(), '[]');
        ok(index >= 1);
      }
    },
  },
  {
    title: 'holds a query with the present index until that service changes, and not for another one',
    async check(target) {
      const probe = new Probe(target);
      const [Name, other] = [probe.name('web'), probe.name('other')];
      const path = `/health/service/${Name}?passing=1`;
      await probe.register({ Name, ID: `${Name}-1`, Check: { TTL: '30s', Status: 'passing' } });
      await probe.untilIds(Name, [`${Name}-1`], '?passing=1');
      await probe.register({ Name: other });
      await probe.untilIds(other, [other]);
      const index = await probe.settledIndex(path);
      let answered: ProbeAnswer | undefined;
      const held = probe.send('GET', after(path, index, LONG)).then((answer) => (answered = answer));
      await probe.register({ Name: other, Port: 81 });
      await probe.eventually(async () => equal((await probe.healthy(other))[0]?.Service.Port, 81));
      equal(answered, undefined);
      await probe.register({ Name, ID: `${Name}-2` });
      const answer = await held;
      ok(answer.index > index);
      const entries = JSON.parse(answer.text) as HealthEntry[];
      deepEqual(entries.map(({ Service }) => Service.ID).sort(), [`${Name}-1`, `${Name}-2`]);
    },
  },
  {
    title: 'wakes a query when a check changes, when an instance goes, and when the last one goes',
    async check(target) {
      const probe = new Probe(target);
      const Name = probe.name('web');
      const [one, two] = [`${Name}-1`, `${Name}-2`];
      const path = `/health/service/${Name}?passing=1`;
      for (const ID of [one, two]) await probe.register({ Name, ID, Check: { TTL: '30s', Status: 'passing' } });
      await probe.untilIds(Name, [one, two], '?passing=1');
      const changes: readonly (readonly [string, readonly string[]])[] = [
        [`/agent/check/fail/service:${one}`, [two]],
        [`/agent/check/pass/service:${one}`, [one, two]],
        [`/agent/service/deregister/${one}`, [two]],
        [`/agent/service/deregister/${two}`, []],
      ];
      for (const [change, left] of changes) {
        const index = await probe.settledIndex(path);
        const held = probe.send('GET', after(path, index, LONG));
        await probe.done('PUT', change);
        const answer = await held;
        ok(answer.index > index, change);
        await probe.untilIds(Name, left, '?passing=1');
      }
    },
  },
  {
    title: 'wakes a query for a service that was not there when it comes',
    async check(target) {
      const probe = new Probe(target);
      const Name = probe.name('web');
      const path = `/health/service/${Name}`;
      let index = await probe.settledIndex(path);
      let entries: readonly HealthEntry[] = [];
      const loop = (async (): Promise<void> => {
        // What others do may wake it before.
        while (entries.length === 0) {
          const answer = await probe.send('GET', after(path, index, LONG));
          ok(answer.index > index);
          index = answer.index;
          entries = JSON.parse(answer.text) as HealthEntry[];
        }
      })();
      await probe.register({ Name });
      await loop;
      equal(entries[0]?.Service.ID, Name);
    },
  },
  {
    title: 'answers the same with the same index when the wait is over, and a lower index than one that is too high',
    async check(target) {
      const probe = new Probe(target);
      const Name = probe.name('web');
      const path = `/health/service/${Name}`;
      await probe.register({ Name });
      await probe.untilIds(Name, [Name]);
      const index = await probe.settledIndex(path);
      for (const known of [index, index + 1_000_000]) {
        const answer = await probe.done('GET', after(path, known, '100ms'));
        equal(answer.index, index);
        equal((JSON.parse(answer.text) as HealthEntry[]).length, 1);
      }
    },
  },
  {
    title: 'answers at once to the index 0, and refuses a wait or an index that is none',
    async check(target) {
      const probe = new Probe(target);
      const path = `/health/service/${probe.name('web')}`;
      await probe.done('GET', after(path, 0, LONG));
      await probe.refused(400, /^Invalid wait time$/, 'GET', `${path}?index=1&wait=soon`);
      await probe.refused(400, /^Invalid index$/, 'GET', `${path}?index=-1`);
    },
  },
  {
    title: 'says with each answer how old it may be, and that there is a leader, but not when health is followed',
    async check(target) {
      const probe = new Probe(target);
      const name = probe.name('web');
      await probe.register({ Name: name });
      await probe.untilIds(name, [name]);
      const path = `/health/service/${name}`;
      const facts = async (asked: string): Promise<readonly (string | null)[]> => {
        const { headers } = await probe.done('GET', asked);
        return ['knownleader', 'query-backend', 'effective-consistency', 'lastcontact'].map((fact) =>
          headers.get(`x-consul-${fact}`),
        );
      };
      deepEqual(await facts(path), ['true', 'blocking-query', 'leader', '0']);
      deepEqual(await facts(after(path, 1, '1s')), ['false', 'streaming', 'leader', '0']);
      deepEqual(await facts(after(`${path}?stale`, 1, '1s')), ['false', 'streaming', 'stale', '0']);
      deepEqual(await facts(after(`${path}?near=_agent`, 1, '1s')), ['true', 'blocking-query', 'leader', '0']);
      deepEqual(await facts(after('/catalog/services', 1, '1s')), ['true', 'blocking-query', 'leader', '0']);
      ok((await probe.ask<string>('/status/leader')).length > 0);
    },
  },
  {
    title: 'shows only instances with all tags that are asked for, and takes `near`',
    async check(target) {
      const probe = new Probe(target);
      const Name = probe.name('web');
      const [one, two] = [`${Name}-1`, `${Name}-2`];
      await probe.register({ Name, ID: one, Tags: ['v1', 'canary'] });
      await probe.register({ Name, ID: two, Tags: ['v1'] });
      await probe.untilIds(Name, [one, two], '?near=_agent');
      deepEqual(await probe.ids(Name, '?tag=v1'), [one, two]);
      deepEqual(await probe.ids(Name, '?tag=v1&tag=canary'), [one]);
      deepEqual(await probe.ids(Name, '?tag=v2'), []);
    },
  },
  {
    title: 'lists services with the tags of all their instances, itself among them, and instances without their health',
    async check(target) {
      const probe = new Probe(target);
      const Name = probe.name('web');
      await probe.register({ Name, ID: `${Name}-1`, Tags: ['v2'], Meta: { a: '1' } });
      await probe.register({ Name, ID: `${Name}-2`, Tags: ['v1', 'v2'], Check: { TTL: '30s' } });
      await probe.untilIds(Name, [`${Name}-1`, `${Name}-2`]);
      const services = await probe.ask<Record<string, string[]>>('/catalog/services');
      deepEqual([services[Name]?.sort(), services['consul']], [['v1', 'v2'], []]);
      const flat = await probe.ask<Record<string, unknown>[]>(`/catalog/service/${Name}?tag=v2`);
      deepEqual(flat.map((entry) => entry['ServiceID']).sort(), [`${Name}-1`, `${Name}-2`]);
      const first = flat.find((entry) => entry['ServiceID'] === `${Name}-1`);
      deepEqual(
        ['ServiceName', 'ServiceAddress', 'ServicePort', 'ServiceMeta', 'Address'].map((field) => first?.[field]),
        [Name, '127.0.0.1', 8080, { a: '1' }, '127.0.0.1'],
      );
    },
  },
  {
    title: 'wakes a query for the list of services when one comes',
    async check(target) {
      const probe = new Probe(target);
      const Name = probe.name('web');
      const index = await probe.settledIndex('/catalog/services');
      const held = probe.send('GET', after('/catalog/services', index, LONG));
      await probe.register({ Name });
      ok((await held).index > index);
    },
  },
  {
    title: 'refuses another datacenter, namespaces, and paths and methods that it does not have',
    async check(target) {
      const probe = new Probe(target);
      const path = `/health/service/${probe.name('web')}`;
      await probe.refused(500, /No path to datacenter/, 'GET', `${path}?dc=elsewhere`);
      await probe.refused(400, /Namespaces are a Consul Enterprise feature/, 'GET', `${path}?ns=team`);
      equal((await probe.send('GET', '/agent/dance')).status, 404);
      equal((await probe.send('POST', '/agent/service/register', {})).status, 405);
    },
  },
];
