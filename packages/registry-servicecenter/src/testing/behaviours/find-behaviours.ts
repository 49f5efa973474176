import { deepEqual, equal, notEqual, ok } from 'node:assert/strict';
import type { ServiceCenterBehaviour } from './behaviour.js';
import { Probe, asConsumer, findPath, type Body, type ProbeAnswer } from './probe.js';

interface BatchPart {
  readonly failed?: readonly { readonly indexes: readonly number[]; readonly error: Body }[];
  readonly notModified?: readonly number[];
  readonly updated?: readonly { readonly index: number; readonly rev: string; readonly instances?: readonly Body[] }[];
}

const BATCH = '/instances/action?type=query';

/** Finding, one service at a time and many at once. */
export const FIND_BEHAVIOURS: readonly ServiceCenterBehaviour[] = [
  {
    title: 'answers 304 without a body while nothing has changed, and everything with another revision after a change',
    async check(target) {
      const probe = new Probe(target);
      const name = probe.name('orders');
      const service = await probe.service(name);
      const instance = await probe.instance(service);
      await probe.untilFound(name, [instance]);
      const find = async (rev?: string): Promise<ProbeAnswer> =>
        await probe.send('GET', findPath(name, rev === undefined ? {} : { rev }));
      const revision = (answer: ProbeAnswer): string => answer.headers.get('x-resource-revision') ?? '';
      const first = revision(await find());
      notEqual(first, '');
      const same = await find(first);
      deepEqual([same.status, same.text, revision(same)], [304, '', first]);
      equal((await find('of-another-life')).status, 200);
      let last = first;
      const changes = [
        (): Promise<unknown> => probe.ask('PUT', `/microservices/${service}/instances/${instance}/status?value=DOWN`),
        (): Promise<unknown> => probe.instance(service),
        (): Promise<unknown> => probe.ask('DELETE', `/microservices/${service}/instances/${instance}`),
      ];
      for (const change of changes) {
        await change();
        await probe.eventually(async () => {
          const answer = await find(last);
          equal(answer.status, 200);
          notEqual(revision(answer), last);
          last = revision(answer);
        });
      }
    },
  },
  {
    title: 'tells a service without instances from one that is not there',
    async check(target) {
      const probe = new Probe(target);
      const name = probe.name('orders');
      await probe.refused(400012, 'GET', findPath(name));
      await probe.service(name);
      await probe.untilFound(name, []);
      await probe.refused(400001, 'GET', findPath(''));
      await probe.refused(400001, 'GET', findPath(name, { env: 'staging' }));
    },
  },
  {
    title: 'finds the instances of all versions, each with its own',
    async check(target) {
      const probe = new Probe(target);
      const name = probe.name('orders');
      const versions = ['1.0.0', '2.0.0'];
      for (const version of versions) await probe.instance(await probe.service(name, { version }));
      await probe.eventually(async () => {
        const { instances = [] } = await probe.ask('GET', findPath(name, { version: '0+' }));
        deepEqual(instances.map(({ version }) => version).sort(), versions);
      });
    },
  },
  {
    title: 'refuses a consumer that it does not know, and looks in the environment of one that it knows',
    async check(target) {
      const probe = new Probe(target);
      const name = probe.name('orders');
      const plain = await probe.instance(await probe.service(name));
      const inProduction = await probe.instance(await probe.service(name, { environment: 'production' }));
      const consumer = await probe.service(probe.name('shop'), { environment: 'production' });
      await probe.refused(400012, 'GET', findPath(name), undefined, asConsumer(probe.name('nobody')));
      await probe.untilFound(name, [plain]);
      await probe.untilFound(name, [inProduction], { env: 'production' });
      await probe.untilFound(name, [inProduction], {}, consumer);
    },
  },
  {
    title: 'shows services of other applications only when they allow it',
    async check(target) {
      const probe = new Probe(target);
      const [open, closed] = [probe.name('open'), probe.name('closed')];
      const appId = 'shop';
      const allowed = await probe.instance(await probe.service(open, { appId, properties: { allowCrossApp: 'true' } }));
      const denied = await probe.instance(await probe.service(closed, { appId }));
      const consumer = await probe.service(probe.name('front'), { appId: 'front' });
      await probe.untilFound(open, [allowed], { appId }, consumer);
      await probe.untilFound(closed, [denied], { appId });
      await probe.untilFound(closed, [], { appId }, consumer);
    },
  },
  {
    title: 'finds by alias, and by tags those versions that have all of them',
    async check(target) {
      const probe = new Probe(target);
      const [name, alias] = [probe.name('orders'), probe.name('shop:orders')];
      const tagged = await probe.service(name, { version: '1.0.0', alias });
      const instance = await probe.instance(tagged);
      const other = await probe.instance(await probe.service(name, { version: '2.0.0' }));
      await probe.ask('POST', `/microservices/${tagged}/tags`, { tags: { stage: 'canary', zone: 'a' } });
      await probe.untilFound(alias, [instance]);
      await probe.untilFound(name, [instance, other]);
      await probe.untilFound(name, [instance], { tags: 'stage,zone' });
      await probe.untilFound(name, [], { tags: 'stage,unknown' });
    },
  },
  {
    title: 'answers a batch item by item: found, not modified, failed',
    async check(target) {
      const probe = new Probe(target);
      const [one, two, none] = [probe.name('one'), probe.name('two'), probe.name('none')];
      const instance = await probe.instance(await probe.service(one));
      await probe.untilFound(one, [instance]);
      await probe.service(two);
      await probe.untilFound(two, []);
      const key = (serviceName: string): object => ({ appId: 'default', serviceName, version: '0+' });
      const ask = async (services: object[], consumer?: string): Promise<BatchPart> =>
        (await probe.ask('POST', BATCH, { services }, asConsumer(consumer)))['services'] ?? {};
      const first = await ask([one, none, two].map((name) => ({ service: key(name) })));
      deepEqual(
        first.failed?.map(({ indexes, error }) => [indexes, error['errorCode']]),
        [[[1], '400012']],
      );
      const [found, empty] = [...(first.updated ?? [])].sort((a, b) => a.index - b.index);
      deepEqual(
        found?.instances?.map(({ instanceId }) => instanceId),
        [instance],
      );
      deepEqual([found?.index, empty?.index, empty?.instances ?? []], [0, 2, []]);
      equal(first.notModified, undefined);
      const again = await ask([
        { service: key(one), rev: found?.rev },
        { service: key(two), rev: 'other' },
      ]);
      deepEqual([again.notModified, again.updated?.map(({ index }) => index), again.failed], [[0], [1], undefined]);
      const unknown = await ask([{ service: key(one) }], probe.name('nobody'));
      deepEqual(
        unknown.failed?.map(({ indexes, error }) => [indexes, error['errorCode']]),
        [[[0], '400012']],
      );
    },
  },
  {
    title: 'refuses a batch as a whole for one name that is none',
    async check(target) {
      const probe = new Probe(target);
      const name = probe.name('orders');
      await probe.untilFound(name, [await probe.instance(await probe.service(name))]);
      for (const odd of ['-a', 'a b', 'a$b', 'x'.repeat(290), '']) {
        const services = [name, odd].map((serviceName) => ({
          service: { appId: 'default', serviceName, version: '0+' },
        }));
        await probe.refused(400001, 'POST', BATCH, { services });
      }
    },
  },
  {
    title: 'answers a batch of instances, and refuses one without questions or with another action',
    async check(target) {
      const probe = new Probe(target);
      const name = probe.name('orders');
      const service = await probe.service(name);
      const instance = await probe.instance(service);
      await probe.untilFound(name, [instance]);
      const key = (instanceId: string): object => ({ instance: { serviceId: service, instanceId } });
      const body = await probe.ask('POST', BATCH, { instances: [key('unknown'), key(instance)] });
      const { updated, failed } = body['instances'] as unknown as BatchPart;
      deepEqual(
        updated?.map(({ index, instances }) => [index, instances?.[0]?.instanceId]),
        [[1, instance]],
      );
      deepEqual(
        failed?.map(({ indexes, error }) => [indexes, error['errorCode']]),
        [[[0], '400017']],
      );
      await probe.refused(400001, 'POST', BATCH, {});
      await probe.refused(400001, 'POST', '/instances/action?type=dance', { services: [] });
    },
  },
  {
    title: 'finds the registry itself, and tells where it is and which API it speaks',
    async check(target) {
      const probe = new Probe(target);
      const { instances = [] } = await probe.ask('GET', '/health');
      const [self] = instances;
      ok(self !== undefined && String((self['endpoints'] as string[])[0]).startsWith('rest://'));
      equal((await probe.ask('GET', '/version'))['apiVersion'], '4.0.0');
      deepEqual(await probe.found('SERVICECENTER'), instances.map(({ instanceId }) => instanceId).sort());
    },
  },
  {
    title: 'answers in plain text for a path or a method that it does not have',
    async check(target) {
      const probe = new Probe(target);
      const answers = [await probe.send('GET', '/health/readiness'), await probe.send('POST', '/version')];
      deepEqual(
        answers.map(({ status }) => status),
        [404, 405],
      );
      for (const { headers } of answers) ok(headers.get('content-type')?.startsWith('text/plain'));
    },
  },
];
