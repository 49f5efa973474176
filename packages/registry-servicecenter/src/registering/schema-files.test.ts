import { expect } from 'chai';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ServiceCenterServer } from '../testing/index.js';
import { RegistryRig } from '../client/testing/registry-rig.js';

describe('the contracts of a service', () => {
  let center: ServiceCenterServer;
  let rig: RegistryRig | undefined;

  beforeEach(async () => {
    center = await ServiceCenterServer.start();
  });

  afterEach(async () => {
    await rig?.close();
    await center.close();
  });

  async function prepare(confDir: string): Promise<void> {
    const folder = join(confDir, 'caller', 'schema');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'orders.yaml'), 'swagger: "2.0"\n');
    await writeFile(join(folder, 'notes.txt'), 'no contract');
  }

  const isSchema = ({ method, path }: { method: string; path: string }): boolean =>
    method === 'PUT' && path.includes('/schemas/');

  it('are sent when that is wanted, and are found in the index', async () => {
    rig = await RegistryRig.open({
      address: center.url,
      yaml: 'servicecomb.registry: { uploadSchema: true, autoSchemaIndex: true, contractDiscovery: { refreshInterval: 1s } }\n',
      prepare,
    });
    await rig.register();
    await center.untilAsked(isSchema);
    const { contracts } = rig.registry;
    // The list of services that is read after the contract was sent.
    const lists = (): number => center.asked.filter(({ path }) => path.endsWith('/registry/microservices')).length;
    const before = lists();
    await center.steering.until(() => lists() > before + 1);
    const [holder] = contracts?.holdersOf('orders') ?? [];
    expect(holder).to.include({ service: 'caller', app: 'shop', version: '1.0.0' });
    const text = await contracts?.textOf({ serviceId: holder?.serviceId ?? '' }, 'orders', rig.signal);
    expect(text).to.equal('swagger: "2.0"\n');
  });

  it('stay here when nobody asked for them to be sent', async () => {
    rig = await RegistryRig.open({ address: center.url, prepare });
    await rig.register();
    expect(center.asked.some(isSchema)).to.equal(false);
    expect(rig.registry.contracts).to.equal(undefined);
  });
});
