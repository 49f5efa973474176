import { deepEqual, equal, ok } from 'node:assert/strict';
import type { KvEntry } from '../store/kv-table.js';
import type { ConsulBehaviour } from './behaviour.js';
import { Probe, after } from './probe.js';

const LONG = '30s';

/** Keys and values. */
export const KV_BEHAVIOURS: readonly ConsulBehaviour[] = [
  {
    title: 'keeps values as they are, in base64, and says 404 with an index for a key that is not there',
    async check(target) {
      const probe = new Probe(target);
      const key = `/kv/${probe.name('app')}/mesher.yaml`;
      const missing = await probe.send('GET', key);
      deepEqual([missing.status, missing.text], [404, '']);
      ok(missing.index >= 1);
      const text = 'a: "ünïcode"\nb: [1, 2]\n';
      equal((await probe.done('PUT', key, text)).text.trim(), 'true');
      const [entry] = await probe.ask<KvEntry[]>(key);
      equal(Buffer.from(entry?.Value ?? '', 'base64').toString(), text);
      equal(entry?.Key, key.slice('/kv/'.length));
      equal((await probe.done('GET', `${key}?raw`)).text, text);
      await probe.done('PUT', key, '');
      equal((await probe.ask<KvEntry[]>(key))[0]?.Value, null);
      equal((await probe.done('DELETE', key)).text.trim(), 'true');
      equal((await probe.send('GET', key)).status, 404);
      equal((await probe.done('DELETE', key)).text.trim(), 'true');
    },
  },
  {
    title: 'lists what is below a prefix, by whole entries and by keys, and removes it',
    async check(target) {
      const probe = new Probe(target);
      const root = probe.name('app');
      for (const key of ['b', 'a/x', 'a/y']) await probe.done('PUT', `/kv/${root}/${key}`, key);
      const keys = async (query: string): Promise<readonly string[]> => await probe.ask(`/kv/${root}/?${query}`);
      const entries = await probe.ask<KvEntry[]>(`/kv/${root}/?recurse`);
      const all = ['a/x', 'a/y', 'b'].map((key) => `${root}/${key}`);
      deepEqual(
        entries.map(({ Key }) => Key),
        all,
      );
      deepEqual(await keys('keys'), all);
      deepEqual(await keys('keys&separator=/'), [`${root}/a/`, `${root}/b`]);
      await probe.done('DELETE', `/kv/${root}/a/?recurse`);
      deepEqual(await keys('keys'), [`${root}/b`]);
      await probe.done('DELETE', `/kv/${root}/?recurse`);
      for (const query of ['recurse', 'keys']) equal((await probe.send('GET', `/kv/${root}/?${query}`)).status, 404);
    },
  },
  {
    title: 'holds a query for a key until it comes, changes or goes, and not for another one',
    async check(target) {
      const probe = new Probe(target);
      const [key, other] = [`/kv/${probe.name('key')}`, `/kv/${probe.name('other')}`];
      const changes: readonly (readonly [string, string | undefined, number])[] = [
        ['PUT', '1', 200],
        ['PUT', '2', 200],
        ['DELETE', undefined, 404],
      ];
      for (const [method, value, status] of changes) {
        const index = await probe.settledIndex(key);
        const held = probe.send('GET', after(key, index, LONG));
        await probe.done(method, key, value);
        const answer = await held;
        equal(answer.status, status);
        ok(answer.index > index);
        if (status === 404) continue;
        await probe.done('PUT', other, `beside ${value}`);
        equal((await probe.send('GET', after(key, answer.index, '50ms'))).index, answer.index);
      }
    },
  },
  {
    title: 'holds a query for a prefix until a key below comes, changes or goes',
    async check(target) {
      const probe = new Probe(target);
      const root = probe.name('app');
      const path = `/kv/${root}/?recurse`;
      await probe.done('PUT', `/kv/${root}/a`, '1');
      const changes: readonly (readonly [string, string, readonly string[]])[] = [
        ['PUT', 'b', ['a', 'b']],
        ['PUT', 'a', ['a', 'b']],
        ['DELETE', 'a', ['b']],
        ['DELETE', 'b', []],
      ];
      for (const [method, key, left] of changes) {
        const index = await probe.settledIndex(path);
        const held = probe.send('GET', after(path, index, LONG));
        await probe.done(method, `/kv/${root}/${key}`, method === 'PUT' ? `value of ${index}` : undefined);
        const answer = await held;
        ok(answer.index > index);
        const entries = answer.status === 404 ? [] : (JSON.parse(answer.text) as KvEntry[]);
        deepEqual(
          entries.map(({ Key }) => Key),
          left.map((one) => `${root}/${one}`),
        );
      }
    },
  },
  {
    title: 'moves no index for a value that is written again',
    async check(target) {
      const probe = new Probe(target);
      const key = `/kv/${probe.name('key')}`;
      await probe.done('PUT', key, 'same');
      const { index } = await probe.send('GET', key);
      await probe.done('PUT', key, 'same');
      equal((await probe.send('GET', key)).index, index);
    },
  },
  {
    title: 'writes and removes by index only what has not moved since',
    async check(target) {
      const probe = new Probe(target);
      const key = `/kv/${probe.name('key')}`;
      const said = async (method: string, cas: number, value?: string): Promise<string> =>
        (await probe.done(method, `${key}?cas=${cas}`, value)).text.trim();
      equal(await said('PUT', 0, 'first'), 'true');
      equal(await said('PUT', 0, 'second'), 'false');
      const [entry] = await probe.ask<KvEntry[]>(key);
      const { ModifyIndex = 0 } = entry ?? {};
      equal(await said('PUT', ModifyIndex, 'third'), 'true');
      equal(await said('DELETE', ModifyIndex), 'false');
      equal((await probe.done('GET', `${key}?raw`)).text, 'third');
      equal(await said('DELETE', (await probe.ask<KvEntry[]>(key))[0]?.ModifyIndex ?? 0), 'true');
    },
  },
  {
    title: 'refuses a key without a name, and a value above 512 KB',
    async check(target) {
      const probe = new Probe(target);
      await probe.refused(400, /^Missing key name$/, 'GET', '/kv/');
      await probe.refused(413, /too large, max size: 524288/, 'PUT', `/kv/${probe.name('key')}`, 'x'.repeat(524_289));
    },
  },
];
