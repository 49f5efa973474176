import { expect } from 'chai';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withConfFolder, type Files } from '../testing/conf-folder.js';
import { runExplain as explain } from '../testing/run-explain.js';

const INSTANCES = `
world:
  - { address: 10.0.0.1:8080, version: 1.0.0 }
  - { address: 10.0.0.2:8080, version: 2.0.0, status: DOWN }
`;

async function withFiles(files: Files, use: (dir: string, instances: string) => Promise<void>): Promise<void> {
  const given = 'given/instances.yaml';
  await withConfFolder({ 'mesher.yaml': '', [given]: INSTANCES, ...files }, (dir) => use(dir, join(dir, given)));
}

describe('mesher explain with a configuration', () => {
  it('says what would become of a call and exits with 0', async () => {
    await withFiles({}, async (config, instances) => {
      const { code, out, err } = await explain({ config, instances, header: ['X-User: 1', 'x-user: 2'] });
      expect([code, err]).to.deep.equal([0, '']);
      expect(out).to.match(/^GET http:\/\/world\/v2 {2}outbound, http\n {2}x-user: 1, 2\n/);
      expect(out).to.match(/10\.0\.0\.1:8080/);
      expect(out).to.match(/\nThe call would be sent\n/);
    });
  });

  it('takes fields of any name, those that every object has among them', async () => {
    await withFiles({}, async (config, instances) => {
      const { out } = await explain({ config, instances, header: ['constructor: a', 'x-b: b'] });
      expect(out).to.match(/\n {2}constructor: a\n {2}x-b: b\n/);
    });
  });

  it('exits with 1 when Mesher would answer by itself', async () => {
    await withFiles({}, async (config, instances) => {
      const { code, out } = await explain({ config, instances }, 'http://nobody/');
      expect(code).to.equal(1);
      expect(out).to.match(/would get 404 MESH_ERR_NO_ROUTE/);
    });
  });

  it('knows the ports of the application by SERVICE_PORTS', async () => {
    await withFiles({}, async (config, instances) => {
      const inbound = { config, instances, inbound: true };
      expect((await explain(inbound, '/')).out).to.match(/MESH_ERR_NO_LOCAL_PORT/);
      const { code, out } = await explain(inbound, '/', 'get', { SERVICE_PORTS: 'rest:8123' });
      expect(code).to.equal(0);
      expect(out).to.include('the application at 127.0.0.1:8123');
      expect((await explain(inbound, '/', 'get', { SERVICE_PORTS: 'nonsense' })).code).to.equal(2);
    });
  });

  it('prints the decisions as data for --json', async () => {
    await withFiles({}, async (config, instances) => {
      const { out } = await explain({ config, instances, json: true, header: ['authorization: Basic c2VjcmV0'] });
      const data = JSON.parse(out) as { sent: boolean; steps: { stage: string }[] };
      expect(data.sent).to.equal(true);
      expect(data.steps.map(({ stage }) => stage)).to.include.members(['resolver', 'service']);
      expect(out).to.not.include('c2VjcmV0');
    });
  });

  it('reads the file registry of the configuration, and makes no folder', async () => {
    const chassis = 'servicecomb: { registry: { type: file, address: disco } }\n';
    await withFiles({ 'chassis.yaml': chassis }, async (config) => {
      const missing = await explain({ config });
      expect([missing.code, missing.err]).to.satisfy(
        ([code, err]: [number, string]) => code === 3 && /disco, does not exist; pass --instances/.test(err),
      );
      expect(existsSync(join(config, 'disco'))).to.equal(false);
      await mkdir(join(config, 'disco'));
      await writeFile(join(config, 'disco', 'world'), '10.0.0.9 80\n');
      const { code, out } = await explain({ config });
      expect(code).to.equal(0);
      expect(out).to.match(/10\.0\.0\.9:80/);
    });
  });

  it('reads a folder that is the address of a registry without a type, as a start does', async () => {
    for (const registry of ['{ address: disco }', '{ serviceDiscovery: { address: disco } }']) {
      const files = { 'chassis.yaml': `servicecomb: { registry: ${registry} }\n`, 'disco/world': '10.0.0.9 80\n' };
      await withFiles(files, async (config) => {
        const { code, out } = await explain({ config });
        expect([code, out.includes('10.0.0.9:80')], registry).to.deep.equal([0, true]);
      });
    }
  });

  it('asks for instances where the registry is a server, or not named', async () => {
    for (const registry of ['{ address: "http://127.0.0.1:1" }', '{ type: flie, address: disco }', '{ type: file }']) {
      await withFiles({ 'chassis.yaml': `servicecomb: { registry: ${registry} }\n` }, async (config) => {
        const { code, err } = await explain({ config });
        expect([code, /which instances are there\?.*; pass --instances/.test(err)], registry).to.deep.equal([3, true]);
      });
    }
  });

  it('exits with 3 for a configuration or instances that are wrong, and names every mistake', async () => {
    await withFiles({ 'mesher.yaml': 'mesher: { serverTiming: maybe }\n' }, async (config, instances) => {
      const { code, err } = await explain({ config, instances });
      expect(code).to.equal(3);
      expect(err).to.match(/mesher\.yaml:1:.*serverTiming/);
    });
    await withFiles({}, async (config, instances) => {
      await writeFile(instances, 'world: [{ adress: 10.0.0.1:1 }]');
      const { code, err } = await explain({ config, instances });
      expect(code).to.equal(3);
      expect(err).to.match(/instances\.yaml:1:.*adress/);
      expect((await explain({ config, instances: `${instances}-gone` })).err).to.match(/--instances: ENOENT/);
    });
  });

  it('says that the folder is not there, even where the environment names the service', async () => {
    await withFiles({}, async (config, instances) => {
      for (const env of [{}, { CAS_COMPONENT_NAME: 'web' }] as Record<string, string>[]) {
        const { code, err } = await explain({ config: `${config}/none`, instances }, 'http://world/', 'get', env);
        expect([code, err]).to.deep.equal([3, `mesher: there is no folder ${config}/none\n`]);
      }
    });
  });

  it('exits with 2 for a question that makes no sense', async () => {
    await withFiles({}, async (config, instances) => {
      expect((await explain({ config, instances, header: ['no field'] })).err).to.match(/no name of a header field/);
      expect((await explain({ config, instances }, 'http://world/', 'G T')).code).to.equal(2);
    });
  });
});

