import { Chassis, MeshError } from '@mesher/core';
import { RecordingLogger, fakePorts } from '@mesher/core/testing';
import { ProxyServer, type OriginalDestination } from '@mesher/proxy';
import { expect } from 'chai';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { loadFiles } from '../testing/conf-folder.js';
import { openTransparent, type TransparentListener } from './open-transparent.js';

describe('the transparent listener of a sidecar', () => {
  let app: Server;
  let chassis: Chassis;
  let proxy: ProxyServer;
  let opened: TransparentListener | undefined;
  const ports = fakePorts();

  beforeEach(async () => {
    app = createServer((request, response) => response.end(`you asked for ${request.url}`));
    await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    opened?.close();
    opened = undefined;
    proxy.close();
    await chassis.close();
    app.closeAllConnections();
    await new Promise((resolve) => app.close(resolve));
  });

  async function open(found: OriginalDestination | MeshError, mesherYaml = ''): Promise<number> {
    const port = await freePort();
    const files = {
      'chassis.yaml': 'servicecomb.registry.disabled: true\n',
      'mesher.yaml': `${mesherYaml}\ntransparent.port: ${port}\n`,
    };
    const { configuration, catalog } = await loadFiles(files);
    const { document, errors } = configuration;
    if (document === undefined) throw new Error(JSON.stringify(errors));
    const logger = new RecordingLogger();
    chassis = await Chassis.create({ document, confDir: '.', catalog, ports, logger });
    proxy = new ProxyServer({ ports, logger });
    const find = (): OriginalDestination => {
      if (found instanceof MeshError) throw found;
      return found;
    };
    opened = await openTransparent({
      document,
      chassis,
      proxy,
      ports,
      logger,
      isOwnPort: () => false,
      interceptor: { find },
    });
    return port;
  }

  function ask(port: number): Promise<string> {
    return new Promise((resolve) => {
      let text = '';
      const socket = connect({ host: '127.0.0.1', port });
      socket.on('error', ({ message }) => (text += message));
      socket.on('close', () => resolve(text));
      socket.setEncoding('utf8').on('data', (more: string) => (text += more));
      socket.write('GET /x HTTP/1.0\r\nHost: anywhere\r\n\r\n');
    });
  }

  it('passes connections on to where they were going, over IPv4 through a listener of both families', async () => {
    const port = await open({ kind: 'intercepted', address: '127.0.0.1', port: (app.address() as AddressInfo).port });
    expect(await ask(port)).to.match(/^HTTP\/1.1 200 OK[^]*you asked for \/x$/);
    expect(proxy.stats.transparent.of({ direction: 'inbound', protocol: 'http1', verdict: 'passed' })).to.equal(1);
  });

  it('serves inbound requests with the policies of the provider where the policy is mesh', async () => {
    const original = { address: '127.0.0.1', port: (app.address() as AddressInfo).port };
    const port = await open({ kind: 'intercepted', ...original }, 'transparent.policy: mesh');
    expect(await ask(port)).to.match(/you asked for \/x$/);
    expect(proxy.stats.transparent.of({ direction: 'inbound', protocol: 'http1', verdict: 'mesh' })).to.equal(1);
  });

  it('tells who calls it directly that it is no proxy', async () => {
    const port = await open({ kind: 'direct' });
    expect(await ask(port)).to.match(
      /^HTTP\/1.1 404 [^]*x-mesher-error: MESH_ERR_NO_ROUTE[^]*no rule has brought this one/,
    );
  });
});

/** A port that was free a moment ago. */
function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
