import { deepEqual, equal, ok } from 'node:assert/strict';
import type { ServiceCenterBehaviour } from './behaviour.js';
import { Probe, type Body } from './probe.js';

const ALL = '/v4/default/govern/microservices';

/** What consoles see. */
export const GOVERN_BEHAVIOURS: readonly ServiceCenterBehaviour[] = [
  {
    title: 'shows all services with their instances, without properties of instances and names of contracts',
    async check(target) {
      const probe = new Probe(target);
      const service = await probe.service(probe.name('orders'), { schemas: ['orders'] });
      const instance = await probe.instance(service, { properties: { a: '1' } });
      await probe.eventually(async () => {
        const { allServicesDetail } = await probe.ask('GET', `${ALL}?options=instances`);
        const detail = detailOf(allServicesDetail, service);
        equal(detail.instances?.[0]?.instanceId, instance);
        deepEqual(detail.instances?.[0]?.['endpoints'], ['rest://127.0.0.1:8080']);
        equal(detail.instances?.[0]?.['properties'], undefined);
        equal((detail['microService'] as Body)['schemas'], undefined);
        equal(detail['tags'], undefined);
      });
    },
  },
  {
    title: 'shows all services of a name, or none',
    needs: { generation: 2 },
    async check(target) {
      const probe = new Probe(target);
      const name = probe.name('orders');
      const service = await probe.service(name);
      await probe.eventually(async () => {
        const { allServicesDetail = [] } = await probe.ask('GET', `${ALL}?serviceName=${name}&appId=default`);
        deepEqual(
          (allServicesDetail as Body[]).map((one) => (one['microService'] as Body).serviceId),
          [service],
        );
      });
      deepEqual(await probe.ask('GET', `${ALL}?serviceName=${probe.name('nobody')}`), {});
    },
  },
  {
    title: 'shows everything about one service',
    async check(target) {
      const probe = new Probe(target);
      const name = probe.name('orders');
      const service = await probe.service(name, { version: '1.0.0' });
      await probe.service(name, { version: '2.0.0' });
      const instance = await probe.instance(service, { properties: { a: '1' } });
      await probe.ask('POST', `/microservices/${service}/tags`, { tags: { stage: 'canary' } });
      await probe.eventually(async () => {
        const body = (await probe.ask('GET', `${ALL}/${service}`))['service'] as Body;
        equal((body['microService'] as Body).serviceId, service);
        deepEqual(
          [body.instances?.[0]?.instanceId, body.instances?.[0]?.['properties']],
          [instance, target.generation === 1 ? undefined : { a: '1' }],
        );
        deepEqual(body['tags'], { stage: 'canary' });
        deepEqual([...(body['microServiceVersions'] as string[])].sort(), ['1.0.0', '2.0.0']);
      });
      await probe.refused(400012, 'GET', `${ALL}/${probe.name('nobody')}`);
    },
  },
  {
    title: 'names the applications, and counts services and instances',
    needs: { generation: 2 },
    async check(target) {
      const probe = new Probe(target);
      const appId = probe.name('app');
      await probe.instance(await probe.service(probe.name('orders'), { appId }));
      await probe.eventually(async () => {
        const { appIds = [] } = await probe.ask('GET', '/v4/default/govern/apps');
        ok((appIds as string[]).includes(appId));
        const { statistics } = (await probe.ask('GET', '/v4/default/govern/statistics')) as {
          statistics: Readonly<Record<string, { readonly count?: number }>>;
        };
        for (const kind of ['services', 'instances', 'apps']) ok((statistics[kind]?.count ?? 0) > 0, kind);
      });
    },
  },
];

function detailOf(details: unknown, serviceId: string): Body {
  const detail = (details as Body[] | undefined)?.find((one) => (one['microService'] as Body).serviceId === serviceId);
  ok(detail, 'the service is not shown');
  return detail;
}
