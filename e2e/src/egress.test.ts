import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { curl, requireCurl } from './support/command.js';
import { useScene } from './support/scene.js';
import type { Sidecar } from './support/sidecar.js';

describe('calls to hosts outside the mesh', () => {
  const scene = useScene();
  let outside: Server;
  let port: number;

  beforeEach(async () => {
    outside = createServer((request, response) => {
      response.setHeader('x-powered-by', 'outside');
      response.end(JSON.stringify({ url: request.url, headers: request.headers }));
    });
    await new Promise<void>((resolve) => outside.listen(0, '127.0.0.1', resolve));
    port = (outside.address() as AddressInfo).port;
  });

  afterEach(async () => {
    outside.closeAllConnections();
    await new Promise((resolve) => outside.close(resolve));
  });

  function sidecar(): Promise<Sidecar> {
    return scene().sidecar({
      service: 'orders',
      host: 'none',
      chassis: {
        'egressRule.local': [{ hosts: ['localhost'], ports: [{ port, protocol: 'HTTP' }] }],
        'servicecomb.routeRule.localhost': [
          {
            headers: { response: { remove: ['x-powered-by'], set: { 'x-rule': 'yes' } } },
            rewrite: { prefix: { from: '/a', to: '/b' } },
          },
        ],
      },
      mesher: { 'mesher.egress.policy': 'allow_any' },
    });
  }

  it('arrive there, follow route rules of the host, and do not tell who calls', async () => {
    const { status, headers, body } = await (await sidecar()).call('http://localhost/a/x?y=1');
    expect([status, headers['x-powered-by'], headers['x-rule']]).to.deep.equal([200, undefined, 'yes']);
    const seen = JSON.parse(body) as { url: string; headers: Record<string, string> };
    expect(seen.url).to.equal('/b/x?y=1');
    expect(Object.keys(seen.headers).filter((name) => name.startsWith('x-cse'))).to.deep.equal([]);
  });

  it('get a tunnel by CONNECT, as HTTPS needs one', async function () {
    requireCurl(this);
    const { outbound } = await sidecar();
    const body = await curl('--proxytunnel', '--proxy', `http://${outbound}`, `http://localhost:${port}/tunnelled`);
    expect(JSON.parse(body)).to.include({ url: '/tunnelled' });
  });

  it('are refused for ports that the rule does not name, and for this machine and its link', async () => {
    const consumer = await sidecar();
    for (const url of [
      'http://localhost:22/',
      `http://127.0.0.2:${port}/`,
      'http://169.254.169.254/latest/meta-data/',
    ]) {
      const { status, headers } = await consumer.call(url);
      expect([status, headers['x-mesher-error']], url).to.deep.equal([403, 'MESH_ERR_EGRESS_DENIED']);
    }
    expect(await consumer.metric('mesher_egress_total', { rule: 'local', decision: 'denied' })).to.equal(1);
  });
});
