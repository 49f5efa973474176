import { expect } from 'chai';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RegistryRig } from '../client/testing/registry-rig.js';
import { ServiceCenterServer } from '../testing/index.js';

/** What a gateway answers itself to paths that contain a word. */
type Refusals = Readonly<Record<string, readonly [status: number, body: string]>>;

const NO_PERMISSION = [403, '{"errorCode":"403205","errorMessage":"no permission"}'] as const;
const NO_TOKEN = [401, '{"errorCode":"401204","errorMessage":"no auth header"}'] as const;
const PROXY = [403, '<html>denied</html>'] as const;

/** Before a service-center: not everything comes through. */
async function openGateway(center: ServiceCenterServer, refusals: Refusals): Promise<Server> {
  const gateway = createServer((asked, answer) => {
    const refusal = Object.entries(refusals).find(([word]) => asked.url?.includes(word));
    if (refusal !== undefined) {
      const [status, body] = refusal[1];
      asked.resume();
      answer.writeHead(status).end(body);
      return;
    }
    const { url, method, headers } = asked;
    const passed = request(`${center.url}${url ?? ''}`, { method, headers }, (response) => {
      answer.writeHead(response.statusCode ?? 500, response.headers);
      response.pipe(answer);
    });
    asked.pipe(passed);
  });
  await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve));
  return gateway;
}

describe('a service-center that does not list everything', () => {
  let center: ServiceCenterServer;
  let gateway: Server;
  let rig: RegistryRig;

  async function open(refusals: Refusals, yaml = ''): Promise<AsyncIterator<readonly unknown[]>> {
    gateway = await openGateway(center, refusals);
    const { port } = gateway.address() as AddressInfo;
    rig = await RegistryRig.open({ address: `http://127.0.0.1:${port}`, yaml });
    return rig.registry.discovery.watchAll(rig.signal)[Symbol.asyncIterator]();
  }

  const codeOf = (error: unknown): unknown => (error as { code?: unknown }).code;

  beforeEach(async () => {
    center = await ServiceCenterServer.start();
  });

  afterEach(async () => {
    await rig.close();
    gateway.closeAllConnections();
    await new Promise((resolve) => gateway.close(resolve));
    await center.close();
  });

  it('answers all the same, so that nobody waits for the index of addresses to register, and says why there is none', async () => {
    const all = await open({ govern: NO_PERMISSION }, 'servicecomb.registry.autoIPIndex: true\n');
    expect(await all.next()).to.deep.equal({ value: [], done: false });
    expect(await all.next().catch(codeOf)).to.equal('SC_DENIED');
    const { lastError = '', problems } = rig.registry.discovery.state();
    expect([lastError, ...problems].join()).to.contain('403205');
    // Those who wait have heard; to the index it is the error, and no more.
    const again = rig.registry.discovery.watchAll(rig.signal)[Symbol.asyncIterator]();
    expect(await again.next().catch(codeOf)).to.equal('SC_DENIED');
  });

  it('answers all the same when a stranger may not see its health', async () => {
    const all = await open({ '/health': NO_TOKEN });
    expect(await all.next()).to.deep.equal({ value: [], done: false });
  });

  it('has not answered when a proxy did', async () => {
    const all = await open({ '/health': PROXY, govern: PROXY }, 'servicecomb.registry.autoIPIndex: true\n');
    expect(await all.next().catch(codeOf)).to.equal('SC_DENIED');
  });
});
