import { deepEqual, equal, notEqual, ok } from 'node:assert/strict';
import type { ServiceCenterBehaviour } from './behaviour.js';
import { Probe, findPath, type Body } from './probe.js';

/** Services, their properties, tags and contracts. */
export const SERVICE_BEHAVIOURS: readonly ServiceCenterBehaviour[] = [
  {
    title: 'registers a service once for its environment, application, name and version, and keeps the first record',
    async check(target) {
      const probe = new Probe(target);
      const name = probe.name('orders');
      const id = await probe.service(name, { properties: { a: '1' } });
      equal(await probe.service(name, { properties: { a: '2' } }), id);
      const { service } = await probe.ask('GET', `/microservices/${id}`);
      deepEqual((service as Body)['properties'], { a: '1' });
      for (const other of [{ version: '1.0.1' }, { appId: 'shop' }, { environment: 'production' }]) {
        notEqual(await probe.service(name, other), id);
      }
    },
  },
  {
    title: 'fills in what a service does not say',
    async check(target) {
      const probe = new Probe(target);
      const serviceName = probe.name('bare');
      const { serviceId } = await probe.ask('POST', '/microservices', { service: { serviceName } });
      const { service } = await probe.ask('GET', `/microservices/${serviceId}`);
      const { timestamp, modTimestamp, ...rest } = service as Body;
      deepEqual(rest, { serviceId, serviceName, appId: 'default', version: '0.0.1', level: 'BACK', status: 'UP' });
      ok(Number(timestamp) > 1_600_000_000 && Number(modTimestamp) > 1_600_000_000, 'times are seconds, as text');
    },
  },
  {
    title: 'keeps everything that a service says about itself',
    async check(target) {
      const probe = new Probe(target);
      const said = {
        serviceName: probe.name('whole'),
        appId: 'shop',
        version: '1.2.3.4',
        environment: 'testing',
        alias: probe.name('shop:whole'),
        description: 'all of it',
        level: 'FRONT',
        status: 'UP',
        registerBy: 'SIDECAR',
        framework: { name: 'Mesher', version: '0.1.0' },
        paths: [{ path: '/orders', property: { a: '1' } }],
        properties: { allowCrossApp: 'true', empty: '' },
      };
      const id = await probe.service(said.serviceName, said);
      const { service } = await probe.ask('GET', `/microservices/${id}`);
      const { timestamp, modTimestamp, serviceId, ...rest } = service as Body;
      equal(serviceId, id);
      equal(modTimestamp, timestamp);
      deepEqual(rest, said);
    },
  },
  {
    title: 'takes an id of the service itself, and refuses one that belongs to another or comes late',
    async check(target) {
      const probe = new Probe(target);
      const [own, name] = [probe.name('id'), probe.name('orders')];
      equal(await probe.service(name, { serviceId: own }), own);
      equal(await probe.service(name, { serviceId: own }), own);
      const service = { serviceName: name, version: '1.0.0', serviceId: probe.name('another') };
      await probe.refused(400010, 'POST', '/microservices', { service });
      const late = { serviceName: probe.name('other'), version: '1.0.0', serviceId: own };
      await probe.refused(400010, 'POST', '/microservices', { service: late });
    },
  },
  {
    title: 'knows whether a service exists: by name or alias, and apart from its versions',
    async check(target) {
      const probe = new Probe(target);
      const [serviceName, alias] = [probe.name('orders'), probe.name('alias')];
      const id = await probe.service(serviceName, { alias });
      const path = (more: object): string =>
        `/existence?${new URLSearchParams({ type: 'microservice', appId: 'default', serviceName, version: '1.0.0', ...more }).toString()}`;
      await probe.eventually(async () => equal((await probe.ask('GET', path({}))).serviceId, id));
      equal((await probe.ask('GET', path({ serviceName: alias }))).serviceId, id);
      await probe.refused(target.generation === 1 ? 400012 : 400026, 'GET', path({ version: '2.0.0' }));
      await probe.refused(400012, 'GET', path({ serviceName: probe.name('nobody') }));
      await probe.refused(400012, 'GET', path({ env: 'production' }));
      // 1.x takes rules such as this one.
      if (target.generation !== 1) await probe.refused(400001, 'GET', path({ version: 'latest' }));
      await probe.refused(400001, 'GET', path({ type: 'something' }));
    },
  },
  {
    title: 'refuses what is no service, with what is wrong',
    async check(target) {
      const probe = new Probe(target);
      const good = { serviceName: probe.name('orders'), version: '1.0.0' };
      const bad = [
        { serviceName: undefined },
        { serviceName: 'with space' },
        { serviceName: 'a'.repeat(129) },
        { serviceName: '-begins' },
        { version: '1.x' },
        { version: '1.2.3.4.5' },
        { environment: 'staging' },
        { level: 'TOP' },
        { registerBy: 'HAND' },
        { description: 'a'.repeat(257) },
        { properties: { a: 1 } },
      ];
      for (const wrong of bad)
        await probe.refused(400001, 'POST', '/microservices', { service: { ...good, ...wrong } });
      await probe.refused(400001, 'POST', '/microservices', '{"service":');
      await probe.refused(400001, 'POST', '/microservices', {});
    },
  },
  {
    title: 'lists services, and refuses to show one that is not there',
    async check(target) {
      const probe = new Probe(target);
      const id = await probe.service(probe.name('orders'));
      await probe.eventually(async () => {
        const { services } = await probe.ask('GET', '/microservices');
        ok((services as Body[]).some(({ serviceId }) => serviceId === id));
      });
      await probe.refused(400012, 'GET', `/microservices/${probe.name('nobody')}`);
      await probe.refused(400012, 'PUT', `/microservices/${probe.name('nobody')}/properties`, { properties: {} });
    },
  },
  {
    title: 'replaces all properties of a service at once',
    async check(target) {
      const probe = new Probe(target);
      const id = await probe.service(probe.name('orders'), { properties: { a: '1', b: '2' } });
      deepEqual(await probe.ask('PUT', `/microservices/${id}/properties`, { properties: { c: '3' } }), {});
      await probe.eventually(async () => {
        const { service } = await probe.ask('GET', `/microservices/${id}`);
        deepEqual((service as Body)['properties'], { c: '3' });
      });
    },
  },
  {
    title: 'removes a service that has instances only by force, and its instances with it',
    async check(target) {
      const probe = new Probe(target);
      const name = probe.name('orders');
      const id = await probe.service(name);
      await probe.untilFound(name, [await probe.instance(id)]);
      await probe.refused(400013, 'DELETE', `/microservices/${id}`);
      await probe.refused(400001, 'DELETE', `/microservices/${id}?force=perhaps`);
      await probe.ask('DELETE', `/microservices/${id}?force=true`);
      await probe.eventually(() => probe.refused(400012, 'GET', `/microservices/${id}`));
      await probe.eventually(() => probe.refused(400012, 'GET', findPath(name)));
    },
  },
  {
    title: 'removes a service that others depend on only by force',
    async check(target) {
      const probe = new Probe(target);
      const name = probe.name('orders');
      const [provider, consumer] = [await probe.service(name), await probe.service(probe.name('shop'))];
      await probe.depend(consumer, name, provider);
      await probe.refused(400023, 'DELETE', `/microservices/${provider}`);
      await probe.ask('DELETE', `/microservices/${provider}?force=1`);
    },
  },
  {
    title: 'keeps tags per service version',
    async check(target) {
      const probe = new Probe(target);
      const id = await probe.service(probe.name('orders'));
      const tags = `/microservices/${id}/tags`;
      const holds = async (expected: object): Promise<void> =>
        await probe.eventually(async () => deepEqual(await probe.ask('GET', tags), expected));
      await holds({});
      await probe.ask('POST', tags, { tags: { stage: 'canary', zone: 'a' } });
      await holds({ tags: { stage: 'canary', zone: 'a' } });
      await probe.ask('PUT', `${tags}/stage?value=live`);
      await holds({ tags: { stage: 'live', zone: 'a' } });
      await probe.refused(400018, 'PUT', `${tags}/unknown?value=x`);
      await probe.ask('DELETE', `${tags}/stage,zone`);
      await holds({});
      await probe.refused(400018, 'DELETE', `${tags}/stage`);
      await probe.refused(400001, 'POST', tags, { tags: { '1st': 'x' } });
      await probe.ask('POST', tags, { tags: { stage: 'canary', zone: 'a' } });
      await probe.ask('POST', tags, { tags: { stage: 'live' } });
      // All of them are replaced.
      await holds({ tags: { stage: 'live' } });
      const names = Array.from({ length: 101 }, (_, at) => [`t${at}`, 'x']);
      await probe.refused(400001, 'POST', tags, { tags: Object.fromEntries(names) });
      await probe.refused(400012, 'GET', `/microservices/${probe.name('nobody')}/tags`);
    },
  },
  {
    title: 'has its API below /registry/v3, too, and tells its health and version to everybody',
    async check(target) {
      const probe = new Probe(target);
      const name = probe.name('orders');
      const id = await probe.service(name);
      const v3 = async (path: string): Promise<unknown> => JSON.parse((await probe.old('GET', path)).text);
      await probe.eventually(async () => {
        const { service } = (await v3(`/registry/v3/microservices/${id}`)) as { readonly service: Body };
        equal(service['serviceName'], name);
      });
      const query = `type=microservice&appId=default&serviceName=${name}&version=1.0.0`;
      deepEqual(await v3(`/registry/v3/existence?${query}`), { serviceId: id });
      ok('instances' in ((await v3('/health')) as object));
      ok('apiVersion' in ((await v3('/version')) as object));
    },
  },
  {
    title: 'has room for a hundred contracts of a service version',
    needs: { generation: 2 },
    async check(target) {
      const probe = new Probe(target);
      const schemas = `/microservices/${await probe.service(probe.name('orders'))}/schemas`;
      const content = { schema: 'swagger: "2.0"', summary: 'abc' };
      for (let at = 0; at < 100; at++) await probe.ask('PUT', `${schemas}/s${at}`, content);
      await probe.ask('PUT', `${schemas}/s7`, content);
      await probe.refused(400100, 'PUT', `${schemas}/another`, content);
    },
  },
  {
    title: 'keeps contracts with their summaries',
    async check(target) {
      const probe = new Probe(target);
      const id = await probe.service(probe.name('orders'), { schemas: ['orders.v1'] });
      const schemas = `/microservices/${id}/schemas`;
      await probe.ask('PUT', `${schemas}/orders.v1`, { schema: 'swagger: "2.0"', summary: 'abc' });
      const exists = `/existence?type=schema&serviceId=${id}&schemaId=orders.v1`;
      await probe.eventually(async () => {
        const answer = await probe.send('GET', exists);
        equal(answer.headers.get('x-schema-summary'), 'abc', answer.text);
        const { serviceId, schemaId } = JSON.parse(answer.text) as Readonly<Record<string, unknown>>;
        deepEqual([serviceId, schemaId], [target.generation === 1 ? undefined : id, 'orders.v1']);
      });
      deepEqual(await probe.ask('GET', `${schemas}/orders.v1`), { schema: 'swagger: "2.0"' });
      deepEqual(await probe.ask('GET', schemas), { schemas: [{ schemaId: 'orders.v1', summary: 'abc' }] });
      const all = await probe.ask('GET', `${schemas}?withSchema=1`);
      deepEqual(all, { schemas: [{ schemaId: 'orders.v1', summary: 'abc', schema: 'swagger: "2.0"' }] });
      await probe.refused(400016, 'GET', `${schemas}/unknown`);
      await probe.refused(400016, 'GET', `/existence?type=schema&serviceId=${id}&schemaId=unknown`);
      await probe.ask('DELETE', `${schemas}/orders.v1`);
      await probe.eventually(() => probe.refused(400016, 'GET', `${schemas}/orders.v1`));
    },
  },
];
