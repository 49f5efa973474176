import { deepEqual, equal } from 'node:assert/strict';
import type { Json } from '../http/call.js';
import type { ConsulBehaviour } from './behaviour.js';
import { Probe } from './probe.js';

const REGISTER = '/agent/service/register';
/** Long enough not to end within a behaviour. */
const TTL = { TTL: '30s' };

/** Registering, deregistering and maintenance. */
export const REGISTERING_BEHAVIOURS: readonly ConsulBehaviour[] = [
  {
    title: 'shows an instance that was registered, with all that it said',
    async check(target) {
      const probe = new Probe(target);
      const [Name, ID] = [probe.name('web'), probe.name('web-1')];
      const said = { Tags: ['v1', 'canary'], Meta: { version: '1.0' }, Weights: { Passing: 5, Warning: 2 } };
      await probe.register({ Name, ID, Address: '127.0.0.9', Port: 81, EnableTagOverride: true, ...said });
      await probe.untilIds(Name, [ID]);
      const [entry] = await probe.healthy(Name);
      const { Tags, Meta, Weights, Service, Address, Port, EnableTagOverride } = entry!.Service;
      deepEqual({ Tags, Meta, Weights }, said);
      deepEqual([Service, Address, Port, EnableTagOverride], [Name, '127.0.0.9', 81, true]);
      equal(entry!.Node.Datacenter, 'dc1');
      const own = await probe.ask<Record<string, { Service: string }>>('/agent/services');
      equal(own[ID]?.Service, Name);
      deepEqual((await probe.ask<{ Meta: object }>(`/agent/service/${ID}`)).Meta, said.Meta);
    },
  },
  {
    title: 'takes the name for the id, leaves out or says null for what is empty, and adds the address as a tagged one',
    async check(target) {
      const probe = new Probe(target);
      const [plain, bare] = [probe.name('web'), probe.name('bare')];
      await probe.register({ Name: plain });
      await probe.register({ Name: bare, Address: '', Port: 0 });
      await probe.untilIds(plain, [plain]);
      await probe.untilIds(bare, [bare]);
      const [one] = await probe.healthy(plain);
      deepEqual(one?.Service.TaggedAddresses?.['lan_ipv4'], { Address: '127.0.0.1', Port: 8080 });
      const [two] = await probe.healthy(bare);
      const { Address, Port, Meta, TaggedAddresses, Weights } = two!.Service;
      deepEqual([Address, Port, Meta, TaggedAddresses], ['', undefined, null, undefined]);
      deepEqual(Weights, { Passing: 1, Warning: 1 });
      const own = await probe.ask<Record<string, { Meta: object; Port: number }>>('/agent/services');
      deepEqual([own[bare]?.Meta, own[bare]?.Port], [{}, 0]);
      equal(two?.Node.Address, '127.0.0.1');
    },
  },
  {
    title: 'tells of one instance of its own when it is asked with a filter',
    async check(target) {
      const probe = new Probe(target);
      const [Name, ID] = [probe.name('web'), probe.name('web-1')];
      await probe.register({ Name });
      await probe.register({ Name, ID });
      const own = async (filter: string): Promise<string[]> =>
        Object.keys(await probe.ask(`/agent/services?filter=${encodeURIComponent(filter)}`));
      deepEqual(await own(`ID == "${ID}"`), [ID]);
      deepEqual((await own(`Service == "${Name}"`)).sort(), [Name, ID].sort());
      deepEqual(await own(`ID == "${probe.name('none')}"`), []);
      const none = `/agent/services?filter=${encodeURIComponent('ID = web')}`;
      await probe.refused(500, /^Failed to create boolean expression evaluator/, 'GET', none);
    },
  },
  {
    title: 'keeps one instance of an id, as it was last registered, and the state of a check that was there',
    async check(target) {
      const probe = new Probe(target);
      const Name = probe.name('web');
      const Check = { ...TTL, Status: 'passing' };
      await probe.register({ Name, Meta: { version: '1' }, Check });
      await probe.done('PUT', `/agent/check/fail/service:${Name}?note=broken`);
      await probe.untilStatus(Name, Name, 'critical');
      await probe.register({ Name, Meta: { version: '2' }, Port: 9090, Check });
      await probe.eventually(async () => {
        const entries = await probe.healthy(Name);
        deepEqual(
          entries.map(({ Service }) => [Service.ID, Service.Port, Service.Meta]),
          [[Name, 9090, { version: '2' }]],
        );
      });
      equal(await probe.status(Name, Name), 'critical');
    },
  },
  {
    title: 'numbers the checks of an instance with several, and drops those that a registration replaces',
    async check(target) {
      const probe = new Probe(target);
      const Name = probe.name('web');
      const checks = async (): Promise<string[]> => {
        const [entry] = await probe.healthy(Name);
        return (entry?.Checks ?? []).filter(({ ServiceID }) => ServiceID === Name).map(({ CheckID }) => CheckID);
      };
      await probe.register({ Name, Checks: [TTL, { ...TTL, CheckID: probe.name('own') }, TTL] });
      const three = [`service:${Name}:1`, probe.name('own'), `service:${Name}:3`].sort();
      await probe.eventually(async () => deepEqual((await checks()).sort(), three));
      await probe.done('PUT', `${REGISTER}?replace-existing-checks=true`, { Name, Check: TTL });
      await probe.eventually(async () => deepEqual(await checks(), [`service:${Name}`]));
    },
  },
  {
    title: 'refuses registrations that are none, with the reason in plain text',
    async check(target) {
      const probe = new Probe(target);
      const Name = probe.name('web');
      const refusals: readonly (readonly [RegExp, Json | string])[] = [
        [/^Request decode failed: /, '{'],
        [/^Missing service name$/, { ID: Name }],
        [/^Request decode failed: .*unknown field "Adress"/, { Name, Adress: '127.0.0.1' }],
        [/^Request decode failed: /, { Name, Port: '80' }],
        [/^Invalid service address$/, { Name, Address: '0.0.0.0' }],
        [/^Invalid Weights: /, { Name, Weights: { Passing: 0, Warning: 1 } }],
        [/^Invalid Service Meta: .*more than 64/, { Name, Meta: metaOf(65) }],
        [/^Invalid Service Meta: .*invalid characters/, { Name, Meta: { 'a.b': '1' } }],
        [/^Invalid Service Meta: .*too long/, { Name, Meta: { ['k'.repeat(129)]: '1' } }],
        [/^Invalid Service Meta: .*too long/, { Name, Meta: { a: 'v'.repeat(513) } }],
        [/^Invalid Service Meta: .*reserved/, { Name, Meta: { 'consul-a': '1' } }],
        [/^Invalid check: TTL must be > 0/, { Name, Check: { Name: 'nothing' } }],
        [/^Invalid check: Interval must be > 0/, { Name, Check: { HTTP: 'http://127.0.0.1:1' } }],
        [/^Invalid check: Interval and TTL/, { Name, Check: { TTL: '1s', Interval: '1s' } }],
        [/^Request decode failed: .*duration/, { Name, Check: { TTL: 'soon' } }],
        [/^Status for checks must/, { Name, Check: { ...TTL, Status: 'fine' } }],
      ];
      for (const [text, body] of refusals) await probe.refused(400, text, 'PUT', REGISTER, body);
      await probe.register({ Name, Meta: { ...metaOf(63), ['k'.repeat(128)]: 'v'.repeat(512) } });
    },
  },
  {
    title: 'forgets an instance with its checks when it is deregistered, and says 404 for one that it does not know',
    async check(target) {
      const probe = new Probe(target);
      const [Name, ID] = [probe.name('web'), probe.name('web-1')];
      await probe.register({ Name, ID, Check: TTL });
      await probe.untilIds(Name, [ID]);
      await probe.done('PUT', `/agent/service/deregister/${ID}`);
      await probe.untilIds(Name, []);
      equal((await probe.ask<Record<string, unknown>>('/agent/checks'))[`service:${ID}`], undefined);
      await probe.refused(404, /^Unknown service ID "/, 'PUT', `/agent/service/deregister/${ID}`);
      await probe.refused(404, /^unknown service ID: /, 'GET', `/agent/service/${ID}`);
    },
  },
  {
    title: 'takes an instance out of what passes by maintenance, and back',
    async check(target) {
      const probe = new Probe(target);
      const Name = probe.name('web');
      const path = `/agent/service/maintenance/${Name}`;
      await probe.register({ Name });
      await probe.untilIds(Name, [Name], '?passing=1');
      await probe.done('PUT', `${path}?enable=true&reason=upgrade`);
      await probe.untilIds(Name, [], '?passing=1');
      const [entry] = await probe.healthy(Name);
      const check = entry?.Checks.find(({ CheckID }) => CheckID === `_service_maintenance:${Name}`);
      deepEqual([check?.Status, check?.Notes], ['critical', 'upgrade']);
      await probe.done('PUT', `${path}?enable=true`);
      await probe.done('PUT', `${path}?enable=false`);
      await probe.untilIds(Name, [Name], '?passing=1');
      await probe.refused(400, /^Missing value for enable$/, 'PUT', path);
      await probe.refused(400, /^Invalid value for enable: "perhaps"$/, 'PUT', `${path}?enable=perhaps`);
      await probe.refused(404, /^Unknown service ID "/, 'PUT', `/agent/service/maintenance/none?enable=true`);
    },
  },
];

function metaOf(pairs: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: pairs }, (_, at) => [`key-${at}`, 'value']));
}