describe('mesher explain with a running sidecar', () => {
  let server: Server | undefined;
  afterEach(() => server?.close());

  async function answering(status: number, body: string): Promise<{ admin: string; asked: string[] }> {
    const asked: string[] = [];
    server = createServer((request, response) => {
      let text = '';
      request.on('data', (piece: Buffer) => (text += piece.toString()));
      request.on('end', () => {
        asked.push(`${request.method} ${request.url} ${text}`);
        response.writeHead(status).end(body);
      });
    });
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    return { admin: `127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
  }

  it('says how to reach one when nobody answers', async () => {
    const { code, err } = await explain({ admin: '127.0.0.1:1' });
    expect(code).to.equal(2);
    expect(err)
      .to.match(/no sidecar answers at 127\.0\.0\.1:1/)
      .and.to.match(/--admin HOST:PORT/);
    expect((await explain({ admin: 'nonsense' })).err).to.match(/needs host:port/);
  });

  it('asks the admin API and exits as it answers', async () => {
    const answer = {
      request: { direction: 'inbound', protocol: 'http', method: 'POST', authority: '', path: '/', headers: {} },
      sent: false,
      answer: { code: 'MESH_ERR_DENIED', status: 403, message: '', hint: '' },
      steps: [],
      edits: { added: [], removed: [], responseFields: [] },
    };
    const { admin, asked } = await answering(200, JSON.stringify(answer));
    const { code, out } = await explain({ admin, inbound: true, source: 'web', watch: true }, '/', 'post');
    expect(code).to.equal(1);
    expect(out).to.match(/403 MESH_ERR_DENIED/);
    const [line = ''] = asked;
    expect(line).to.match(/^POST \/v1\/mesher\/explain /);
    expect(JSON.parse(line.slice(line.indexOf('{')))).to.include({
      method: 'POST',
      url: '/',
      direction: 'inbound',
      source: 'web',
      watch: true,
    });
  });

  it('passes on why a question was refused, and recognises what is no admin port', async () => {
    const refusing = await answering(400, '{"message":"it needs a url"}');
    expect((await explain({ admin: refusing.admin })).err).to.match(/it needs a url/);
    server?.close();
    const other = await answering(200, '<html>');
    expect((await explain({ admin: other.admin })).err).to.match(/no admin port of a sidecar/);
  });
});
