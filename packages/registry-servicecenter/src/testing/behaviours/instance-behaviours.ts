import { deepEqual, equal, notEqual, ok } from 'node:assert/strict';
import type { ServiceCenterBehaviour } from './behaviour.js';
import { Probe, findPath, type Body } from './probe.js';

/** Instances and their leases. */
export const INSTANCE_BEHAVIOURS: readonly ServiceCenterBehaviour[] = [
  {
    title: 'makes a new instance of every registration without an id, and keeps the content of one whose id lives',
    async check(target) {
      const probe = new Probe(target);
      const name = probe.name('orders');
      const service = await probe.service(name);
      const [one, two] = [await probe.instance(service), await probe.instance(service)];
      notEqual(one, two);
      equal(await probe.instance(service, { instanceId: one, endpoints: ['rest://127.0.0.2:1'] }), one);
      const own = await probe.instance(service, { instanceId: probe.name('own') });
      equal(own, probe.name('own'));
      await probe.untilFound(name, [one, two, own]);
      const { instance } = await probe.ask('GET', `/microservices/${service}/instances/${one}`);
      deepEqual((instance as Body)['endpoints'], ['rest://127.0.0.1:8080']);
    },
  },
  {
    title: 'fills in what an instance does not say, and raises a lease that is too short',
    async check(target) {
      const probe = new Probe(target);
      const service = await probe.service(probe.name('orders'), { version: '2.0.0' });
      const plain = await probe.instance(service);
      const show = async (id: string): Promise<Body> => {
        let instance: Body = {};
        await probe.eventually(async () => {
          ({ instance } = (await probe.ask('GET', `/microservices/${service}/instances/${id}`)) as { instance: Body });
        });
        return instance;
      };
      const { timestamp, modTimestamp, ...rest } = await show(plain);
      ok(Number(timestamp) > 1_600_000_000 && timestamp === modTimestamp);
      deepEqual(rest, {
        instanceId: plain,
        serviceId: service,
        endpoints: ['rest://127.0.0.1:8080'],
        hostName: 'probe',
        status: 'UP',
        healthCheck: { mode: 'push', interval: 30, times: 3 },
        version: '2.0.0',
      });
      const short = await show(await probe.instance(service, { healthCheck: { mode: 'push', interval: 1, times: 1 } }));
      const least = target.generation === 1 ? { interval: 1, times: 1 } : { interval: 5, times: 3 };
      deepEqual(short['healthCheck'], { mode: 'push', ...least });
      const pull = await show(
        await probe.instance(service, {
          healthCheck: { mode: 'pull', interval: 7, times: 9, port: 80, url: '/health' },
        }),
      );
      deepEqual(pull['healthCheck'], { mode: 'pull', interval: 30, times: 3, port: 80, url: '/health' });
    },
  },
  {
    title: 'refuses what is no instance, and one of an unknown service',
    async check(target) {
      const probe = new Probe(target);
      const service = await probe.service(probe.name('orders'));
      const path = `/microservices/${service}/instances`;
      const good = { hostName: 'probe', endpoints: ['rest://127.0.0.1:8080'] };
      const bad = [
        { hostName: '' },
        { hostName: 'a'.repeat(65) },
        { status: 'SLEEPING' },
        { endpoints: [' '] },
        { instanceId: 'with space' },
        { healthCheck: { mode: 'guess', interval: 30, times: 3 } },
        { healthCheck: { mode: 'push', interval: 0, times: 3 } },
        { dataCenterInfo: { name: '', region: 'r', availableZone: 'z' } },
      ];
      for (const wrong of bad) await probe.refused(400001, 'POST', path, { instance: { ...good, ...wrong } });
      await probe.refused(400001, 'POST', path, {});
      await probe.refused(400001, 'POST', path, 'no json');
      await probe.refused(400012, 'POST', `/microservices/${probe.name('nobody')}/instances`, { instance: good });
      await probe.instance(service, { endpoints: [] });
    },
  },
  {
    title: 'answers a heartbeat with nothing, and with 400017 whether the instance or the service is unknown',
    async check(target) {
      const probe = new Probe(target);
      const service = await probe.service(probe.name('orders'));
      const instance = await probe.instance(service);
      deepEqual(await probe.ask('PUT', `/microservices/${service}/instances/${instance}/heartbeat`), {});
      for (const path of [`${service}/instances/unknown`, `unknown/instances/${instance}`]) {
        await probe.refused(400017, 'PUT', `/microservices/${path}/heartbeat`);
      }
    },
  },
  {
    title: 'answers a batch of heartbeats one by one, without those that are asked twice',
    async check(target) {
      const probe = new Probe(target);
      const service = await probe.service(probe.name('orders'));
      const instance = await probe.instance(service);
      const own = { serviceId: service, instanceId: instance };
      const instances = [own, { serviceId: service, instanceId: 'unknown' }, own];
      if (target.generation === 1) {
        // It tells the instances of a batch apart only when all are well.
        deepEqual(await probe.ask('PUT', '/heartbeats', { instances: [own, own] }), {});
        return await probe.refused(400017, 'PUT', '/heartbeats', { instances });
      }
      const body = await probe.ask('PUT', '/heartbeats', { instances });
      const told = [...(body.instances ?? [])].sort(
        (a, b) => Number(a['errMessage'] ?? 0) - Number(b['errMessage'] ?? 0),
      );
      equal(told.length, 2);
      const [good, bad] = ['unknown', ''].map((id) =>
        told.find(({ instanceId }) => (id === '' ? instanceId === 'unknown' : instanceId !== id)),
      );
      deepEqual(good, own);
      ok(typeof bad?.['errMessage'] === 'string' && bad['errMessage'] !== '');
      await probe.refused(400001, 'PUT', '/heartbeats', { instances: [] });
    },
  },
  {
    title: 'changes status and properties of an instance, and finds it whatever its status',
    async check(target) {
      const probe = new Probe(target);
      const name = probe.name('orders');
      const service = await probe.service(name);
      const instance = await probe.instance(service, { properties: { a: '1', b: '2' } });
      const path = `/microservices/${service}/instances/${instance}`;
      for (const status of ['DOWN', 'STARTING', 'TESTING', 'OUTOFSERVICE', 'UP', 'DOWN']) {
        deepEqual(await probe.ask('PUT', `${path}/status?value=${status}`), {});
      }
      await probe.eventually(async () => {
        deepEqual(await probe.ask('PUT', `${path}/properties`, { properties: { c: '3' } }), {});
        const { instances = [] } = await probe.ask('GET', findPath(name));
        deepEqual(
          instances.map((one) => [one['status'], one['properties']]),
          [['DOWN', { c: '3' }]],
        );
      });
      await probe.refused(400001, 'PUT', `${path}/status?value=SLEEPING`);
      await probe.refused(400017, 'PUT', `/microservices/${service}/instances/unknown/status?value=UP`);
      await probe.refused(400017, 'PUT', `/microservices/${service}/instances/unknown/properties`, { properties: {} });
    },
  },
  {
    title: 'forgets an instance that leaves, and says so when it leaves again',
    async check(target) {
      const probe = new Probe(target);
      const name = probe.name('orders');
      const service = await probe.service(name);
      const instance = await probe.instance(service);
      await probe.untilFound(name, [instance]);
      const path = `/microservices/${service}/instances/${instance}`;
      deepEqual(await probe.ask('DELETE', path), {});
      await probe.untilFound(name, []);
      await probe.refused(400017, 'DELETE', path);
      await probe.refused(400017, 'PUT', `${path}/heartbeat`);
      await probe.eventually(() => probe.refused(400017, 'GET', path));
      equal(await probe.instance(service, { instanceId: instance, endpoints: ['rest://127.0.0.2:2'] }), instance);
      await probe.eventually(async () => {
        const body = (await probe.ask('GET', path)) as { instance: Body };
        deepEqual(body.instance['endpoints'], ['rest://127.0.0.2:2']);
      });
    },
  },
  {
    title: 'lists the instances of one service version, with a revision',
    async check(target) {
      const probe = new Probe(target);
      const service = await probe.service(probe.name('orders'));
      const path = `/microservices/${service}/instances`;
      const instance = await probe.instance(service);
      let revision = '';
      await probe.eventually(async () => {
        const answer = await probe.send('GET', path);
        deepEqual(
          (JSON.parse(answer.text) as Body).instances?.map(({ instanceId }) => instanceId),
          [instance],
        );
        revision = answer.headers.get('x-resource-revision') ?? '';
      });
      const again = await probe.send('GET', `${path}?rev=${revision}`);
      deepEqual([again.status, again.text], [304, '']);
      await probe.refused(400012, 'GET', `/microservices/${probe.name('nobody')}/instances`);
      await probe.refused(400012, 'GET', path, undefined, { 'x-consumerid': probe.name('nobody') });
    },
  },
  {
    title: 'forgets an instance whose lease is not renewed',
    needs: { slow: true },
    async check(target) {
      const probe = new Probe(target);
      const name = probe.name('orders');
      const service = await probe.service(name);
      const instance = await probe.instance(service, { healthCheck: { mode: 'push', interval: 1, times: 0 } });
      await probe.untilFound(name, [instance]);
      await new Promise((resolve) => setTimeout(resolve, 20_000));
      await probe.untilFound(name, []);
    },
  },
];
