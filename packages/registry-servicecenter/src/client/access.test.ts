import { expect } from 'chai';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ServiceCenterServer } from '../testing/index.js';
import { RegistryRig, type RigSettings } from './testing/registry-rig.js';

const ACCOUNT = 'servicecomb.credentials.account: { name: root, password: Complicated_password1 }\n';

describe('the way to service-center', () => {
  const rigs: RegistryRig[] = [];
  const closing: (() => Promise<unknown>)[] = [];

  async function open(settings: RigSettings): Promise<RegistryRig> {
    const rig = await RegistryRig.open(settings);
    rigs.push(rig);
    return rig;
  }

  async function start(...options: Parameters<typeof ServiceCenterServer.start>): Promise<ServiceCenterServer> {
    const center = await ServiceCenterServer.start(...options);
    closing.push(() => center.close());
    return center;
  }

  /** A server that is none of service-center's. */
  async function serve(listener: RequestListener): Promise<string> {
    const server: Server = createServer(listener);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closing.push(() => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  afterEach(async () => {
    await Promise.all(rigs.splice(0).map((rig) => rig.close()));
    await Promise.all(closing.splice(0).map((close) => close()));
  });

  it('leads past an address that refuses, one that hangs, and one that talks nonsense', async () => {
    const center = await start();
    const hanging = await serve(() => {});
    const page = await serve((_request, response) => response.end('<html>welcome</html>'));
    for (const bad of ['http://127.0.0.1:1', hanging, page]) {
      const rig = await open({ address: `${bad},${center.url}`, yaml: 'servicecomb.registry.timeout: 200ms\n' });
      for (let i = 0; i < 2; i++) expect((await rig.watch(`nobody${i}`).next()).exists).to.equal(false);
      await rig.register();
    }
  });

  it('leads to nodes that service-center names itself', async () => {
    const other = await start();
    const center = await start();
    center.registry.registerSelf(`rest://${new URL(other.url).host}/`);
    const rig = await open({
      address: center.url,
      yaml: 'servicecomb.registry: { autodiscovery: true, refreshInterval: 1s }\n',
    });
    await center.untilAsked(({ path }) => path === '/v4/default/registry/health');
    const found = other.untilAsked(({ path }) => path.endsWith('/instances/action'));
    for (let i = 0; i < 4; i++) await rig.watch(`nobody${i}`).next();
    await found;
  });

  it('is open with an account, also for the watch, and again after its token was refused', async () => {
    const center = await start({ rbac: { rootPassword: 'Complicated_password1' } });
    const rig = await open({ address: center.url, yaml: `${ACCOUNT}servicecomb.registry.watch: true\n` });
    await rig.register();
    await center.untilWatchers(1);
    center.accounts?.expireTokens();
    expect((await rig.watch('nobody').next()).exists).to.equal(false);
    expect(center.asked.filter(({ path }) => path === '/v4/token')).to.have.length(2);
  });

  it('is closed without an account, and says what to set', async () => {
    const center = await start({ rbac: { rootPassword: 'Complicated_password1' } });
    const rig = await open({ address: center.url });
    rig
      .watch('world')
      .next()
      .catch(() => {});
    await center.untilAsked(({ path }) => path.endsWith('/instances/action'), 2);
    expect(rig.registry.discovery.state().lastError).to.contain('servicecomb.credentials.account');
  });

  it('ends where an answer is larger than allowed', async () => {
    const address = await serve((_request, response) => response.end(`{"x":"${'y'.repeat(70_000)}"}`));
    const rig = await open({ address, options: { maxResponseBytes: 65_536 } });
    const all = rig.registry.discovery.watchAll(rig.signal)[Symbol.asyncIterator]();
    const error: unknown = await all.next().catch((reason: unknown) => reason);
    expect(error).to.include({ code: 'SC_UNREACHABLE' });
  });

  it('is refused for addresses that are none, without showing a password', async () => {
    for (const address of ['ftp://sc', 'http://u:secret@sc:30100']) {
      const error: unknown = await RegistryRig.open({ address }).catch((reason: unknown) => reason);
      expect(error).to.include({ code: 'SC_SETTING' });
      expect((error as Error).message).to.not.contain('secret');
    }
  });
});
