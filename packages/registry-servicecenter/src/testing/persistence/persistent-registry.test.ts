import { expect } from 'chai';
import { once } from 'node:events';
import { watch } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fakePorts } from '@mesher/core/testing';
import { Probe } from '../behaviours/probe.js';
import { PersistentRegistry } from './persistent-registry.js';
import { StateFileError } from './state-file.js';

const complain = (error: unknown): never => {
  throw error;
};

async function withFolder(
  files: Readonly<Record<string, string>>,
  use: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'mesher-registry-'));
  try {
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function withRegistry(folder: string, use: (probe: Probe) => Promise<void>): Promise<void> {
  const registry = await PersistentRegistry.start({ port: 0, folder, complain });
  try {
    await use(new Probe({ url: registry.server.url }));
  } finally {
    await registry.close();
  }
}

async function savedServices(folder: string): Promise<readonly string[]> {
  const { tenants } = JSON.parse(await readFile(join(folder, 'registry.json'), 'utf8')) as {
    tenants: Record<string, { services: { record: { serviceName: string } }[] }>;
  };
  return Object.values(tenants).flatMap(({ services }) => services.map(({ record }) => record.serviceName));
}

describe('a registry with a file', () => {
  it('has after a restart what it had before: services, instances, tags, contracts, and who depends on whom', async () => {
    await withFolder({}, async (folder) => {
      let [service, consumer, instance] = ['', '', ''];
      await withRegistry(folder, async (probe) => {
        service = await probe.service('orders', { properties: { a: '1' } });
        consumer = await probe.service('shop', { environment: 'production' });
        const shop = await probe.service('shop');
        instance = await probe.instance(service, { properties: { b: '2' } });
        await probe.ask('PUT', `/microservices/${service}/instances/${instance}/status?value=TESTING`);
        await probe.ask('POST', `/microservices/${service}/tags`, { tags: { stage: 'canary' } });
        await probe.ask('PUT', `/microservices/${service}/schemas/s`, { schema: 'text', summary: 'sum' });
        await probe.depend(shop, 'orders', service);
      });
      await withRegistry(folder, async (probe) => {
        const { service: detail } = (await probe.ask('GET', `/v4/default/govern/microservices/${service}`)) as {
          service: Record<string, unknown>;
        };
        expect(detail['tags']).to.deep.equal({ stage: 'canary' });
        expect(detail['schemaInfos']).to.deep.equal([{ schemaId: 's', summary: 'sum', schema: 'text' }]);
        expect(detail['instances']).to.have.nested.property('[0].status', 'TESTING');
        expect(detail['instances']).to.have.nested.property('[0].properties.b', '2');
        expect(detail['consumers']).to.have.lengthOf(1);
        expect(await probe.service('shop', { environment: 'production' })).to.equal(consumer);
        await probe.ask('PUT', `/microservices/${service}/instances/${instance}/heartbeat`);
      });
    });
  });

  it('gives an answer with another revision after a restart, whatever a client still knows', async () => {
    await withFolder({}, async (folder) => {
      const find = '/instances?appId=default&serviceName=orders';
      let revision = '';
      await withRegistry(folder, async (probe) => {
        await probe.instance(await probe.service('orders'));
        revision = (await probe.send('GET', find)).headers.get('x-resource-revision') ?? '';
        expect((await probe.send('GET', `${find}&rev=${revision}`)).status).to.equal(304);
      });
      await withRegistry(folder, async (probe) => {
        expect((await probe.send('GET', `${find}&rev=${revision}`)).status).to.equal(200);
      });
    });
  });

  it('replaces its file as a whole, readable by its user only, and leaves nothing else', async () => {
    await withFolder({}, async (folder) => {
      await withRegistry(folder, async (probe) => void (await probe.service('orders')));
      expect(await readdir(folder)).to.deep.equal(['registry.json']);
      expect((await stat(join(folder, 'registry.json'))).mode & 0o777).to.equal(0o600);
      expect(JSON.parse(await readFile(join(folder, 'registry.json'), 'utf8'))).to.have.property('format', 1);
    });
  });

  it('saves what it takes while it ends, and nothing of its end', async () => {
    await withFolder({}, async (folder) => {
      const ports = fakePorts();
      const registry = await PersistentRegistry.start({ port: 0, folder, ports, complain });
      const probe = new Probe({ url: registry.server.url });
      await probe.service('orders');
      const closing = registry.close();
      // As a request does that was under way: before the connections are closed, and after the end has begun.
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
      registry.server.seed({ serviceName: 'shop' });
      await closing;
      ports.time.advance(60_000);
      expect(await savedServices(folder)).to.deep.equal(['orders', 'shop']);
    });
  });

  it('makes its folder again when somebody removes it', async () => {
    await withFolder({}, async (folder) => {
      const data = join(folder, 'data');
      await withRegistry(data, async (probe) => {
        await rm(data, { recursive: true });
        await probe.service('orders');
      });
      expect(await savedServices(data)).to.deep.equal(['orders']);
    });
  });

  it('takes nothing from web pages, which reach loopback through a browser', async () => {
    await withFolder({}, async (folder) => {
      await withRegistry(folder, async (probe) => {
        const service = { serviceName: 'orders' };
        await probe.refused(403001, 'POST', '/microservices', { service }, { origin: 'http://elsewhere.test' });
        await probe.refused(403001, 'POST', '/microservices', { service }, { origin: 'null' });
        await probe.service('orders');
      });
    });
  });

  it('does not write for heartbeats', async () => {
    await withFolder({}, async (folder) => {
      let [service, instance] = ['', ''];
      await withRegistry(folder, async (probe) => {
        service = await probe.service('orders');
        instance = await probe.instance(service);
      });
      const before = await stat(join(folder, 'registry.json'));
      await withRegistry(folder, async (probe) => {
        await probe.ask('PUT', `/microservices/${service}/instances/${instance}/heartbeat`);
      });
      expect((await stat(join(folder, 'registry.json'))).ino).to.equal(before.ino);
    });
  });

  for (const [what, text] of [
    ['is cut short', '{"format":1,"tenants":{"default/defa'],
    ['was written by a newer program', '{"format":2,"tenants":{}}'],
    ['is something else', '{"format":1,"tenants":{"default/default":{"services":{}}}}'],
  ] as const) {
    it(`does not start over a file that ${what}, and leaves it as it is`, async () => {
      await withFolder({ 'registry.json': text }, async (folder) => {
        const refusal = await PersistentRegistry.start({ port: 0, folder, complain }).then(
          async (registry) => await registry.close(),
          (error: unknown) => error,
        );
        expect(refusal).to.be.instanceOf(StateFileError);
        expect((refusal as Error).message)
          .to.contain('registry.json')
          .and.to.contain('move it away');
        expect(await readFile(join(folder, 'registry.json'), 'utf8')).to.equal(text);
      });
    });
  }

  it('goes on when its file cannot be written, says so once, and tries again until it can', async () => {
    await withFolder({}, async (folder) => {
      const ports = fakePorts();
      const complaints: unknown[] = [];
      let complained = (): void => {};
      const untilComplaint = new Promise<void>((resolve) => (complained = resolve));
      const registry = await PersistentRegistry.start({
        port: 0,
        folder,
        ports,
        complain: (error) => {
          complaints.push(error);
          complained();
        },
      });
      const probe = new Probe({ url: registry.server.url });
      // A folder in the place of the temporary file: it cannot be opened for writing, by root neither.
      const inTheWay = join(folder, 'registry.json.new');
      await mkdir(inTheWay);
      await probe.service('orders');
      ports.time.advance(200);
      await untilComplaint;
      await rmdir(inTheWay);
      const watcher = watch(folder);
      const written = once(watcher, 'change');
      // Nothing changes any more, and still it is saved.
      ports.time.advance(5_000);
      await written;
      watcher.close();
      await registry.close();
      expect(complaints).to.have.lengthOf(1);
      expect(await savedServices(folder)).to.deep.equal(['orders']);
    });
  });
});
